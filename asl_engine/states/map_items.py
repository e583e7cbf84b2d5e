"""The iterations of a Map state: its items, the concurrency, and the input of each iteration.

Inline and distributed processing use the same fields; each query language has its own.  Distributed, the items
may also be the members of an object (AWS documentation, "ItemsPath").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from asl_engine.errors import QueryFailure, StatesError
from asl_engine.json_text import dumps
from asl_engine.payload import Payload
from asl_engine.states.fields import ARRAY, OBJECT, integer
from asl_engine.states.jsonpath_flow import evaluate_path, select, shown
from asl_engine.states.path_numbers import integer_of

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.expressions.jsonata import JsonataTemplate
    from asl_engine.expressions.jsonpath.path import Path
    from asl_engine.expressions.template import Template
    from asl_engine.json_values import Json
    from asl_engine.states.compiling import Compiling

__all__ = ["ItemSource", "JsonataItems", "PathItems", "compile_items"]


class PathItems(NamedTuple):
    """The items and the concurrency of a JSONPath state; ``of_objects``: they may be the members of an object."""

    of_objects: bool
    items_path: Path | None
    selector: Template | None
    concurrency_literal: int
    concurrency_path: Path | None

    def items(self, decision: Decision, given: Payload) -> Payload:
        items = select(decision, self.items_path, given)
        if not isinstance(items.value, list) and not (self.of_objects and isinstance(items.value, dict)):
            # AWS shows a path into the context object as a path into the data.
            path = "$" if self.items_path is None else self.items_path.text.replace("$$", "$", 1)
            wanted = "array or object" if self.of_objects else "array"
            raise StatesError("States.Runtime", f'Reference path "{path}" must point to {wanted}.')
        return items

    def concurrency(self, decision: Decision, given: Payload) -> int:
        path = self.concurrency_path
        if path is None:
            return self.concurrency_literal
        value = evaluate_path(decision, path, given.value)
        concurrency = integer_of(value)
        if concurrency is None or concurrency < 0:
            raise decision.failure(
                f'The MaxConcurrencyPath field refers to value "{shown(value)}" '
                f"which is not a valid integer: {path.text}"
            )
        return concurrency

    def select_item(self, decision: Decision, given: Payload, item: dict[str, Json]) -> Json:
        """The input of the iteration for ``item``, which is ``$$.Map.Item``."""
        if self.selector is None:
            return item["Value"]
        return self.selector.evaluate(decision.item_scope(given.value, item))


class JsonataItems(NamedTuple):
    """The same for a JSONata state."""

    of_objects: bool
    items_expression: JsonataTemplate | None
    selector: JsonataTemplate | None
    concurrency_literal: int
    concurrency_expression: JsonataTemplate | None

    def items(self, decision: Decision, given: Payload) -> Payload:
        if self.items_expression is not None:
            return Payload(self.items_expression.evaluate(decision.bindings()))
        if not isinstance(given.value, list) and not (self.of_objects and isinstance(given.value, dict)):
            wanted = "an array or an object" if self.of_objects else "an array"
            raise QueryFailure(f"Map state input must be {wanted} but was: {dumps(given.value)}")
        return given

    def concurrency(self, decision: Decision, given: Payload) -> int:
        del given
        if self.concurrency_expression is None:
            return self.concurrency_literal
        value = self.concurrency_expression.evaluate(decision.bindings())
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            detail = f"The MaxConcurrency field must be a non-negative integer, but was {dumps(value)}"
            raise QueryFailure(detail, "MaxConcurrency")
        return value

    def select_item(self, decision: Decision, given: Payload, item: dict[str, Json]) -> Json:
        del given
        if self.selector is None:
            return item["Value"]
        return self.selector.evaluate(decision.bindings(item=item))


ItemSource: TypeAlias = PathItems | JsonataItems


def compile_items(compiling: Compiling, *, of_objects: bool = False) -> ItemSource:
    """``of_objects``: the items may be the members of an object."""
    compile_source = compile_jsonata_items if compiling.language == "JSONata" else compile_path_items
    return compile_source(compiling, of_objects=of_objects)


def compile_path_items(compiling: Compiling, *, of_objects: bool) -> PathItems:
    compiling.only_one_of("MaxConcurrency", "MaxConcurrencyPath")
    selector = compiling.only_one_of("ItemSelector", "Parameters")
    return PathItems(
        of_objects=of_objects,
        items_path=compiling.path("ItemsPath", "$"),
        selector=None if selector is None else compiling.template(selector),
        concurrency_literal=compiling.source.get("MaxConcurrency", 0),
        concurrency_path=compiling.path("MaxConcurrencyPath"),
    )


def compile_jsonata_items(compiling: Compiling, *, of_objects: bool) -> JsonataItems:
    items, concurrency = compiling.source.get("Items"), compiling.source.get("MaxConcurrency", 0)
    expressed = compiling.is_expression(concurrency)
    if not expressed:
        compiling.check("MaxConcurrency", concurrency, integer(0))
    if not compiling.is_expression(items):
        compiling.check("Items", items, OBJECT if of_objects and isinstance(items, dict) else ARRAY)
    kinds = ("array", "object") if of_objects else ("array",)
    return JsonataItems(
        of_objects=of_objects,
        items_expression=compiling.optional_expression("Items", *kinds),
        selector=compiling.optional_expression("ItemSelector"),
        concurrency_literal=0 if expressed else concurrency,
        concurrency_expression=compiling.expression("MaxConcurrency", concurrency, "number")
        if expressed
        else None,
    )
