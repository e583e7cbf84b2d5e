"""``asl remote``: executions that run elsewhere, seen and operated as those that run here."""

from __future__ import annotations

import sys
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn, is_arn, unqualified
from asl_engine.cli.commands.executions import checked_limit, checked_status
from asl_engine.cli.commands.history import COLUMNS, line, row
from asl_engine.cli.output import (
    compact_json,
    err,
    flush,
    is_terminal,
    out,
    pretty_json,
    seconds,
    short_name,
    table,
)
from asl_engine.cli.report import EXIT_CODES, failure_lines
from asl_engine.cli.shapes import history_event
from asl_engine.cloud.client import AwsError, connect, explained
from asl_engine.cloud.deploy.changes import found, pages
from asl_engine.errors import ExecutionDoesNotExist, InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.limits import AWS_LIMITS
from asl_engine.project.inputs import checked_name, read_input
from asl_engine.projections.moments import iso, utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from asl_engine.cloud.client import Aws

__all__ = ["Where", "history", "list_executions", "redrive", "run", "stop"]

WAIT_SECONDS = 1.0
INTERRUPTED = 130
MOST_CANDIDATES = 10
PAGE = 1000
ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


class Where(NamedTuple):
    """Which account and region; None for what the AWS SDK finds."""

    region: str | None = None
    profile: str | None = None

    def connect(self) -> Aws:
        return connect(self.region, self.profile)


# -- run ----------------------------------------------------------------------------------------------


def run(machine: str, given: str | None, name: str | None, *, wait: bool, as_json: bool, where: Where) -> int:
    """Start an execution; with ``wait``, see it to its end and give its exit code."""
    payload = read_input(given, AWS_LIMITS)
    # With a name of our own, a call that the SDK repeats on a lost connection starts nothing twice.
    named = {"name": str(uuid.uuid4()) if name is None else checked_name(name)}
    aws = where.connect()
    arn = machine_arn(aws, machine)
    if wait and _is_express(aws, arn):
        with explained(f"run {machine}"):
            shown = aws.states.start_sync_execution(stateMachineArn=arn, input=payload.text, **named)
        return _report(shown, as_json=as_json)
    with explained(f"start an execution of {machine}"):
        started = aws.states.start_execution(stateMachineArn=arn, input=payload.text, **named)
    execution = started["executionArn"]
    if wait:
        return _wait(aws, execution, as_json=as_json)
    if as_json:
        out(pretty_json({"executionArn": execution, "startDate": iso(milliseconds(started["startDate"]))}))
    else:
        out(execution)
        err(f"running; see it with: asl remote history {execution} --follow")
    return 0


def _is_express(aws: Aws, arn: str) -> bool:
    """Whether executions cannot be described: they are run while one waits for the answer."""
    with explained(f"look at {arn}"):
        try:
            shown = aws.states.describe_state_machine(stateMachineArn=arn)
        except aws.states.exceptions.InvalidArn:  # an alias: it is its machine's type
            shown = aws.states.describe_state_machine(stateMachineArn=unqualified(arn)[0])
    return bool(shown.get("type") == "EXPRESS")


def _wait(aws: Aws, arn: str, *, as_json: bool) -> int:
    """See an execution to its end, which goes on whether somebody looks or not."""
    try:
        while True:
            shown = _describe(aws, arn)
            if shown["status"] not in {"RUNNING", "PENDING_REDRIVE"}:
                return _report(shown, as_json=as_json)
            time.sleep(WAIT_SECONDS)
    except KeyboardInterrupt:
        err(f"interrupted: the execution goes on there; see: asl remote history {arn} --follow")
        return INTERRUPTED


def _describe(aws: Aws, arn: str) -> dict[str, Any]:
    with explained(f"look at the execution {arn}"):
        shown: dict[str, Any] = aws.states.describe_execution(executionArn=arn)
    return shown


def _report(shown: dict[str, Any], *, as_json: bool) -> int:
    """As a local run is reported."""
    if as_json:
        out(pretty_json(_plain(shown)))
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


def _plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer of boto3 as the AWS CLI prints it."""
    return {
        key: iso(milliseconds(value)) if hasattr(value, "timestamp") else value
        for key, value in answer.items()
        if key != "ResponseMetadata"
    }


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


# -- history ------------------------------------------------------------------------------------------


def history(
    text: str, machine: str | None, *, as_json: bool, follow: bool, reverse: bool, data: bool, where: Where
) -> int:
    """Write the events of an execution, as ``asl history`` does."""
    if follow and reverse:
        raise InvalidInput("--follow shows the newest event last: leave --reverse out")
    aws = where.connect()
    arn = execution_arn(aws, text, machine)
    if follow:
        try:
            _follow(aws, arn, as_json=as_json, data=data)
        except KeyboardInterrupt:
            return INTERRUPTED
        return 0
    events = list(_events(aws, arn, reverse=reverse, data=data))
    if as_json:
        out(pretty_json({"events": [history_event(event, data=data) for event in events]}))
    else:
        table(COLUMNS, [row(event) for event in events])
    return 0


def _events(aws: Aws, arn: str, *, reverse: bool, data: bool) -> Iterator[dict[str, Any]]:
    """All events, with their times as local ones have them."""
    ask = partial(
        aws.states.get_execution_history,
        executionArn=arn,
        maxResults=PAGE,
        reverseOrder=reverse,
        includeExecutionData=data,
    )
    with explained(f"read the history of {arn}"):
        for page in pages(ask):
            for event in page["events"]:
                yield event | {"timestamp": milliseconds(event["timestamp"])}


def _follow(aws: Aws, arn: str, *, as_json: bool, data: bool) -> None:
    """Write events as they come.  Newer ones are read from the end: nothing that is known is read again."""
    written = 0
    while True:
        fresh: list[dict[str, Any]] = []
        for event in _events(aws, arn, reverse=True, data=data):
            if event["id"] <= written:
                break
            fresh.append(event)
        for event in reversed(fresh):
            out(compact_json(history_event(event, data=data)) if as_json else line(row(event)))
        flush()
        if fresh:
            written = fresh[0]["id"]
            if fresh[0]["type"] in ENDS:
                return
        time.sleep(WAIT_SECONDS)


# -- list, stop, redrive ------------------------------------------------------------------------------


def list_executions(machine: str | None, status: str | None, limit: int, *, as_json: bool, where: Where) -> int:
    """The newest executions first, of one machine or of all."""
    wanted = checked_status(status)
    checked_limit(limit)
    aws = where.connect()
    executions = _newest(aws, machine, wanted, limit)
    if as_json:
        out(pretty_json({"executions": [_plain(one) for one in executions]}))
    else:
        table(("execution", "machine", "status", "started (UTC)", "took"), [_row(one) for one in executions])
    return 0


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    started = milliseconds(one["startDate"])
    took = "" if one.get("stopDate") is None else seconds(milliseconds(one["stopDate"]) - started)
    machine = Arn.of(one["stateMachineArn"]).name
    return (short_name(one["name"]), machine, one["status"], utc(started), took)


def _newest(aws: Aws, machine: str | None, status: str | None, limit: int) -> list[dict[str, Any]]:
    arns = [arn for _, arn in _machines(aws)] if machine is None else [machine_arn(aws, machine)]
    executions = [one for arn in arns for one in _executions(aws, arn, status, limit)]
    return sorted(executions, key=lambda one: one["startDate"], reverse=True)[:limit]


def _executions(aws: Aws, arn: str, status: str | None, limit: int) -> list[dict[str, Any]]:
    """Those of one machine, at most so many; none of an Express one, whose executions AWS does not list."""
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


def stop(
    text: str, machine: str | None, error: str | None, cause: str | None, *, as_json: bool, where: Where
) -> int:
    """Abort an execution; one that has ended stays as it is."""
    aws = where.connect()
    arn = execution_arn(aws, text, machine)
    before = _describe(aws, arn)
    given = {key: value for key, value in (("error", error), ("cause", cause)) if value is not None}
    with explained(f"stop the execution {arn}"):
        answer = aws.states.stop_execution(executionArn=arn, **given)
    if before["status"] != "RUNNING":
        err(f"execution {before['name']} had ended already ({before['status']}): nothing is changed")
    elif not as_json:
        err(f"execution {before['name']} is stopped (see: asl remote history {arn})")
    if as_json:
        out(pretty_json(_plain(answer)))
    return 0


def redrive(text: str, machine: str | None, *, wait: bool, as_json: bool, where: Where) -> int:
    """Go on with an execution that has failed, from the state it did not leave."""
    aws = where.connect()
    arn = execution_arn(aws, text, machine)
    with explained(f"redrive the execution {arn}"):
        answer = aws.states.redrive_execution(executionArn=arn)
    if wait:
        return _wait(aws, arn, as_json=as_json)
    if as_json:
        out(pretty_json(_plain(answer)))
    else:
        err(f"redriven; see it with: asl remote history {arn} --follow")
    return 0


# -- names --------------------------------------------------------------------------------------------


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
        return text
    name, colon, qualifier = text.partition(":")
    machines = dict(_machines(aws))
    if name not in machines:
        hint = did_you_mean(name, machines)
        raise AwsError(f"there is no state machine {name!r} in {aws.region}{hint}")
    return f"{machines[name]}{colon}{qualifier}"


def execution_arn(aws: Aws, text: str, machine: str | None) -> str:
    """The ARN of the execution with this ARN, this name, or a name that begins so.

    Raises ``ExecutionDoesNotExist`` where there is none among the newest thousand of each machine, or more
    than one.
    """
    if is_arn(text):
        return text
    candidates = [one for one in _newest(aws, machine, None, PAGE) if one["name"].startswith(text)]
    exact = [one for one in candidates if one["name"] == text]
    chosen = exact or candidates
    if not chosen:
        raise ExecutionDoesNotExist(
            f"there is no execution {text!r} in {aws.region}; `asl remote list` shows those there are"
        )
    if len(chosen) > 1:
        lines = [f"{text!r} may be any of {len(chosen)} executions; give more of its name, or its ARN:"]
        lines += [f"  {one['status']}  {one['executionArn']}" for one in chosen[:MOST_CANDIDATES]]
        raise ExecutionDoesNotExist("\n".join(lines))
    arn: str = chosen[0]["executionArn"]
    return arn
