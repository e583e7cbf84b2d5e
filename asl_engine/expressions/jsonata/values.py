"""Truth, equality, and the text of values."""

from __future__ import annotations

import math
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.number_text import number_text
from asl_engine.expressions.jsonata.signatures import Function
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["equals", "finite", "is_number", "text", "truncated", "truth", "whole"]

POSITIONAL = 1e21  # from here on JavaScript writes an exponent
SIGNIFICANT_DIGITS = 15


def is_number(value: Any) -> bool:
    """Raises ``JsonataError`` D1001 for an infinity: no calculation may use it."""
    kind = value.__class__
    if kind is int:
        return True
    if kind is not float or math.isnan(value):
        return False
    return finite(value) is not None


def finite(value: float) -> float:
    if math.isinf(value):
        raise JsonataError("D1001", value=value)
    return value


def truncated(value: float) -> int:
    """The number without its fraction.  Raises ``JsonataError`` D1001 for NaN and for infinities."""
    if not math.isfinite(value):
        raise JsonataError("D1001", value=value)
    return math.trunc(value)


def whole(value: float) -> int | float:
    """A whole number as an integer, as far as JavaScript writes it without an exponent."""
    return int(value) if value.is_integer() and -POSITIONAL < value < POSITIONAL else value


def truth(value: Any, evaluation: Evaluation) -> bool:
    """The boolean a value is cast to; MISSING counts as false."""
    kind = value.__class__
    if kind is bool:
        return bool(value)
    if kind is str or kind is dict:
        return bool(value)
    if isinstance(value, list):
        evaluation.spend(len(value))
        return any(truth(item, evaluation) for item in value)
    return is_number(value) and value != 0


def equals(left: Any, right: Any, evaluation: Evaluation) -> bool:
    """Deep equality; true is not 1, and no function equals another."""
    kind = left.__class__
    if kind is str or kind is bool or left is None:
        return kind is right.__class__ and bool(left == right)
    if kind is int or kind is float:
        return right.__class__ in {int, float} and bool(left == right)
    if left is right:
        return True
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        evaluation.spend(len(left))
        return all(equals(one, other, evaluation) for one, other in zip(left, right, strict=True))
    if kind is not dict or right.__class__ is not dict or left.keys() != right.keys():
        return False
    evaluation.spend(len(left))
    return all(equals(value, right[key], evaluation) for key, value in left.items())


def text(value: Any, evaluation: Evaluation, *, pretty: bool = False) -> str:
    """The value cast to a string: JSON, with numbers of 15 significant digits; a function is empty."""
    if value.__class__ is str:
        return str(value)
    if isinstance(value, Function):
        return ""
    if value.__class__ is float and not math.isfinite(value):
        raise JsonataError("D3001", value=value)
    pieces: list[str] = []
    _write(value, pieces, evaluation, "\n" if pretty else "")
    return "".join(pieces)


def _write(value: Any, pieces: list[str], evaluation: Evaluation, newline: str) -> None:
    """``newline`` holds the indentation too; it is empty for compact text."""
    evaluation.spend(1)
    if isinstance(value, list):
        _enclose("[]", [("", item) for item in value], pieces, evaluation, newline)
    elif value.__class__ is dict:
        colon = ": " if newline else ":"
        members = [(encode_basestring(key) + colon, member) for key, member in value.items()]
        _enclose("{}", members, pieces, evaluation, newline)
    else:
        pieces.append(_scalar(value, evaluation))


def _enclose(
    brackets: str, members: list[tuple[str, Any]], pieces: list[str], evaluation: Evaluation, newline: str
) -> None:
    if not members:
        pieces.append(brackets)
        return
    inner = f"{newline}  " if newline else ""
    separator = f"{brackets[0]}{inner}"
    for label, member in members:
        pieces.append(separator + label)
        _write(member, pieces, evaluation, inner)
        separator = f",{inner}"
    pieces.append(newline + brackets[1])


def _scalar(value: Any, evaluation: Evaluation) -> str:
    if value.__class__ is str:
        evaluation.spend_text(len(value))
        return encode_basestring(value)
    if value is None or value is MISSING:
        return "null"
    if value.__class__ is bool:
        return "true" if value else "false"
    if isinstance(value, Function):
        return '""'
    if value.__class__ is int:
        return number_text(value)
    if math.isnan(value):
        return "null"
    return number_text(value if value.is_integer() else float(f"{finite(value):.{SIGNIFICANT_DIGITS}g}"))
