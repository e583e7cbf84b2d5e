"""The functions on arrays, objects and booleans, and those that take functions.

JSONata documentation: "Array functions", "Object functions", "Boolean functions", "Higher-order functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.callables import Lambda, TailCall, apply, finished
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.sorting import sorted_by
from asl_engine.expressions.jsonata.groups import appended
from asl_engine.expressions.jsonata.navigation import member
from asl_engine.expressions.jsonata.runtime import Sequence
from asl_engine.expressions.jsonata.signatures import Function
from asl_engine.expressions.jsonata.transform import clone as copied
from asl_engine.expressions.jsonata.values import equals, truth
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS"]

TYPES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    dict: "object",
}


def boolean(evaluation: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else truth(value, evaluation)


def not_(evaluation: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else not truth(value, evaluation)


def exists(_: Evaluation, value: Any) -> bool:
    return value is not MISSING


def type_(_: Evaluation, value: Any) -> Any:
    if value is MISSING:
        return MISSING
    return TYPES.get(value.__class__) or ("function" if isinstance(value, Function) else "array")


def count(_: Evaluation, values: Any) -> int:
    return 0 if values is MISSING else len(values)


def append(evaluation: Evaluation, first: Any, second: Any) -> Any:
    return appended(first, second, evaluation)


def reverse(_: Evaluation, values: Any) -> Any:
    return values if values is MISSING or len(values) <= 1 else values[::-1]


def shuffle(evaluation: Evaluation, values: Any) -> Any:
    if values is MISSING or len(values) <= 1:
        return values
    evaluation.spend(len(values))
    return evaluation.random.sample(values, len(values))


def distinct(evaluation: Evaluation, values: Any) -> Any:
    if not isinstance(values, list) or len(values) <= 1:
        return values
    found: list[Any] = Sequence() if values.__class__ is Sequence else []
    scalars: set[Any] = set()
    others: list[Any] = []
    for value in values:
        if value is None or value.__class__ in {str, int, float, bool}:
            key = (value.__class__ is bool, value)
            if key in scalars:
                continue
            scalars.add(key)
        else:
            evaluation.spend(len(others))
            if any(equals(value, other, evaluation) for other in others):
                continue
            others.append(value)
        found.append(value)
    return found


def zip_(evaluation: Evaluation, *arrays: Any) -> list[Any]:
    columns = [array if isinstance(array, list) else [] for array in arrays]
    rows = [list(row) for row in zip(*columns, strict=False)]
    evaluation.spend(len(rows) * len(columns))
    return rows


def sort(evaluation: Evaluation, values: Any, comparator: Any = MISSING) -> Any:
    if values is MISSING or len(values) <= 1:
        return values
    evaluation.spend(len(values) * len(values).bit_length())
    if comparator is not MISSING:

        def follows(one: Any, other: Any) -> bool:
            return truth(apply(comparator, [one, other], None, evaluation), evaluation)

        return sorted_by(values, follows)
    kinds = {value.__class__ for value in values}
    if not (kinds == {str} or kinds <= {int, float}):
        raise JsonataError("D3070")
    return sorted(values)


def keys(evaluation: Evaluation, value: Any) -> Any:
    names: dict[str, None] = {}
    _collect_keys(evaluation, value, names)
    return Sequence(list(names))


def _collect_keys(evaluation: Evaluation, value: Any, names: dict[str, None]) -> None:
    if isinstance(value, list):
        evaluation.spend(len(value))
        for item in value:
            _collect_keys(evaluation, item, names)
    elif value.__class__ is dict:
        evaluation.spend(len(value))
        names.update(dict.fromkeys(value))


def lookup(evaluation: Evaluation, value: Any, key: Any) -> Any:
    return MISSING if key is MISSING else member(value, key, evaluation)


def spread(evaluation: Evaluation, value: Any) -> Any:
    if isinstance(value, list):
        parts = [spread(evaluation, item) for item in value]
        result: Any = Sequence()
        for part in parts:
            result = appended(result, part, evaluation)
        return result
    if value.__class__ is dict:
        evaluation.spend(len(value))
        return Sequence([{key: item} for key, item in value.items()])
    return value


def merge(evaluation: Evaluation, objects: Any) -> Any:
    if objects is MISSING:
        return MISSING
    merged: dict[str, Any] = {}
    for one in objects:
        evaluation.spend(len(one))
        merged.update(one)
    return merged


def clone(evaluation: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else copied(value, evaluation)


def error(_: Evaluation, message: Any = MISSING) -> Any:
    raise JsonataError("D3137", message=_given(message) or "$error() function evaluated")


def assert_(_: Evaluation, condition: Any, message: Any = MISSING) -> Any:
    if condition is MISSING or not condition:
        raise JsonataError("D3141", message=_given(message) or "$assert() statement failed")
    return MISSING


def _given(message: Any) -> str:
    return "" if message is MISSING else message


def callback(function: Any, evaluation: Evaluation) -> Callable[[Any, Any, Any], Any]:
    """A function of an item, its index and the whole; it gets as many arguments as it takes."""
    if function.__class__ is Lambda and function.signature is None:
        number = function.arity

        def call(*arguments: Any) -> Any:
            result = function.call([*arguments[:number]], evaluation)
            return finished(result, None, evaluation) if result.__class__ is TailCall else result

        return call
    if not isinstance(function, Function):
        raise JsonataError("T1006")
    if function.arity < 2:
        return lambda item, _, __: apply(function, [item], None, evaluation)
    if function.arity == 2:
        return lambda item, place, _: apply(function, [item, place], None, evaluation)
    return lambda item, place, whole: apply(function, [item, place, whole], None, evaluation)


def map_(evaluation: Evaluation, values: Any, function: Any) -> Any:
    if values is MISSING:
        return MISSING
    call = callback(function, evaluation)
    results = (call(value, index, values) for index, value in enumerate(values))
    return Sequence([result for result in results if result is not MISSING])


def filter_(evaluation: Evaluation, values: Any, function: Any) -> Any:
    if values is MISSING:
        return MISSING
    call = callback(function, evaluation)
    return Sequence([value for index, value in enumerate(values) if truth(call(value, index, values), evaluation)])


def single(evaluation: Evaluation, values: Any, function: Any = MISSING) -> Any:
    if values is MISSING:
        return MISSING
    found = values if function is MISSING else filter_(evaluation, values, function)
    if len(found) != 1:
        raise JsonataError("D3138" if found else "D3139")
    return found[0]


def reduce(evaluation: Evaluation, values: Any, function: Any, start: Any = MISSING) -> Any:
    if values is MISSING:
        return MISSING
    if function.arity < 2:
        raise JsonataError("D3050")
    first = 1 if start is MISSING and values else 0
    result = values[0] if first else start
    for index in range(first, len(values)):
        arguments = [result, values[index], index, values][: min(function.arity, 4)]
        result = apply(function, arguments, None, evaluation)
    return result


def each(evaluation: Evaluation, value: Any, function: Any) -> Any:
    call = callback(function, evaluation)
    members = value.items() if value.__class__ is dict else ()
    results = (call(item, key, value) for key, item in members)
    return Sequence([result for result in results if result is not MISSING])


def sift(evaluation: Evaluation, value: Any, function: Any) -> Any:
    members = value.items() if value.__class__ is dict else ()
    if not members:
        return MISSING
    call = callback(function, evaluation)
    return {key: item for key, item in members if truth(call(item, key, value), evaluation)} or MISSING


FUNCTIONS: Final = {
    "boolean": (boolean, "<x-:b>", 1),
    "not": (not_, "<x-:b>", 1),
    "exists": (exists, "<x:b>", 1),
    "type": (type_, "<x:s>", 1),
    "count": (count, "<a:n>", 1),
    "append": (append, "<xx:a>", 2),
    "reverse": (reverse, "<a:a>", 1),
    "shuffle": (shuffle, "<a:a>", 1),
    "distinct": (distinct, "<x:x>", 1),
    "zip": (zip_, "<a+>", 0),
    "sort": (sort, "<af?:a>", 2),
    "keys": (keys, "<x-:a<s>>", 1),
    "lookup": (lookup, "<x-s:x>", 2),
    "spread": (spread, "<x-:a<o>>", 1),
    "merge": (merge, "<a<o>:o>", 1),
    "clone": (clone, "<(oa)-:o>", 1),
    "error": (error, "<s?:x>", 1),
    "assert": (assert_, "<bs?:x>", 2),
    "map": (map_, "<af>", 2),
    "filter": (filter_, "<af>", 2),
    "single": (single, "<af?>", 2),
    "reduce": (reduce, "<afj?:j>", 3),
    "each": (each, "<o-f:a>", 2),
    "sift": (sift, "<o-f?:o>", 2),
}
