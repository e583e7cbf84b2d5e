"""``asl remote run``: start an execution elsewhere."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.arn import unqualified
from asl_engine.cli import options
from asl_engine.cli.commands.remote.executions import Where, machine_arn, milliseconds, report, wait_for
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.cloud.client import explained
from asl_engine.limits import AWS_LIMITS
from asl_engine.project.inputs import checked_name, read_input
from asl_engine.projections.moments import iso

if TYPE_CHECKING:
    from asl_engine.cloud.client import Aws

__all__ = ["command", "run"]


def command(
    *,
    machine: Annotated[
        str,
        typer.Argument(metavar="MACHINE", help="A state machine: its name, NAME:ALIAS, NAME:VERSION or its ARN."),
    ],
    given: options.Input = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The execution's name.")] = None,
    wait: options.Wait = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    json: options.AsJson = False,
) -> int:
    """Start an execution: its ARN, or with --wait its output, goes to stdout."""
    return run(machine, given, name, wait=wait, as_json=json, where=Where(region, profile, endpoint_url))


def run(machine: str, given: str | None, name: str | None, *, wait: bool, as_json: bool, where: Where) -> int:
    """Start an execution; with ``wait``, wait for its end and return its exit code."""
    payload = read_input(given, AWS_LIMITS)
    # With a name, a call that the SDK repeats after a lost connection starts no second execution.
    named = {"name": str(uuid.uuid4()) if name is None else checked_name(name)}
    aws = where.connect()
    arn = machine_arn(aws, machine)
    if wait and _is_express(aws, arn):
        with explained(f"run {machine}"):
            shown = aws.states.start_sync_execution(stateMachineArn=arn, input=payload.text, **named)
        return report(shown, as_json=as_json)
    with explained(f"start an execution of {machine}"):
        started = aws.states.start_execution(stateMachineArn=arn, input=payload.text, **named)
    execution = started["executionArn"]
    if wait:
        return wait_for(aws, execution, as_json=as_json)
    if as_json:
        out(pretty_json({"executionArn": execution, "startDate": iso(milliseconds(started["startDate"]))}))
    else:
        out(execution)
        err(f"running; see it with: asl remote history {execution} --follow")
    return 0


def _is_express(aws: Aws, arn: str) -> bool:
    """Whether a machine is Express: its executions cannot be described, only awaited."""
    with explained(f"look at {arn}"):
        try:
            shown = aws.states.describe_state_machine(stateMachineArn=arn)
        except aws.states.exceptions.InvalidArn:  # an alias: it is its machine's type
            shown = aws.states.describe_state_machine(stateMachineArn=unqualified(arn)[0])
    return bool(shown.get("type") == "EXPRESS")
