"""``{key: value}``: objects, and values grouped by a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.runtime import TupleStream
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate, Evaluation
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["VALUE", "appended", "compile_group", "new_key"]

VALUE: Final = "@"  # the value of a tuple; no variable can have this name


def appended(first: Any, second: Any, evaluation: Evaluation) -> Any:
    """Both values as one array; MISSING adds no item."""
    if first is MISSING:
        return second
    if second is MISSING:
        return first
    one = first if isinstance(first, list) else [first]
    other = second if isinstance(second, list) else [second]
    evaluation.spend(len(one) + len(other))
    return [*one, *other]


def compile_group(node: Node, compile_node: Callable[[Node], Evaluate]) -> Evaluate:
    """A function of the value that is grouped: a single value, an array, or a stream of tuples."""
    pairs = [(compile_node(key), compile_node(value)) for key, value in node.pairs]

    def evaluate(value: Any, frame: Environment) -> Any:
        streaming = value.__class__ is TupleStream
        items: list[Any] = value if isinstance(value, list) else [value]
        groups: dict[str, tuple[int, list[Any]]] = {}
        if not items and not streaming:
            items = [MISSING]  # an object made from nothing is still an object
        for item in items:
            frame.evaluation.spend(len(pairs))
            context, inner = (item[VALUE], frame.inner(dict(item))) if streaming else (item, frame)
            for index, (key, _) in enumerate(pairs):
                _collect(groups, key(context, inner), index, item)
        made = {}
        for name, (index, data) in groups.items():
            result = _reduced(data, pairs[index][1], frame, streaming=streaming)
            if result is not MISSING:
                made[name] = result
        return made

    return evaluate


def _collect(groups: dict[str, tuple[int, list[Any]]], key: Any, index: int, item: Any) -> None:
    if key is MISSING:
        return
    if not isinstance(key, str):
        raise JsonataError("T1003", value=key)
    group = groups.setdefault(key, (index, []))
    if group[0] != index:
        raise JsonataError("D1009", value=key)
    group[1].append(item)


def new_key(key: Any, made: set[str]) -> None:
    """Check the key of a member of an object that has those already."""
    if not isinstance(key, str):
        raise JsonataError("T1003", value=key)
    if key in made:
        raise JsonataError("D1009", value=key)
    made.add(key)


def _reduced(data: list[Any], value: Evaluate, frame: Environment, *, streaming: bool) -> Any:
    """The value over all items of a group; arrays among them are merged, tuples name by name."""
    if not streaming:
        return value(_merged(data, frame.evaluation), frame)
    columns: dict[str, list[Any]] = {}
    for item in data:
        for name, part in item.items():
            columns.setdefault(name, []).append(part)
    names = {name: _merged(parts, frame.evaluation) for name, parts in columns.items()}
    return value(names.pop(VALUE), frame.inner(names))


def _merged(values: list[Any], evaluation: Evaluation) -> Any:
    present = [value for value in values if value is not MISSING]
    if len(present) <= 1:
        return present[0] if present else MISSING
    merged: list[Any] = []
    for value in present:
        items = value if isinstance(value, list) else [value]
        evaluation.spend(len(items))
        merged.extend(items)
    return merged
