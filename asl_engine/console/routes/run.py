"""One execution: what it is, its picture, its waterfall, its events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asl_engine.console.pasts import at_leisure
from asl_engine.console.payloads import shown
from asl_engine.console.pictures import states_of
from asl_engine.console.shown import EXPRESS, OF_A_MAP_RUN, event_shown, run_of_past, traceback_of
from asl_engine.core import events as ev
from asl_engine.graph.model import scopes_within
from asl_engine.graph.svg import svg
from asl_engine.projections.causes import readable_cause
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.server.operations.redrive import reason_against
from asl_engine.views.account import standing
from asl_engine.views.marks import execution_graph, execution_overlay
from asl_engine.views.timeline import timeline_rows
from asl_engine.visits.reading import all_visits, own_visits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.console.asked import Asked
    from asl_engine.console.pasts import Past
    from asl_engine.core.execution import Execution
    from asl_engine.core.machine import StateMachine
    from asl_engine.views.account import Account
    from asl_engine.views.timeline import TimelineRow

__all__ = ["events", "graph", "marks", "run", "timeline"]

MAX_ROWS: Final = 2_000
MAX_EVENTS: Final = 500


async def run(asked: Asked) -> dict[str, Any]:
    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    account = await asked.desk.pasts.account(past)
    x, who = account.execution, past.record.identity
    kinship = None if who.map_run is None else await asked.service.store.map_runs.kinship(who.arn)
    is_registered = await asked.service.find_machine(who.machine_arn) is not None
    return {
        "run": run_of_past(asked.service, past),
        "definedBy": who.version_arn or (who.machine_arn if is_registered else who.arn),
        "versionArn": who.version_arn,
        "aliasArn": who.alias_arn,
        "input": shown(x.input, arn=who.arn, field="input"),
        "output": shown(x.output, arn=who.arn, field="output"),
        "error": x.error,
        "cause": readable_cause(x.cause),
        "traceback": traceback_of(x.cause),
        "lastEvent": past.last,
        "events": len(past.seqs),
        "failed": await at_leisure(partial(_failed, account), len(past.events)),
        "origin": x.origin,
        "mapRun": None if kinship is None else kinship[0],
        "can": await _can(asked, past, x),
    }


def _failed(account: Account) -> dict[str, Any] | None:
    """The state that the execution has failed in, and when that was entered."""
    if account.execution.status in {"RUNNING", "SUCCEEDED"}:
        return None
    last = {visit.name: visit for visit in own_visits(account.visits)}
    failed = [one for one in last.values() if standing(one, is_over=account.is_over) == "failed"]
    return {"state": failed[-1].name, "entry": failed[-1].seq} if failed else None


async def _can(asked: Asked, past: Past, x: Execution) -> dict[str, str | None]:
    """Why something cannot be done with it, None where it can."""
    who = past.record.identity
    own = OF_A_MAP_RUN if who.map_run is not None else None
    edited = any(isinstance(event, ev.InputReplaced | ev.VariablesReplaced) for event in past.events)
    return {
        "stop": None if past.record.status == "RUNNING" else "It has ended",
        "redrive": await reason_against(asked.service, past.record, x),
        "fork": own or (EXPRESS if who.type == "EXPRESS" else None),
        "pin": own
        or ("It has not ended" if past.record.status == "RUNNING" else None)
        or ("It is a fork with edited data: pin its origin" if edited else None),
    }


async def graph(asked: Asked) -> dict[str, Any]:
    pasts = asked.desk.pasts
    past = await pasts.of(asked.api, asked.text("arn"))
    account, machine = await pasts.account(past), await pasts.machine(past)
    return await run_in_thread(partial(_drawn, account, machine))


def _drawn(account: Account, machine: StateMachine) -> dict[str, Any]:
    drawn = execution_graph(account, machine)
    overlay = execution_overlay(account, drawn, machine)
    text = svg(drawn, account.execution.identity.machine_name, overlay, styled=False)
    return {"svg": text, "states": states_of(drawn)}


async def marks(asked: Asked) -> dict[str, Any]:
    """How the states stood as of an event, for whoever only changes classes."""
    pasts = asked.desk.pasts
    past = await pasts.of(asked.api, asked.text("arn"))
    at = asked.number("at", past.last, 1, max(1, past.last))
    account = await (pasts.account(past) if at == past.last else pasts.account_at(past, at))
    machine = await pasts.machine(past)
    return await at_leisure(partial(_marked, account, machine, at), at)


def _marked(account: Account, machine: StateMachine, at: int) -> dict[str, Any]:
    drawn = execution_graph(account, machine)
    overlay = execution_overlay(account, drawn, machine)
    visited: dict[str, int] = {}
    for visit in all_visits(account.visits):
        visited[visit.name] = visited.get(visit.name, 0) + 1
    states = {
        node.name: {
            "standing": overlay.mark(node).standing,
            "text": overlay.mark(node).text,
            "visits": visited[node.name],
            "place": node.location,
        }
        for scope in scopes_within(drawn)
        for node in scope.nodes
        if node.name in visited and not node.is_mark
    }
    x = account.execution
    events = account.logs[0].events
    return {
        "at": at,
        "moment": events[-1].at if events else account.began,
        "status": x.status,
        "states": states,
        "edges": dict(overlay.counts),
        "where": [*dict.fromkeys(frame.state for frame in x.frames.values() if frame.state)]
        if x.status == "RUNNING"
        else [],
    }


async def timeline(asked: Asked) -> dict[str, Any]:
    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    begin, limit = asked.number("from", 0), asked.number("limit", 500, 1, MAX_ROWS)
    account = await asked.desk.pasts.account(past)
    rows = await at_leisure(partial(timeline_rows, account), len(past.events))
    own = {id(visit) for visit in own_visits(account.visits)}
    return {
        "began": account.path_began,
        "until": account.until,
        "took": account.took,
        "pauses": [{"begin": pause.begin, "end": pause.end} for pause in account.pauses],
        "total": len(rows),
        "rows": [_row(row, account, own) for row in rows[begin : begin + limit]],
    }


def _row(row: TimelineRow, account: Account, own: set[int]) -> dict[str, Any]:
    visit = row.visit
    return {
        "depth": row.depth,
        "title": row.title if visit is None else visit.name,
        "state": None if visit is None else visit.name,
        "entry": visit.seq if visit is not None and id(visit) in own else None,
        "type": None if visit is None else visit.type,
        "standing": row.standing,
        "begin": row.begin,
        "end": row.end,
        "took": account.between(row.begin, row.end),
        "note": row.note or None,
        "attempts": 0 if visit is None else len(visit.attempts),
        "bars": [bar._asdict() for bar in row.bars],
    }


async def events(asked: Asked) -> dict[str, Any]:
    """A window of the history."""
    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    begin, limit = asked.number("from", 1, 1), asked.number("limit", 200, 1, MAX_EVENTS)
    total = len(past.seqs)
    if asked.optional("reverse") == "1":
        numbers: Iterable[int] = range(total - begin + 1, max(0, total - begin + 1 - limit), -1)
    else:
        numbers = range(begin, min(begin + limit, total + 1))
    return {"total": total, "events": [event_shown(past, number) for number in numbers if number >= 1]}
