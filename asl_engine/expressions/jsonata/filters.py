"""``[predicate]``: choosing by position or by truth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.groups import VALUE
from asl_engine.expressions.jsonata.runtime import Sequence, TupleStream
from asl_engine.expressions.jsonata.values import is_number, truth
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate, Evaluation
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["chosen_item", "chosen_items", "compile_filter"]


def compile_filter(predicate: Node, compile_node: Callable[[Node], Evaluate]) -> Evaluate:
    """``[predicate]`` as a function of the value that is filtered."""
    if predicate.kind == "number":
        index = math.floor(predicate.value)
        return lambda value, _: chosen_item(value, index)
    test = compile_node(predicate)

    def evaluate(value: Any, frame: Environment) -> Any:
        if value is MISSING:
            return MISSING
        if value.__class__ is TupleStream:
            results = [test(item[VALUE], frame.inner(dict(item))) for item in value]
            return TupleStream(chosen_items(value, results, frame.evaluation))
        items = value if isinstance(value, list) else [value]
        return chosen_items(items, [test(item, frame) for item in items], frame.evaluation)

    return evaluate


def chosen_items(items: list[Any], results: list[Any], evaluation: Evaluation) -> Sequence:
    """The items that a predicate chooses which has these results, one for each."""
    chosen = Sequence()
    evaluation.spend(len(items))
    for index, (item, result) in enumerate(zip(items, results, strict=True)):
        _choose(chosen, item, _positions(result, evaluation), index, len(items))
    return chosen


def chosen_item(value: Any, index: int) -> Any:
    """``[3]``"""
    if value is MISSING:
        return MISSING
    items = value if isinstance(value, list) else [value]
    chosen = items[index : index + 1 or None] if -len(items) <= index < len(items) else []
    if value.__class__ is TupleStream:
        return TupleStream(chosen)
    return chosen[0] if chosen and isinstance(chosen[0], list) else Sequence(chosen)


def _positions(result: Any, evaluation: Evaluation) -> list[float] | bool:
    """The choice of a predicate: items at positions if it gives numbers, else by its truth."""
    if isinstance(result, list):
        evaluation.spend(len(result))
        if all(is_number(number) for number in result):
            return result
    elif result.__class__ is not bool and is_number(result):
        return [result]
    return truth(result, evaluation)


def _choose(chosen: list[Any], item: Any, positions: list[float] | bool, index: int, count: int) -> None:
    if isinstance(positions, bool):
        if positions:
            chosen.append(item)
        return
    for number in positions:
        position = math.floor(number)
        if position == index or (position < 0 and position + count == index):
            chosen.append(item)
