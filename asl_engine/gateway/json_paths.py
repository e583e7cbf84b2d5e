"""What a JSONPath leads to in a value, for templates and parameters."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from asl_engine.errors import InvalidInput
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.scope import Scope

if TYPE_CHECKING:
    from asl_engine.expressions.jsonpath.path import Path
    from asl_engine.json_values import Json, Missing

__all__ = ["value_at"]

MAX_PATHS = 256


@lru_cache(MAX_PATHS)
def _compiled(path: str) -> Path:
    try:
        return compile_path(path)
    except ExpressionSyntaxError as error:
        raise InvalidInput(f"{path} is no JSONPath: {error}") from None


def value_at(value: Json, path: str) -> Json | Missing:
    """The part of a value; ``MISSING`` where there is none.  Raises ``InvalidInput`` for what is no path."""
    return _compiled(path).find(Scope(value, {}, dict))
