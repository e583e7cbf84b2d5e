"""One step of a path, over values or over tuples: values with the names bound on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.filters import compile_filter
from asl_engine.expressions.jsonata.functions.sorting import compile_sort
from asl_engine.expressions.jsonata.groups import VALUE
from asl_engine.expressions.jsonata.runtime import TupleStream
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["Step", "tuple_step"]


class Step:
    """A compiled step."""

    __slots__ = ("evaluate", "filters", "is_sort", "node", "stages")

    def __init__(self, node: Node, compile_node: Callable[[Node], Evaluate]) -> None:
        self.node = node
        self.is_sort = node.kind == "sort"
        self.evaluate = compile_sort(node, compile_node) if self.is_sort else compile_node(node)
        self.stages = [_compile_stage(stage, compile_node) for stage in node.stages]
        self.filters = [evaluate for evaluate, index in self.stages if index is None]


def _compile_stage(stage: Node, compile_node: Callable[[Node], Evaluate]) -> tuple[Evaluate, str | None]:
    """A filter, or the name that the position is bound to."""
    if stage.kind == "index":
        return (lambda value, _: value), str(stage.value)
    return compile_filter(stage.parts[0], compile_node), None


def tuple_step(step: Step, values: Any, tuples: TupleStream | None, frame: Environment) -> TupleStream:
    if step.is_sort:
        return _staged(step, _sorted_tuples(step, values, tuples, frame), frame)
    if tuples is None:
        tuples = TupleStream([{VALUE: item} for item in (values if isinstance(values, list) else [values])])
    found = TupleStream()
    for names in tuples:
        part = step.evaluate(names[VALUE], frame.inner(dict(names)))
        if part is MISSING:
            continue
        items = part if isinstance(part, list) else [part]
        frame.evaluation.spend(len(items) * (1 + len(names)))
        streamed = part.__class__ is TupleStream
        found.extend(
            {**names, **item} if streamed else _bound(step.node, names, item, position)
            for position, item in enumerate(items)
        )
    return _staged(step, found, frame)


def _bound(node: Node, names: dict[str, Any], item: Any, position: int) -> dict[str, Any]:
    bound = dict(names)
    if node.focus is not None:
        bound[node.focus] = item
    else:
        bound[VALUE] = item
    if node.index is not None:
        bound[node.index] = position
    if node.ancestor is not None:
        bound[node.ancestor.label] = names[VALUE]
    return bound


def _sorted_tuples(step: Step, values: Any, tuples: TupleStream | None, frame: Environment) -> TupleStream:
    if tuples is not None:
        return TupleStream(step.evaluate(tuples, frame))
    items = step.evaluate(values, frame)
    return TupleStream(
        {VALUE: item} if step.node.index is None else {VALUE: item, step.node.index: position}
        for position, item in enumerate(items if isinstance(items, list) else [items])
    )


def _staged(step: Step, stream: TupleStream, frame: Environment) -> TupleStream:
    for stage, index in step.stages:
        if index is None:
            stream = stage(stream, frame)
        else:
            stream = TupleStream({**names, index: position} for position, names in enumerate(stream))
    return stream
