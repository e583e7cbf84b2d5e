"""``asl remote list``: the executions of one machine, or of all."""

from __future__ import annotations

from typing import Any

from asl_engine.arn import Arn
from asl_engine.cli import options
from asl_engine.cli.commands.list import checked_limit, checked_status
from asl_engine.cli.commands.remote.executions import Where, milliseconds, newest, plain
from asl_engine.cli.output import out, pretty_json, seconds, short_name, table
from asl_engine.projections.moments import utc

__all__ = ["command", "list_executions"]


def command(
    *,
    machine: options.RemoteMachine = None,
    status: options.Status = None,
    limit: options.MostListed = 100,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    json: options.AsJson = False,
) -> int:
    """List executions, the newest first."""
    return list_executions(machine, status, limit, as_json=json, where=Where(region, profile, endpoint_url))


def list_executions(machine: str | None, status: str | None, limit: int, *, as_json: bool, where: Where) -> int:
    """The newest executions first, of one machine or of all."""
    wanted = checked_status(status)
    checked_limit(limit)
    aws = where.connect()
    executions = newest(aws, machine, wanted, limit)
    if as_json:
        out(pretty_json({"executions": [plain(one) for one in executions]}))
    else:
        table(("execution", "machine", "status", "started (UTC)", "took"), [_row(one) for one in executions])
    return 0


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    started = milliseconds(one["startDate"])
    took = "" if one.get("stopDate") is None else seconds(milliseconds(one["stopDate"]) - started)
    machine = Arn.of(one["stateMachineArn"]).name
    return (short_name(one["name"]), machine, one["status"], utc(started), took)
