"""``asl remote stop``: abort an execution elsewhere."""

from __future__ import annotations

from asl_engine.cli import options
from asl_engine.cli.commands.remote.executions import Where, describe, execution_arn, plain
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.cloud.client import explained

__all__ = ["command", "stop"]


def command(
    *,
    execution: options.RemoteExecution,
    machine: options.RemoteMachine = None,
    error: options.Error = None,
    cause: options.Cause = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    json: options.AsJson = False,
) -> int:
    """Abort an execution."""
    return stop(execution, machine, error, cause, as_json=json, where=Where(region, profile, endpoint_url))


def stop(
    text: str, machine: str | None, error: str | None, cause: str | None, *, as_json: bool, where: Where
) -> int:
    """Abort an execution; one that has ended stays as it is."""
    aws = where.connect()
    arn = execution_arn(aws, text, machine)
    before = describe(aws, arn)
    given = {key: value for key, value in (("error", error), ("cause", cause)) if value is not None}
    with explained(f"stop the execution {arn}"):
        answer = aws.states.stop_execution(executionArn=arn, **given)
    if before["status"] != "RUNNING":
        err(f"execution {before['name']} has already ended ({before['status']}); nothing was changed")
    elif not as_json:
        err(f"execution {before['name']} was stopped (see: asl remote history {arn})")
    if as_json:
        out(pretty_json(plain(answer)))
    return 0
