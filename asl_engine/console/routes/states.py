"""The states of an execution: each time that one was entered, its data at every stage, attempts, iterations."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asl_engine.console.pasts import at_leisure
from asl_engine.console.payloads import shown, shown_value, whole
from asl_engine.console.refusals import ConsoleError
from asl_engine.console.shown import traceback_of
from asl_engine.core import events as ev
from asl_engine.engine.state_tests import datasets_of
from asl_engine.inspection.recorded import FIELDS, recorded_stages
from asl_engine.json_text import loads
from asl_engine.lab.forking import state_entries
from asl_engine.language.tree import all_states
from asl_engine.payload import Payload
from asl_engine.projections.causes import readable_cause
from asl_engine.views.account import standing
from asl_engine.views.rows import called, mark_text
from asl_engine.visits.reading import own_visits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.console.asked import Asked
    from asl_engine.console.pasts import Past
    from asl_engine.core.machine import StateMachine
    from asl_engine.lab.forking import StateEntry
    from asl_engine.language.tree import StateSource
    from asl_engine.views.account import Account
    from asl_engine.visits.reading import Attempt, Lane, Visit

__all__ = ["entries", "iterations", "payload", "state", "states"]

MAX_ENTRIES: Final = 500
MAX_INNER: Final = 20  # states of one iteration
LETTERS: Final = {"SUCCEEDED": "S", "FAILED": "F", "ABORTED": "A", "RUNNING": "R", "TIMED_OUT": "T"}


async def states(asked: Asked) -> dict[str, Any]:
    """Each state that was entered."""
    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    account = await asked.desk.pasts.account(past)
    visits: dict[str, list[Visit]] = {}
    for visit in own_visits(account.visits):
        visits.setdefault(visit.name, []).append(visit)
    return {
        "states": [
            {
                "name": name,
                "type": found[-1].type,
                "standing": standing(found[-1], is_over=account.is_over),
                "text": mark_text(found, account),
                "visits": len(found),
                "last": found[-1].seq,
            }
            for name, found in visits.items()
        ]
    }


async def entries(asked: Asked) -> dict[str, Any]:
    """Each time that a state was entered."""
    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    name = asked.text("state")
    begin, limit = asked.number("from", 0), asked.number("limit", 200, 1, MAX_ENTRIES)
    account = await asked.desk.pasts.account(past)
    found = await at_leisure(partial(_entries, past, name), len(past.events))
    visits = {visit.seq: visit for visit in own_visits(account.visits) if visit.name == name}
    window = [*enumerate(found, 1)][begin : begin + limit]
    return {
        "total": len(found),
        "entries": [_entry(number, one, visits[one.event.seq], account) for number, one in window],
    }


def _entries(past: Past, name: str) -> list[StateEntry]:
    return [entry for entry in state_entries(past.events) if entry.event.name == name]


def _entry(number: int, entry: StateEntry, visit: Visit, account: Account) -> dict[str, Any]:
    failure = visit.failure
    return {
        "entry": visit.seq,
        "visit": number,
        "iterations": [*entry.iterations],
        "branches": [*entry.branches],
        "standing": standing(visit, is_over=account.is_over),
        "entered": visit.entered,
        "took": account.between(visit.entered, visit.ended),
        "error": visit.caught or (None if failure is None else failure.error),
    }


async def state(asked: Asked) -> dict[str, Any]:
    """One time that a state was entered."""
    pasts = asked.desk.pasts
    past = await pasts.of(asked.api, asked.text("arn"))
    account, machine = await pasts.account(past), await pasts.machine(past)
    event = _wanted(asked, past)
    return await at_leisure(partial(_state, past, [*past.events], account, machine, event), len(past.events))


def _wanted(asked: Asked, past: Past) -> ev.StateEntered:
    """The entry that is asked for, or the last one of a state.  Raises ``ConsoleError``."""
    name = asked.optional("state")
    if asked.optional("entry") is None and name is None:
        raise ConsoleError(400, "InvalidRequest", "The parameter entry or state is missing")
    seqs = past.entered.get(name or "", [0])
    number = asked.number("entry", seqs[-1])
    event = past.entry(number)
    if event is None:
        raise ConsoleError(404, "NoSuchEntry", f"No state was entered with the event {number or name}")
    return event


def _unchanged(given: Payload, made: dict[str, Payload], gave: Payload | None, language: str) -> dict[str, str]:
    """Of the stages that have the same data as the one before: which field has left it unchanged."""
    field = "Output" if language == "JSONata" else "OutputPath"
    notes = {name: f"unchanged by {FIELDS[name]}" for name in made} | {"result": "same as what went in"}
    notes["output"] = f"unchanged by {field}" if made else "same as the input"
    told, before = {}, given
    for name, one in [*made.items(), *([] if gave is None else [("output", gave)])]:
        if one.text == before.text:
            told[name] = notes[name]
        before = one
    return told


def _source(machine: StateMachine, name: str) -> StateSource | None:
    return next((one for one in all_states(loads(machine.text)) if one.name == name), None)


def _state(
    past: Past, events: Sequence[ev.Event], account: Account, machine: StateMachine, event: ev.StateEntered
) -> dict[str, Any]:
    arn = past.record.identity.arn
    source = _source(machine, event.name)
    language = "JSONPath" if source is None else source.language
    visit = next(visit for visit in own_visits(account.visits) if visit.seq == event.seq)
    all_of_state = [entry for entry in state_entries(events) if entry.event.name == event.name]
    number = next(at for at, entry in enumerate(all_of_state, 1) if entry.event.seq == event.seq)
    made = _made(past, events, machine, language, event.seq)
    exited = next((one for one in _of_frame(events, event) if isinstance(one, ev.StateExited)), None)
    assigned = None if exited is None else exited.assigned
    return {
        "name": event.name,
        "type": event.type,
        **_entry(number, all_of_state[number - 1], visit, account),
        "visits": len(all_of_state),
        "ended": visit.ended,
        "due": visit.due,
        "language": language,
        "input": shown(event.input, arn=arn, event=event.seq, field="input"),
        "output": None if exited is None else shown(exited.output, arn=arn, event=exited.seq, field="output"),
        "stages": [
            {"name": name, "field": FIELDS[name], "payload": shown(one, arn=arn, entry=event.seq, field=name)}
            for name, one in made.items()
        ],
        "same": _unchanged(event.input, made, None if exited is None else exited.output, language),
        "attempts": _attempts(arn, visit, account, _of_frame(events, event)),
        "variables": shown_value(visit.variables, arn=arn, entry=event.seq, field="variables"),
        "assigned": shown(assigned, arn=arn, event=0 if exited is None else exited.seq, field="assigned"),
        "next": visit.next,
        "caught": visit.caught,
        "failure": None if visit.failure is None else _failure(visit.failure),
        "definition": None if source is None else _text(source.source),
        "lanes": _lanes(visit, events),
        "mapRun": visit.map_run,
    }


def _text(source: Any) -> str:
    return json.dumps(source, indent=2, ensure_ascii=False)


def _made(
    past: Past, events: Sequence[ev.Event], machine: StateMachine, language: str, entry: int
) -> dict[str, Payload]:
    return recorded_stages(machine, language, past.record.identity, events, entry, datasets=datasets_of(None))


def _of_frame(events: Sequence[ev.Event], entered: ev.StateEntered) -> list[ev.Event]:
    """The events of a state's own frame from its entry up to its exit, or to the next entry."""
    found: list[ev.Event] = []
    for event in events[entered.seq :]:
        if event.frame == entered.frame:
            if isinstance(event, ev.StateEntered):
                break
            found.append(event)
            if isinstance(event, ev.StateExited):
                break
    return found


def _failure(attempt: Attempt) -> dict[str, Any]:
    return {
        "error": attempt.error,
        "cause": readable_cause(attempt.cause),
        "traceback": traceback_of(attempt.cause),
    }


def _attempts(arn: str, visit: Visit, account: Account, events: Sequence[ev.Event]) -> list[dict[str, Any]]:
    scheduled = [event for event in events if isinstance(event, ev.TaskScheduled)]
    results = {event.task: event for event in events if isinstance(event, ev.TaskSucceeded)}
    calls = iter(scheduled)
    shown_attempts = []
    for number, attempt in enumerate(visit.attempts, 1):
        call = next(calls, None) if attempt.calls else None
        result = None if call is None else results.get(call.seq)
        shown_attempts.append(
            {
                "number": number,
                "resource": attempt.resource,
                "called": called(attempt) or None,
                "scheduled": attempt.scheduled,
                "started": attempt.started,
                "submitted": attempt.submitted,
                "ended": attempt.ended,
                "took": account.between(attempt.scheduled, attempt.ended),
                "delay": attempt.delay,
                "parameters": None
                if call is None
                else shown(call.parameters, arn=arn, event=call.seq, field="parameters"),
                "result": None
                if result is None
                else shown(result.output, arn=arn, event=result.seq, field="output"),
                "failed": attempt.failed,
                **_failure(attempt),
            }
        )
    return shown_attempts


def _lanes(visit: Visit, events: Sequence[ev.Event]) -> dict[str, Any] | None:
    if visit.map_run is not None:
        return {"kind": "child", "total": len(visit.lanes) + sum(visit.unread.values())}
    total = _length(visit, events)
    return (
        None if total is None else {"kind": "branch" if visit.type == "Parallel" else "iteration", "total": total}
    )


def _length(visit: Visit, events: Sequence[ev.Event]) -> int | None:
    """How many branches or iterations the last attempt has, None for a state without any."""
    entered = events[visit.seq - 1]
    assert isinstance(entered, ev.StateEntered)  # noqa: S101  a visit begins so
    found = None
    for event in _of_frame(events, entered):
        if isinstance(event, ev.MapStateStarted | ev.ParallelStateStarted):
            found = event.length
    return found


async def iterations(asked: Asked) -> dict[str, Any]:
    """The iterations of a Map or the branches of a Parallel: those of the last attempt."""
    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    begin, limit = asked.number("from", 0), asked.number("limit", 200, 1, MAX_ENTRIES)
    account = await asked.desk.pasts.account(past)
    event = _wanted(asked, past)
    visit = next(visit for visit in own_visits(account.visits) if visit.seq == event.seq)
    total = await at_leisure(partial(_length, visit, past.events), len(past.events))
    if total is None:
        raise ConsoleError(404, "NoIterations", f"{event.name} has neither iterations nor branches of its own")
    lanes = {lane.number: lane for lane in visit.lanes}
    counts: dict[str, int] = {}
    for lane in lanes.values():
        counts[lane.status] = counts.get(lane.status, 0) + 1
    numbers = range(begin, min(begin + limit, total))
    return {
        "kind": "branch" if visit.type == "Parallel" else "iteration",
        "total": total,
        "statuses": "".join(LETTERS[lanes[at].status] if at in lanes else "." for at in range(total)),
        "counts": counts,
        "items": [_lane(number, lanes.get(number), account) for number in numbers],
    }


def _lane(number: int, lane: Lane | None, account: Account) -> dict[str, Any]:
    if lane is None:
        return {"number": number, "status": None, "entries": []}
    failures = [visit.failure for visit in lane.visits if visit.failure is not None]
    return {
        "number": number,
        "status": lane.status,
        "startedAt": lane.started,
        "endedAt": lane.ended,
        "took": account.between(lane.started, lane.ended),
        "error": lane.error or (failures[-1].error if failures else None),
        "entries": [
            {"state": visit.name, "entry": visit.seq, "standing": standing(visit, is_over=account.is_over)}
            for visit in lane.visits[:MAX_INNER]
        ],
    }


async def payload(asked: Asked) -> dict[str, Any]:
    """A payload of an event, a stage of a state, or the input or the output of the execution."""
    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    field = asked.text("field")
    if asked.optional("entry") is not None:
        return whole(await _stage_text(asked, past, asked.number("entry", 0), field))
    number = asked.optional_number("event")
    if number is None:
        account = await asked.desk.pasts.account(past)
        found: Any = {"input": account.execution.input, "output": account.execution.output}.get(field)
    else:
        event = past.events[number - 1] if 1 <= number <= past.last else None
        found = getattr(event, field, None)
    text = getattr(found, "text", None)
    if not isinstance(text, str):
        raise ConsoleError(404, "NoSuchPayload", f"There is no {field[:40]} of that event")
    return whole(text)


async def _stage_text(asked: Asked, past: Past, entry: int, name: str) -> str:
    """The whole of a stage.  Raises ``ConsoleError`` where there is none."""
    event = past.entry(entry)
    if event is None:
        raise ConsoleError(404, "NoSuchEntry", f"No state was entered with the event {entry}")
    machine = await asked.desk.pasts.machine(past)
    if name == "variables":
        account = await asked.desk.pasts.account(past)
        visit = next(visit for visit in own_visits(account.visits) if visit.seq == entry)
        return Payload(visit.variables).text
    source = _source(machine, event.name)
    language = "JSONPath" if source is None else source.language
    made = await at_leisure(partial(_made, past, [*past.events], machine, language, entry), len(past.events))
    if name not in made:
        raise ConsoleError(404, "NoSuchPayload", f"There is no {name[:40]} of that state")
    return made[name].text
