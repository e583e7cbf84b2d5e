"""What generated code can name: nothing else, and none of Python's builtins but these."""

from __future__ import annotations

from typing import Any, Final

from asl_engine.expressions.jsonata import (
    callables,
    filters,
    groups,
    navigation,
    operators,
    runtime,
    signatures,
    steps,
    values,
)
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.json_values import MISSING

__all__ = ["RUNTIME"]

RUNTIME: Final[dict[str, Any]] = {
    "__builtins__": {},
    "MISSING": MISSING,
    "JsonataError": JsonataError,
    **{kind.__name__: kind for kind in (bool, dict, enumerate, float, int, isinstance, len, list, set, str)},
    **{kind.__name__: kind for kind in (runtime.Cons, runtime.Sequence, callables.Lambda, callables.TailCall)},
    **{
        function.__name__: function
        for function in (
            callables.applied, callables.apply, callables.called, callables.finished, callables.no_function,
            callables.partially_applied, callables.size, callables.unprefixed,
            filters.chosen_item, filters.chosen_items, groups.new_key,
            navigation.context_items, navigation.descendants, navigation.flattened, navigation.items_of,
            navigation.kept, navigation.kept_path, navigation.listed, navigation.map_names, navigation.member,
            navigation.values_of, navigation.walk, navigation.walk_to_items, navigation.wildcard,
            operators.negated, runtime.collapse, signatures.all_numbers, signatures.all_objects,
            signatures.all_texts, steps.tuple_step, values.truth,
        )
    },
    **operators.FUNCTIONS,
}  # fmt: skip
