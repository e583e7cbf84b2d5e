"""``asl remote redrive``: continues a failed execution elsewhere."""

from __future__ import annotations

from asl_engine.cli import options
from asl_engine.cli.commands.remote.executions import Where, execution_arn, plain, wait_for
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.cloud.client import explained

__all__ = ["command", "redrive"]


def command(
    *,
    execution: options.RemoteExecution,
    machine: options.RemoteMachine = None,
    wait: options.Wait = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    json: options.AsJson = False,
) -> int:
    """Continue a failed execution from the state that it did not leave."""
    return redrive(execution, machine, wait=wait, as_json=json, where=Where(region, profile, endpoint_url))


def redrive(text: str, machine: str | None, *, wait: bool, as_json: bool, where: Where) -> int:
    """Continue a failed execution from the state that it did not leave."""
    aws = where.connect()
    arn = execution_arn(aws, text, machine)
    with explained(f"redrive the execution {arn}"):
        answer = aws.states.redrive_execution(executionArn=arn)
    if wait:
        return wait_for(aws, arn, as_json=as_json)
    if as_json:
        out(pretty_json(plain(answer)))
    else:
        err(f"redriven; see it with: asl remote history {arn} --follow")
    return 0
