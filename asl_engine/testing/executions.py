"""The executions of a run: itself, the children of its Map Runs, and those that its tasks have started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.arn import unlabelled
from asl_engine.core.events import MapRunStarted
from asl_engine.testing.observers import ObservedDefinition, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record

__all__ = ["ALL", "ExecutionLog", "tell_of_run", "with_children"]

ALL: Final = 1_000_000_000  # for limits that are to let everything through
PAGE: Final = 1000


class ExecutionLog(NamedTuple):
    """An execution as it is read: who it is, the text of its definition, its events.

    ``stopped_at`` is in milliseconds since the epoch, None while it runs.
    """

    identity: Identity
    definition: str
    events: Sequence[Event]
    stopped_at: int | None


async def with_children(store: Store, record: Record) -> AsyncIterator[tuple[Record, list[Event]]]:
    """An execution, the children of its Map Runs, theirs, and so on; each with its events."""
    waiting = [record]
    while waiting:
        one = waiting.pop()
        events = await store.events(one.identity.arn)
        yield one, events
        for run in [event.arn for event in events if isinstance(event, MapRunStarted)]:
            after = None
            while page := await store.map_runs.child_page(run, None, after, PAGE):
                waiting += [child for child, _, _ in page]
                after = page[-1][0].place


async def tell_of_run(store: Store, arn: str) -> None:
    """Tell the observers of the execution with this ARN, and of all that it has brought about."""
    test = os.environ.get("PYTEST_CURRENT_TEST")  # the node id, and the phase in parentheses
    started = [record for record in await store.executions(limit=ALL) if record.options.started_by is not None]
    waiting = [await store.record(arn)]
    while waiting:
        top = waiting.pop()
        assert top is not None  # noqa: S101  it has just been run
        async for record, events in with_children(store, top):
            begins = f"{record.identity.arn}:"  # the keys of its tasks
            waiting += [one for one in started if str(one.options.started_by).startswith(begins)]
            text = await store.definition(record.definition)
            tell(_definition(record, text), events, None if test is None else test.rpartition(" (")[0])


def _definition(record: Record, text: str) -> ObservedDefinition:
    path = record.options.definition
    name = unlabelled(record.identity.machine_name)[0]
    return ObservedDefinition(name, None if path == Path() else path, text, record.identity)
