"""What the remote commands share: the endpoint, finding executions by name, reporting their end."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn, is_arn, parse_arn
from asl_engine.cli.output import err, is_terminal, out, pretty_json, seconds, short_name
from asl_engine.cli.report import EXIT_CODES, failure_lines
from asl_engine.cloud.client import AwsError, connect, explained
from asl_engine.cloud.deploy.changes import found, pages
from asl_engine.errors import ExecutionDoesNotExist, Parameter
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.projections.moments import iso

if TYPE_CHECKING:
    from datetime import datetime

    from asl_engine.cloud.client import Aws

__all__ = [
    "INTERRUPTED",
    "PAGE",
    "WAIT_SECONDS",
    "Where",
    "describe",
    "execution_arn",
    "machine_arn",
    "milliseconds",
    "newest",
    "plain",
    "report",
    "wait_for",
]

WAIT_SECONDS = 1.0
INTERRUPTED = 130
MAX_CANDIDATES = 10
PAGE = 1000


class Where(NamedTuple):
    """Which region, profile and endpoint of Step Functions; None for what the AWS SDK finds."""

    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None

    def connect(self) -> Aws:
        return connect(self.region, self.profile, endpoint=self.endpoint)


def wait_for(aws: Aws, arn: str, *, as_json: bool) -> int:
    """Wait for the end of an execution; it goes on if the command is interrupted."""
    try:
        while True:
            shown = describe(aws, arn)
            if shown["status"] not in {"RUNNING", "PENDING_REDRIVE"}:
                return report(shown, as_json=as_json)
            time.sleep(WAIT_SECONDS)
    except KeyboardInterrupt:
        err(f"interrupted: the execution goes on there; see: asl remote history {arn} --follow")
        return INTERRUPTED


def describe(aws: Aws, arn: str) -> dict[str, Any]:
    with explained(f"look at the execution {arn}"):
        shown: dict[str, Any] = aws.states.describe_execution(executionArn=arn)
    return shown


def report(shown: dict[str, Any], *, as_json: bool) -> int:
    """Report an execution as ``asl run`` reports a local one."""
    if as_json:
        out(pretty_json(plain(shown)))
    elif shown.get("output") is not None:
        text: str = shown["output"]
        out(pretty_json(loads(text)) if is_terminal(sys.stdout) else text.rstrip())
    for told in failure_lines(shown.get("error"), shown.get("cause")):
        err(told)
    took = seconds(milliseconds(shown["stopDate"]) - milliseconds(shown["startDate"]))
    machine = Arn.of(shown["stateMachineArn"]).name
    see = f"asl remote history {shown['executionArn']}"
    err(f"{shown['status']}  {short_name(shown['name'])}  {machine}  {took}  ({see})")
    return EXIT_CODES[shown["status"]]


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer of boto3 as the AWS CLI prints it."""
    return {
        key: iso(milliseconds(value)) if hasattr(value, "timestamp") else value
        for key, value in answer.items()
        if key != "ResponseMetadata"
    }


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def newest(aws: Aws, machine: str | None, status: str | None, limit: int) -> list[dict[str, Any]]:
    arns = [arn for _, arn in _machines(aws)] if machine is None else [machine_arn(aws, machine)]
    executions = [one for arn in arns for one in _executions(aws, arn, status, limit)]
    return sorted(executions, key=lambda one: one["startDate"], reverse=True)[:limit]


def _executions(aws: Aws, arn: str, status: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest of one machine, at most ``limit``; an Express machine has none that AWS lists."""
    ask: Any = partial(
        aws.states.list_executions, stateMachineArn=arn, **({} if status is None else {"statusFilter": status})
    )
    listed: list[dict[str, Any]] = []

    def read() -> list[dict[str, Any]]:
        for page in pages(partial(ask, maxResults=min(limit, PAGE))):
            listed.extend(page["executions"])
            if len(listed) >= limit:
                break
        return listed[:limit]

    return found(f"list the executions of {arn}", read, "StateMachineTypeNotSupported") or []


def _machines(aws: Aws) -> list[tuple[str, str]]:
    """Names and ARNs of all state machines."""
    with explained("list the state machines"):
        return [
            (one["name"], one["stateMachineArn"])
            for page in pages(partial(aws.states.list_state_machines, maxResults=PAGE))
            for one in page["stateMachines"]
        ]


def machine_arn(aws: Aws, text: str) -> str:
    """The ARN of a machine, given as ARN, as name, or as name and alias or version: ``order:live``."""
    if is_arn(text):
        return _in_region(aws, text)
    name, colon, qualifier = text.partition(":")
    machines = dict(_machines(aws))
    if name not in machines:
        hint = did_you_mean(name, machines)
        raise AwsError(f"there is no state machine {name!r} in {aws.area}{hint}")
    return f"{machines[name]}{colon}{qualifier}"


def _in_region(aws: Aws, arn: str) -> str:
    """The ARN.  Raises ``AwsError`` for one of another region, which nothing in this one knows."""
    parts = parse_arn(arn)
    if parts is not None and parts.region != aws.region:
        raise AwsError(f"{arn} is not in {aws.area}: give ", Parameter("region", parts.region))
    return arn


def execution_arn(aws: Aws, text: str, machine: str | None) -> str:
    """The ARN of the execution with this ARN, this name, or a name that begins so.

    Raises ``ExecutionDoesNotExist`` if none of the newest thousand of each machine fits, or more than one.
    """
    if is_arn(text):
        return _in_region(aws, text)
    candidates = [one for one in newest(aws, machine, None, PAGE) if one["name"].startswith(text)]
    exact = [one for one in candidates if one["name"] == text]
    chosen = exact or candidates
    if not chosen:
        raise ExecutionDoesNotExist(
            f"there is no execution {text!r} in {aws.area}; `asl remote list` shows those there are"
        )
    if len(chosen) > 1:
        lines = [f"{text!r} may be any of {len(chosen)} executions; give more of its name, or its ARN:"]
        lines += [f"  {one['status']}  {one['executionArn']}" for one in chosen[:MAX_CANDIDATES]]
        raise ExecutionDoesNotExist("\n".join(lines))
    arn: str = chosen[0]["executionArn"]
    return arn
