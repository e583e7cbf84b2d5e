"""An execution read for the lab: its events, and the calls of its tasks, those of its Map Runs' children too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import is_express
from asl_engine.core import events as ev
from asl_engine.core.apply import fold
from asl_engine.costing.transitions import transitions_in
from asl_engine.testing.recordings import RecordedCall, calls_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asl_engine.core.execution import Execution
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record

__all__ = ["Recalled", "recall"]

CHILDREN = 1000


class Recalled(NamedTuple):
    """An execution as its log has it.

    ``transitions`` are those that AWS charges for, of the Standard children of its Map Runs too.
    """

    record: Record
    execution: Execution
    events: Sequence[ev.Event]
    calls: list[RecordedCall]
    transitions: int

    @property
    def input(self) -> Any:
        return None if self.execution.input is None else self.execution.input.value

    @property
    def output(self) -> Any:
        """None unless it succeeded."""
        return None if self.execution.output is None else self.execution.output.value

    @property
    def edited(self) -> bool:
        """Whether it is a fork that was given other data, so that its input does not lead to what it did."""
        return any(isinstance(event, ev.InputReplaced | ev.VariablesReplaced) for event in self.events)


async def recall(store: Store, record: Record) -> Recalled:
    """Read an execution.  What Express children of a Map Run did in between is not kept, and missing."""
    events = await store.events(record.identity.arn)
    calls = calls_in(events)
    transitions = transitions_in(events).total
    for event in events:
        if isinstance(event, ev.MapRunStarted):
            async for child in _children(store, event.arn):
                calls += calls_in(child.events)
                transitions += transitions_in(child.events).total if child.is_standard else 0
    return Recalled(record, fold(record.identity, events), events, calls, transitions)


class _Child(NamedTuple):
    events: Sequence[ev.Event]
    is_standard: bool


async def _children(store: Store, map_run: str) -> AsyncIterator[_Child]:
    after = -1
    while page := await store.map_runs.children(map_run, after, CHILDREN):
        for child in page:
            yield _Child(await store.events(child.arn), not is_express(child.arn))
        after = page[-1].number
