"""``asl remote history``: the events of an execution elsewhere."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.cli import options
from asl_engine.cli.commands.history import COLUMNS, line, row
from asl_engine.cli.commands.remote.executions import (
    INTERRUPTED,
    PAGE,
    WAIT_SECONDS,
    Where,
    execution_arn,
    milliseconds,
)
from asl_engine.cli.output import compact_json, flush, out, pretty_json, table
from asl_engine.cli.shapes import history_event
from asl_engine.cloud.client import explained
from asl_engine.cloud.deploy.changes import pages
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.cloud.client import Aws

__all__ = ["command", "history"]

ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")


def command(
    *,
    execution: options.RemoteExecution,
    machine: options.RemoteMachine = None,
    follow: options.Follow = False,
    reverse: options.Reverse = False,
    no_data: Annotated[bool, typer.Option("--no-data", help="Leave inputs and outputs out.")] = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    json: options.AsJson = False,
) -> int:
    """Show the events of an execution."""
    return history(
        execution,
        machine,
        as_json=json,
        follow=follow,
        reverse=reverse,
        data=not no_data,
        where=Where(region, profile, endpoint_url),
    )


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
    """All events, with times in milliseconds as local events have them."""
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
    """Write events as they arrive.  New ones are read from the end, so that none is read twice."""
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
