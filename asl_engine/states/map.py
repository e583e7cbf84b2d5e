"""Map: the same states for each item of an array.  Specification: "Map State".

Inline processing: the iterations are part of the execution and of its history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from asl_engine.events import MapIterationStarted, MapStateFailed, MapStateStarted, MapStateSucceeded
from asl_engine.fields import ANY, NULLABLE_PATH, OBJECT, TEXT, integer
from asl_engine.jsontypes import Json, Payload, dumps
from asl_engine.states.dataflow import DataFlow, compile_data_flow, select
from asl_engine.states.forking import fork_of, joined
from asl_engine.states.recovery import RECOVERY_FIELDS, Recovery, catch, compile_recovery, retry
from asl_engine.states.state import (
    ASSIGN_FIELDS,
    COMMON_FIELDS,
    INPUT_OUTPUT_FIELDS,
    TRANSITION_FIELDS,
    State,
    StateType,
)

if TYPE_CHECKING:
    from asl_engine.expressions.jsonpath import Path
    from asl_engine.expressions.template import Template
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.turn import Turn

__all__ = ["TYPE", "Map"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **ASSIGN_FIELDS,
    **RECOVERY_FIELDS,
    "ItemProcessor": OBJECT,
    "Iterator": OBJECT,
    "ItemsPath": TEXT,
    "ItemSelector": ANY,
    "Parameters": ANY,
    "MaxConcurrency": integer(0),
    "MaxConcurrencyPath": TEXT,
    "ResultSelector": ANY,
    "ResultPath": NULLABLE_PATH,
}
# Inline, a MaxConcurrency of 0 means as many as the service runs at once (AWS documentation, "Inline mode").
INLINE_CONCURRENCY = 40


@dataclass(eq=False, repr=False)
class Map(State):
    """``start_at`` is the first state of the item processor."""

    type: ClassVar[str] = "Map"

    flow: DataFlow
    recovery: Recovery
    items_path: Path | None
    item_selector: Template | None
    max_concurrency: int
    max_concurrency_path: Path | None
    start_at: str

    def enter(self, turn: Turn) -> None:
        given = self.flow.input(turn)
        items = select(turn, self.items_path, given)
        if not isinstance(items.value, list):
            path = "$" if self.items_path is None else self.items_path.text
            raise turn.failure(f'Reference path "{path}" must point to array.')
        concurrency = self._concurrency(turn, given.value) or INLINE_CONCURRENCY
        turn.emit(MapStateStarted, len(items.value), items, concurrency)

    def _concurrency(self, turn: Turn, data: Json) -> int:
        path = self.max_concurrency_path
        if path is None:
            return self.max_concurrency
        value = path.get(turn.scope(data))
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            shown = value if isinstance(value, str) else dumps(value)
            raise turn.failure(
                f'The MaxConcurrencyPath field refers to value "{shown}" which is not a valid integer: {path.text}'
            )
        return value

    def fork(self, turn: Turn) -> None:
        fork = fork_of(turn)
        assert fork.items is not None  # noqa: S101  the fork of a Map
        items: Any = fork.items.value
        data = None if self.item_selector is None else self.flow.input(turn).value
        while fork.started < len(items) and len(fork.children) < fork.concurrency:
            index = fork.started
            value = items[index]
            if self.item_selector is not None:
                value = self.item_selector.evaluate(turn.item_scope(data, index, value))
            fields = (self.name, index, self.start_at, turn.within_limit(Payload(value)))
            turn.emit(MapIterationStarted, *fields, previous=fork.chain)
            turn.ready.append(fork.children[index])

    def succeeded(self, turn: Turn) -> None:
        turn.emit(MapStateSucceeded)
        self.flow.exit(turn, joined(turn), self.next)

    def failed(self, turn: Turn, error: str | None, cause: str | None) -> None:
        if retry(turn, self.recovery, error):
            return
        if turn.frame.fork is not None:
            turn.emit(MapStateFailed)
        if not catch(turn, self.recovery, error, cause):
            turn.fail(error, cause)


def compile_map(compiling: Compiling) -> Map:
    source = compiling.source
    compiling.only_one_of("MaxConcurrency", "MaxConcurrencyPath")
    selector = compiling.only_one_of("ItemSelector", "Parameters")
    processor = compiling.only_one_of("ItemProcessor", "Iterator")
    if processor is None:
        compiling.report("", "The field 'ItemProcessor' is required but was missing")
    return Map(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling)._replace(parameters=None),
        recovery=compile_recovery(compiling),
        items_path=compiling.path("ItemsPath", "$"),
        item_selector=None if selector is None else compiling.template(selector),
        max_concurrency=source.get("MaxConcurrency", 0),
        max_concurrency_path=compiling.path("MaxConcurrencyPath"),
        start_at="" if processor is None else compiling.inner_states(processor, source[processor]),
    )


TYPE = StateType(FIELDS, compile_map)
