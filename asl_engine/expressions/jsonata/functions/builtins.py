"""All functions that every expression can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.callables import Native
from asl_engine.expressions.jsonata.functions import (
    arrays,
    dates,
    encodings,
    integers,
    numbers,
    pictures,
    states_functions,
    strings,
)
from asl_engine.expressions.jsonata.signatures import parse_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BUILTINS"]

MODULES: Final = (strings, numbers, integers, pictures, arrays, encodings, dates, states_functions)


def _natives() -> dict[str, Any]:
    tables: list[Mapping[str, tuple[Any, str, int]]] = [module.FUNCTIONS for module in MODULES]
    return {
        name: Native(name, implementation, parse_signature(signature), arity)
        for table in tables
        for name, (implementation, signature, arity) in table.items()
    }


BUILTINS: Final[dict[str, Any]] = _natives()
