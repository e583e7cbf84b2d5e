"""The tools that look: what there is, how it stands, what it did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal

from asl_engine.agents.replies import MAX_TEXT, ToolFailure, cut, same, step, value_or_cut
from asl_engine.core.apply import fold
from asl_engine.core.redrive import not_redrivable
from asl_engine.engine.clock import SystemClock
from asl_engine.errors import DefinitionError
from asl_engine.json_text import dumps, loads
from asl_engine.lab.whereabouts import where_failed
from asl_engine.language.document import check_source
from asl_engine.projections.descriptions import describe_execution, history_event, list_item
from asl_engine.projections.history import project as project_history
from asl_engine.projections.moments import iso
from asl_engine.views.account import FEW_CHILDREN, MANY_CHILDREN, read_account
from asl_engine.views.tree import tree

if TYPE_CHECKING:
    from asl_engine.agents.home import AgentProject
    from asl_engine.core import events as ev
    from asl_engine.core.execution import Execution
    from asl_engine.store.records import Record

__all__ = ["LookingTools", "brief"]

WINDOW: Final = 50
MAX_WINDOW: Final = 500
MAX_LISTED: Final = 200
PIECE: Final = 20_000  # characters of one window of a payload
FIELDS: Final = ("input", "parameters", "output", "cause")
STATUSES: Final = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class LookingTools:
    """Nothing of them changes anything."""

    def __init__(self, home: AgentProject) -> None:
        self._home = home

    def list(
        self,
        what: Literal["executions", "definitions"] = "executions",
        machine: str | None = None,
        status: str | None = None,
        limit: int = 20,
    ) -> dict[str, Any]:
        """List past executions, newest first (of one state machine or status), or the project's definitions."""
        if what == "definitions":
            found = self._home.definitions()
            hint = step("validate", "see whether it is sound", definition=found[0]) if found else None
            return {"definitions": found, "root": str(self._home.root), **({"next": hint} if hint else {})}
        if status is not None and status not in STATUSES:
            raise ToolFailure(f"status {status!r}: it is one of {', '.join(STATUSES)}", exists=[*STATUSES])
        return asyncio.run(self._executions(machine, status, max(1, min(limit, MAX_LISTED))))

    async def _executions(self, machine: str | None, status: Any, limit: int) -> dict[str, Any]:
        async with self._home.store() as store:
            records = await store.executions(machine, status, limit)
            others = [] if records else await store.executions(None, None, MAX_LISTED)
        shown = [list_item(record, iso) for record in records]
        if not shown:
            machines = sorted({one.identity.machine_name for one in others})
            return {"executions": [], "stateMachines": machines}
        failed = next((one.identity.name for one in records if one.status == "FAILED"), None)
        chosen = failed or records[0].identity.name
        return {"executions": shown, "next": step("history", "see what it did", execution=chosen)}

    def show(
        self,
        execution: str,
        part: Literal["input", "output", "cause", "definition"] | None = None,
        event: int | None = None,
        offset: int = 0,
    ) -> dict[str, Any]:
        """Show one execution: status, input, output, error, where it failed or stands.

        part, or the id of a history event: the whole text of that data, in windows from offset on.
        """
        return asyncio.run(self._show(execution, part, event, max(0, offset)))

    async def _show(self, execution: str, part: str | None, event: int | None, offset: int) -> dict[str, Any]:
        async with self._home.store() as store:
            record = await self._home.find(store, execution)
            events = await store.events(record.identity.arn)
            definition = await store.definition(record.definition)
        name = record.identity.name
        if event is not None:
            return _window(_text_of_event(record, events, event), offset, execution=name, event=event)
        found = fold(record.identity, events)
        if part is not None:
            texts: dict[str, Any] = {
                "input": found.input and found.input.text,
                "output": found.output and found.output.text,
                "cause": found.cause,
                "definition": definition,
            }
            text = texts[part]
            if not isinstance(text, str):
                raise ToolFailure(f"{name} has no {part}", exists=[key for key, one in texts.items() if one])
            return _window(text, offset, execution=name, part=part)
        return _described(record, found, events)

    def history(
        self,
        execution: str,
        view: Literal["tree", "events"] = "tree",
        after: int = 0,
        limit: int = WINDOW,
        data: bool = False,
    ) -> dict[str, Any]:
        """What an execution did: a tree of states, or the events of GetExecutionHistory with ids above after.

        data: with view="events", inputs and outputs too, each cut where it is long.
        """
        most = max(1, min(limit, MAX_WINDOW))
        return asyncio.run(self._history(execution, view, max(0, after), most, data=data))

    async def _history(self, execution: str, view: str, after: int, limit: int, *, data: bool) -> dict[str, Any]:
        async with self._home.store() as store:
            record = await self._home.find(store, execution)
            name = record.identity.name
            if view == "tree":
                account = await read_account(store, record, SystemClock().now(), FEW_CHILDREN)
                lines = ["".join(piece.text for piece in row).rstrip() for row in tree(account)]
                return _window_of_lines(lines, after, limit, name) | {"status": record.status}
            events = await store.events(record.identity.arn)
        shown = [*project_history(record.identity, events)]
        page = [one for one in shown if one["id"] > after][:limit]
        answer: dict[str, Any] = {
            "execution": name,
            "events": [_event(history_event(one, iso, data=data), name) for one in page],
            "total": len(shown),
        }
        if page and page[-1]["id"] < shown[-1]["id"]:
            answer["next"] = step(
                "history", "the next window", execution=name, view="events", after=page[-1]["id"], limit=limit
            )
        elif page:
            answer["next"] = step("show", "the data of one event", execution=name, event=page[-1]["id"])
        return answer

    def graph(
        self, definition: str | dict[str, Any] | None = None, execution: str | None = None
    ) -> dict[str, Any]:
        """Draw a definition as Mermaid text, or an execution with the path that it took."""
        from asl_engine.graph.mermaid import mermaid
        from asl_engine.graph.model import graph_of

        if (definition is None) == (execution is None):
            raise ToolFailure("give a definition to draw, or an execution")
        if execution is not None:
            return asyncio.run(self._graph(execution))
        assert definition is not None  # noqa: S101  checked above
        source = self._home.read(definition).source
        machine, findings = check_source(source, unfilled="WARNING")
        if machine is None:
            raise DefinitionError([one for one in findings if one.severity == "ERROR"], source.name)
        hint = step("run", "see what path it takes", definition=same(definition))
        return {"mermaid": mermaid(graph_of(loads(machine.text))), "next": hint}

    async def _graph(self, execution: str) -> dict[str, Any]:
        from asl_engine.graph.mermaid import mermaid
        from asl_engine.views.marks import execution_graph, execution_overlay, recorded_machine

        async with self._home.store() as store:
            record = await self._home.find(store, execution)
            account = await read_account(store, record, SystemClock().now(), MANY_CHILDREN)
        machine = recorded_machine(account)
        graph = execution_graph(account, machine)
        text = mermaid(graph, execution_overlay(account, graph, machine))
        hint = step("history", "see it state by state", execution=record.identity.name)
        return {"mermaid": text, "status": record.status, "next": hint}


async def brief(home: AgentProject, arn: str) -> dict[str, Any]:
    """How an execution that was just run has come out, with its tree."""
    async with home.store() as store:
        record = await home.find(store, arn)
        account = await read_account(store, record, SystemClock().now(), FEW_CHILDREN)
    shown = _described(record, account.execution, account.logs[0].events)
    lines = ["".join(piece.text for piece in row).rstrip() for row in tree(account)]
    rest = step("history", "the rest of the tree", execution=record.identity.name, after=WINDOW)
    return {
        "execution": record.identity.name,
        **{key: shown[key] for key in ("status", "output", "error", "cause", "failedIn") if key in shown},
        "tree": lines if len(lines) <= WINDOW else [*lines[:WINDOW], {"rest": rest}],
        "next": shown["next"],
    }


def _described(record: Record, found: Execution, events: list[ev.Event]) -> dict[str, Any]:
    name = record.identity.name
    reason = not_redrivable(found, SystemClock().now(), record.options.limits)
    shown = describe_execution(found, iso, reason)
    for member in ("inputDetails", "outputDetails"):
        shown.pop(member, None)
    for member in ("input", "output"):
        if member in shown:
            rest = step("show", "the rest", execution=name, part=member, offset=MAX_TEXT)
            shown[member] = value_or_cut(shown[member], rest)
    if "cause" in shown:
        rest = step("show", "the rest", execution=name, part="cause", offset=MAX_TEXT)
        shown["cause"] = cut(shown["cause"], rest)
    shown["historyLength"] = found.history_length
    place = where_failed(events)
    if place is not None:
        shown["failedIn"] = place.state
    if record.status == "RUNNING":
        shown["standsAt"] = [frame.state for frame in found.frames.values() if frame.state]
    return shown | {"next": _after(record, place.state if place is not None else None)}


def _after(record: Record, place: str | None) -> dict[str, Any]:
    name = record.identity.name
    if record.status == "SUCCEEDED":
        return step("cost", "see what it would cost on AWS, and which quotas it heads for", execution=name)
    if place is not None:
        return step(
            "fork", "try it again from there, with mocks, another input or definition", execution=name, at=place
        )
    return step("history", "see what it did", execution=name)


def _text_of_event(record: Record, events: list[ev.Event], number: int) -> str:
    shown = [*project_history(record.identity, events)]
    for one in shown:
        if one["id"] == number:
            details: dict[str, Any] = next(
                (value for key, value in one.items() if key.endswith("EventDetails")), {}
            )
            found = next((details[field] for field in FIELDS if field in details), None)
            return dumps(details) if found is None else str(found)
    raise ToolFailure(f"event {number}: the history of {record.identity.name} has the events 1 to {len(shown)}")


def _window(text: str, offset: int, **asked: Any) -> dict[str, Any]:
    """A piece of a text, and the step to the next one."""
    piece = text[offset : offset + PIECE]
    end = offset + len(piece)
    answer: dict[str, Any] = {**asked, "text": piece, "offset": offset, "characters": len(text)}
    if end < len(text):
        answer["next"] = step("show", "the next window", **asked, offset=end)
    return answer


def _window_of_lines(lines: list[str], after: int, limit: int, name: str) -> dict[str, Any]:
    page = lines[after : after + limit]
    answer: dict[str, Any] = {"execution": name, "tree": page, "lines": len(lines)}
    if after + limit < len(lines):
        answer["next"] = step("history", "the next lines", execution=name, after=after + limit, limit=limit)
    else:
        answer["next"] = step("history", "the events with their data", execution=name, view="events", data=True)
    return answer


def _event(event: dict[str, Any], name: str) -> dict[str, Any]:
    """An event without what says nothing; its details are beside its type."""
    shown = {
        "id": event["id"],
        "previous": event["previousEventId"],
        "at": event["timestamp"],
        "type": event["type"],
    }
    details: dict[str, Any] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    for key, value in details.items():
        if key.endswith("Details"):
            continue
        rest = step("show", "all of it", execution=name, event=event["id"])
        shown[key] = cut(value, rest, 300) if isinstance(value, str) else value
    return shown
