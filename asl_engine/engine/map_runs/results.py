"""The children of a Map Run as its results have them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.core.apply import fold
from asl_engine.core.events import ExecutionStarted
from asl_engine.json_text import dumps
from asl_engine.states.item_flow import Writing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution
    from asl_engine.datasets import ChildExecution
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import MapRunChild

    Page: TypeAlias = tuple[int, list[ChildExecution]]
    Insist: TypeAlias = Callable[[Callable[[], Awaitable[Page]]], Coroutine[None, None, Page]]

__all__ = ["ended_children", "failed_result", "folded_children", "in_short"]

PAGE = 200
COMPACT = Writing(None, "", "COMPACT", "JSON")  # what AWS does without a ResultWriter


def failed_result(child: Execution) -> str:
    """The JSON text that stands for a child without an output among the results."""
    from asl_engine.datasets import collect_results

    (result,) = _list(collect_results([result_of(child)], COMPACT))
    return dumps(result)


def _list(value: Any) -> list[Any]:
    return list(value)


def result_of(child: Execution) -> ChildExecution:
    from asl_engine.datasets import ChildExecution

    who = child.identity
    return ChildExecution(
        status=child.status,
        input="null" if child.input is None else child.input.text,
        arn=who.arn,
        machine_arn=who.machine_arn,
        name=who.name,
        started=who.started_at,
        stopped=child.stopped_at,
        output=None if child.output is None else child.output.text,
        error=child.error,
        cause=child.cause,
        redrive_count=child.redrive_count,
    )


def ended_children(
    store: Store, map_run: str, loop: asyncio.AbstractEventLoop, insist: Insist
) -> Iterator[ChildExecution]:
    """In the order of their numbers, for a thread: a page at a time is read on the loop, which waits for it."""
    after = -1
    while True:
        page = insist(partial(_page, store, map_run, after))
        after, found = asyncio.run_coroutine_threadsafe(page, loop).result()
        if not found:
            return
        yield from found


async def _page(store: Store, map_run: str, after: int) -> Page:
    children = await store.map_runs.children(map_run, after, PAGE)
    if children:
        after = children[-1].number
    return after, [result_of(child) for child in await folded_children(store, children)]


async def folded_children(store: Store, children: Sequence[MapRunChild]) -> list[Execution]:
    """The executions of some children of a Map Run, in the same order."""
    arns = [child.arn for child in children]
    identities = {record.identity.arn: record.identity for record in await store.records(arns)}
    logs = await store.logs(arns)
    return [fold(identities[arn], logs[arn] if arn in logs else await store.events(arn)) for arn in arns]


def in_short(events: list[Event]) -> list[Event]:
    """The log of an Express child that ended as soon as it began: what it was given, and how it ended.

    AWS keeps no history of Express executions either.
    """
    first, last = events[0], events[-1]
    assert isinstance(first, ExecutionStarted)  # noqa: S101  every log begins so
    return [first, last._replace(seq=2, id=2, previous=0)]
