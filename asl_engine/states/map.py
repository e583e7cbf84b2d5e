"""Map: the same states for each item of an array.  Specification: "Map State".

Inline processing: the iterations are part of the execution and of its history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from asl_engine.errors import QueryFailure
from asl_engine.events import MapIterationStarted, MapStateFailed, MapStateStarted, MapStateSucceeded
from asl_engine.fields import ANY, ARRAY, COMPUTED, NULLABLE_PATH, OBJECT, TEXT, integer, required
from asl_engine.jsontypes import Json, Payload, dumps
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.forking import fork_of, joined
from asl_engine.states.jsonpath_flow import evaluate_path, select
from asl_engine.states.recovery import Recovery, recover
from asl_engine.states.recovery_fields import RECOVERY_FIELDS, compile_recovery
from asl_engine.states.state import (
    ASSIGN_FIELDS,
    COMMON_FIELDS,
    INPUT_OUTPUT_FIELDS,
    OUTPUT_FIELDS,
    TRANSITION_FIELDS,
    State,
    StateType,
)

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata import JsonataTemplate
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
JSONATA_FIELDS = {
    **COMMON_FIELDS,
    **OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **RECOVERY_FIELDS,
    "ItemProcessor": required(OBJECT),
    "Items": COMPUTED,
    "ItemSelector": ANY,
    "MaxConcurrency": COMPUTED,
}
# Inline, a MaxConcurrency of 0 means as many as the service runs at once (AWS documentation, "Inline mode").
INLINE_CONCURRENCY = 40


class PathItems(NamedTuple):
    """How a JSONPath state says what its iterations are for, and how many run at once."""

    items_path: Path | None
    selector: Template | None
    concurrency_literal: int
    concurrency_path: Path | None

    def items(self, turn: Turn, given: Payload) -> Payload:
        items = select(turn, self.items_path, given)
        if not isinstance(items.value, list):
            # AWS shows a path into the context object as one into the data.
            path = "$" if self.items_path is None else self.items_path.text.replace("$$", "$", 1)
            raise turn.failure(f'Reference path "{path}" must point to array.')
        return items

    def concurrency(self, turn: Turn, given: Payload) -> int:
        path = self.concurrency_path
        if path is None:
            return self.concurrency_literal
        value = evaluate_path(turn, path, given.value)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            shown = value if isinstance(value, str) else dumps(value)
            raise turn.failure(
                f'The MaxConcurrencyPath field refers to value "{shown}" which is not a valid integer: {path.text}'
            )
        return value

    def select_item(self, turn: Turn, given: Payload, index: int, item: Json) -> Json:
        if self.selector is None:
            return item
        return self.selector.evaluate(turn.item_scope(given.value, index, item))


class JsonataItems(NamedTuple):
    """The same of a JSONata state."""

    items_expression: JsonataTemplate | None
    selector: JsonataTemplate | None
    concurrency_literal: int
    concurrency_expression: JsonataTemplate | None

    def items(self, turn: Turn, given: Payload) -> Payload:
        if self.items_expression is not None:
            return Payload(self.items_expression.evaluate(turn.bindings()))
        if not isinstance(given.value, list):
            raise QueryFailure(f"Map state input must be an array but was: {dumps(given.value)}")
        return given

    def concurrency(self, turn: Turn, given: Payload) -> int:
        del given
        if self.concurrency_expression is None:
            return self.concurrency_literal
        value = self.concurrency_expression.evaluate(turn.bindings())
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            detail = f"The MaxConcurrency field must be a non-negative integer, but was {dumps(value)}"
            raise QueryFailure(detail, "MaxConcurrency")
        return value

    def select_item(self, turn: Turn, given: Payload, index: int, item: Json) -> Json:
        del given
        if self.selector is None:
            return item
        return self.selector.evaluate(turn.bindings(item={"Index": index, "Value": item}))


@dataclass(eq=False, repr=False)
class Map(State):
    """``start_at`` is the first state of the item processor."""

    type: ClassVar[str] = "Map"

    flow: DataFlow
    recovery: Recovery
    source: PathItems | JsonataItems
    start_at: str

    def enter(self, turn: Turn) -> None:
        given = self.flow.input(turn)
        items = self.source.items(turn, given)
        concurrency = self.source.concurrency(turn, given) or INLINE_CONCURRENCY
        values: Any = items.value
        turn.emit(MapStateStarted, len(values), items, concurrency)

    def fork(self, turn: Turn) -> None:
        fork = fork_of(turn)
        assert fork.items is not None  # noqa: S101  the fork of a Map
        items: Any = fork.items.value
        given = self.flow.input(turn)
        while fork.started < len(items) and len(fork.children) < fork.concurrency:
            index = fork.started
            value = self.source.select_item(turn, given, index, items[index])
            fields = (self.name, index, self.start_at, turn.within_limit(Payload(value)))
            turn.emit(MapIterationStarted, *fields, previous=fork.chain)
            turn.wake(fork.children[index])

    def succeeded(self, turn: Turn) -> None:
        if not turn.frame.settled:
            turn.emit(MapStateSucceeded)
        self.flow.exit(turn, joined(turn), self.next)

    def failed(self, turn: Turn, error: str | None, cause: str | None) -> None:
        recover(turn, self.recovery, error, cause, shown=MapStateFailed)


def compile_map(compiling: Compiling) -> Map:
    processor = compiling.only_one_of("ItemProcessor", "Iterator")
    if processor is None:
        compiling.report("", "The field 'ItemProcessor' is required but was missing")
    source = compile_jsonata_items(compiling) if compiling.language == "JSONata" else compile_path_items(compiling)
    # Parameters is an old name of ItemSelector here, and no part of the data flow.
    fields = {name: value for name, value in compiling.source.items() if name != "Parameters"}
    return Map(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling.with_source(fields)),
        recovery=compile_recovery(compiling),
        source=source,
        start_at="" if processor is None else compiling.inner_states(processor, compiling.source[processor]),
    )


def compile_path_items(compiling: Compiling) -> PathItems:
    compiling.only_one_of("MaxConcurrency", "MaxConcurrencyPath")
    selector = compiling.only_one_of("ItemSelector", "Parameters")
    return PathItems(
        items_path=compiling.path("ItemsPath", "$"),
        selector=None if selector is None else compiling.template(selector),
        concurrency_literal=compiling.source.get("MaxConcurrency", 0),
        concurrency_path=compiling.path("MaxConcurrencyPath"),
    )


def compile_jsonata_items(compiling: Compiling) -> JsonataItems:
    items, concurrency = compiling.source.get("Items"), compiling.source.get("MaxConcurrency", 0)
    expressed = compiling.is_expression(concurrency)
    if not expressed:
        compiling.check("MaxConcurrency", concurrency, integer(0))
    if not compiling.is_expression(items):
        compiling.check("Items", items, ARRAY)
    return JsonataItems(
        items_expression=compiling.optional_expression("Items", "array"),
        selector=compiling.optional_expression("ItemSelector"),
        concurrency_literal=0 if expressed else concurrency,
        concurrency_expression=compiling.expression("MaxConcurrency", concurrency, "number")
        if expressed
        else None,
    )


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_map)
