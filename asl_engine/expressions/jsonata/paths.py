"""Paths: steps over sequences, filters, order-by, and the names that ``@``, ``#`` and ``%`` bind.

JSONata documentation: "Path operators" and "Processing model".  As long as no step binds a name, a path
maps values; from the first step that does, it maps tuples: a value ("@") and the names bound on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.groups import VALUE, compile_group
from asl_engine.expressions.jsonata.navigation import member
from asl_engine.expressions.jsonata.runtime import Cons, Sequence, collapse
from asl_engine.expressions.jsonata.steps import Step, tuple_step
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate, Evaluation, TupleStream
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["compile_path", "walks"]


def walks(node: Node) -> bool:
    """Whether a path consists only of names; the first may be a variable."""
    first, *rest = node.parts
    decorated = node.group or node.keep_singleton or any(map(_decorated, node.parts))
    begins = first.kind == "name" or (first.kind == "variable" and bool(rest))
    return begins and not decorated and all(part.kind == "name" for part in rest)


def _decorated(step: Node) -> bool:
    return bool(step.tuple or step.cons or step.predicates or step.stages or step.keep_array or step.group)


def compile_path(node: Node, compile_node: Callable[[Node], Evaluate]) -> Evaluate:
    """The path as a function that gives a value if it only walks down names, and a sequence otherwise."""
    if walks(node):
        first, *rest = [str(part.value) for part in node.parts]
        if node.parts[0].kind == "name":
            return _walk_from_context([first, *rest])
        return _walk_from_variable(first, rest) if first else _walk_from_context(rest)
    steps = [Step(part, compile_node) for part in node.parts]
    group = None if node.group is None else compile_group(node.group, compile_node)
    return _path(node, steps, group)


def _walk_from_context(keys: list[str]) -> Evaluate:
    def evaluate(context: Any, frame: Environment) -> Any:
        return _walk(context, keys, frame.evaluation)

    return evaluate


def _walk_from_variable(name: str, keys: list[str]) -> Evaluate:
    first, *rest = keys

    def evaluate(_: Any, frame: Environment) -> Any:
        names = frame.names
        value = names[name] if name in names else frame.lookup(name)
        if value.__class__ is not dict:
            return _walk(value, keys, frame.evaluation)
        value = value.get(first, MISSING)
        return _walk(value, rest, frame.evaluation) if rest or value.__class__ is Sequence else value

    return evaluate


def _walk(value: Any, keys: list[str], evaluation: Evaluation) -> Any:
    """Go down through objects; from the first array on, the rest is mapped."""
    depth = 0
    for key in keys:
        if value.__class__ is dict:
            value = value.get(key, MISSING)
            depth += 1
        elif isinstance(value, list):
            value = _map_names(value, keys[depth:], evaluation)
            break
        else:
            return MISSING
    return collapse(Sequence(value)) if value.__class__ is Sequence else value


def _map_names(values: list[Any], keys: list[str], evaluation: Evaluation) -> Any:
    found: Any = values
    for count, key in enumerate(keys, 1):
        evaluation.spend(len(found))
        parts = []
        for item in found:
            part = item.get(key, MISSING) if item.__class__ is dict else _collapsed_member(item, key, evaluation)
            if part is not MISSING:
                parts.append(part)
        found = _flattened(parts, evaluation, last=count == len(keys))
        if not found:
            break
    return found


def _collapsed_member(value: Any, key: str, evaluation: Evaluation) -> Any:
    found = member(value, key, evaluation)
    return collapse(found) if found.__class__ is Sequence else found


def _flattened(parts: list[Any], evaluation: Evaluation, *, last: bool) -> list[Any]:
    """The results of a step as one sequence; a single array from the last step stays an array."""
    if last and len(parts) == 1 and isinstance(parts[0], list) and not isinstance(parts[0], Sequence):
        return parts[0]
    found = Sequence()
    for part in parts:
        if isinstance(part, list) and part.__class__ is not Cons:
            evaluation.spend(len(part))
            found.extend(part)
        else:
            found.append(part)
    return found


def _path(node: Node, steps: list[Step], group: Evaluate | None) -> Evaluate:
    first_is_variable = node.parts[0].kind == "variable"
    last = steps[-1]

    def evaluate(context: Any, frame: Environment) -> Any:
        values = context if isinstance(context, list) and not first_is_variable else [context]
        result: Any = values
        tuples: TupleStream | None = None
        streaming = False
        for step in steps:
            streaming = streaming or step.node.tuple
            if step is steps[0] and step.node.cons:
                result = step.evaluate(values, frame)
            elif streaming:
                tuples = tuple_step(step, values, tuples, frame)
            else:
                result = _step(step, values, frame, last=step is last)
            if not streaming and (result is MISSING or result == []):
                break
            if step.node.focus is None:
                values = result
        if streaming and tuples is not None:
            result = tuples if node.tuple else Sequence([item[VALUE] for item in tuples])
        if node.keep_singleton:
            result = _kept(result)
        return result if group is None else group(tuples if tuples is not None else result, frame)

    return evaluate


def _kept(result: Any) -> Any:
    if result.__class__ is Cons or result.__class__ is Sequence:
        result = Sequence([result]) if result.__class__ is Cons else Sequence(result)
        result.keep_singleton = True
    return result


def _step(step: Step, values: Any, frame: Environment, *, last: bool) -> Any:
    if step.is_sort:
        result = step.evaluate(values, frame)
        for filter_ in step.filters:
            result = filter_(result, frame)
        return result
    items = values if isinstance(values, list) else [values]
    frame.evaluation.spend(len(items))
    evaluate, filters = step.evaluate, step.filters
    parts = []
    for item in items:
        part = evaluate(item, frame)
        for filter_ in filters:
            part = filter_(part, frame)
        if part is not MISSING:
            parts.append(part)
    return _flattened(parts, frame.evaluation, last=last)
