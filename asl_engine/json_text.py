"""JSON as text: reading it as strictly as AWS does, and writing it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import cache
from json.encoder import JSONEncoder
from math import isinf
from typing import TYPE_CHECKING, Any, Final

from asl_engine.json_values import MAX_DEPTH, Json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ENORMOUS",
    "FEW",
    "JsonSyntaxError",
    "TooDeep",
    "dumps",
    "is_enormous",
    "is_half",
    "loads",
    "loads_own",
    "loads_strict",
    "may_be_deep",
    "rewritten",
    "scan",
    "too_deep",
]


# Shorter ones are read at once: nothing else has to be imported for them.
LONG_TEXT: Final = 2_000


class JsonSyntaxError(ValueError):
    """A text is not JSON.  ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{message} (line {line}, column {column})")
        self.message = message
        self.line = line
        self.column = column


class TooDeep(RecursionError):
    """A value has more than ``MAX_DEPTH`` levels."""

    def __init__(self) -> None:
        super().__init__(f"the value is nested too deeply: more than {MAX_DEPTH} levels")


class _NoNumber(JsonSyntaxError):
    """A token that Python reads and JSON does not have.  The decoder does not tell its place."""

    def __init__(self, message: str, token: str) -> None:
        super().__init__(message)
        self.token = token

    def placed(self, text: str) -> JsonSyntaxError:
        """The error at the first such token that is not in a string."""
        for found in re.finditer(rf'"(?:[^"\\]|\\.)*"|{re.escape(self.token)}', text):
            if found[0] == self.token:
                line = text.count("\n", 0, found.start()) + 1
                return JsonSyntaxError(self.message, line, found.start() - text.rfind("\n", 0, found.start()))
        return self


def _refuse_constant(name: str) -> Json:
    raise _NoNumber(f"{name} is not a JSON value", name)


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise _NoNumber(f"the number {text} is too large", text)
    return number


class _RepeatedKey(ValueError):
    """Some object names a key twice."""


def _refuse_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RepeatedKey
    return result


_TOKENS = re.compile(r'[{}\[\]]|("(?:[^"\\]|\\.)*")([ \t\n\r]*:)?')


def _repeated_key(text: str) -> JsonSyntaxError:
    """Where the first key stands that its object has had before; ``text`` is JSON as far as that, and has one.

    The decoder tells the keys of an object and not their places, so the text is read again.
    """
    seen: list[set[str]] = []  # of each object or array that is open here
    for token in _TOKENS.finditer(text):
        if token[0] in "{[":
            seen.append(set())
        elif token[0] in "}]":
            seen.pop()
        elif token[2] is not None:
            key: str = json.loads(token[1], strict=False)
            if key in seen[-1]:
                line, before = text.count("\n", 0, token.start()) + 1, text.rfind("\n", 0, token.start())
                message = f"the key {json.dumps(key, ensure_ascii=False)} is given twice in one object"
                return JsonSyntaxError(message, line, token.start() - before)
            seen[-1].add(key)
    raise AssertionError("a key is repeated only where there is one")


_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant)


_strict_decoder = json.JSONDecoder(
    parse_float=_finite, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
)


# Compact separators and unescaped text are what AWS writes into histories.
_encode = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=True).encode


def _decode(decoder: json.JSONDecoder, text: str) -> Json:
    try:
        value: Json = decoder.decode(text)
        _refuse_depth(value, text)
    except json.JSONDecodeError as error:
        raise JsonSyntaxError(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise JsonSyntaxError(str(TooDeep())) from None
    except _NoNumber as error:
        raise error.placed(text) from None
    except JsonSyntaxError:
        raise
    except _RepeatedKey:
        raise _repeated_key(text) from None
    except ValueError as error:  # CPython refuses integers of more than 4,300 digits
        raise JsonSyntaxError(str(error)) from None
    if "\\u" in text or not text.isascii():
        _refuse_half_characters(value)
    return value


_LEAVES = frozenset({str, int, float, bool, type(None)})


def too_deep(value: Json, length: int, most: int = MAX_DEPTH) -> bool:
    """Whether a value whose text has this length has more than ``most`` levels."""
    if length < 2 * most:
        return False
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if type(inner) not in _LEAVES and isinstance(inner, (dict, list))  # nearly all are leaves
        ]
        if not level:
            return False
    return True


# Eight million characters are written in a fifth of a second, in which nothing else gets on.
ENORMOUS: Final = 2**23


FEW: Final = 64  # as many payloads, or values of one, can be written without ado


def is_enormous(value: Json) -> bool:
    """Whether the text of a value has many times as many characters as anything may have.

    A value that is repeated in another takes no memory, but is written every time.  This looks at it once.
    """
    return _least_length(value, {}) > ENORMOUS


def _least_length(value: Any, known: dict[int, int]) -> int:
    length = known.get(id(value))
    if length is None:
        length = 2
        if isinstance(value, dict):
            length += sum(map(len, value)) + 3 * len(value)
        for inner in value.values() if isinstance(value, dict) else value:
            kind = type(inner)
            length += len(inner) + 3 if kind is str else 2 if kind in _LEAVES else _least_length(inner, known)
        known[id(value)] = length
    return length


def may_be_deep(text: str, most: int = MAX_DEPTH) -> bool:
    """Whether a text has more than ``most`` brackets: its value needs a closer look."""
    return text.count("[") + text.count("{") > most


def _refuse_depth(value: Json, text: str) -> None:
    """Raises ``TooDeep``."""
    if len(text) > MAX_DEPTH and may_be_deep(text) and too_deep(value, len(text)):
        raise TooDeep


_HALF = re.compile("[\ud800-\udfff]")


def is_half(text: str) -> bool:
    """Whether a text has half of a surrogate pair in it, which is no character."""
    return not text.isascii() and _HALF.search(text) is not None


def _refuse_half_characters(value: Json) -> None:
    """Half of a surrogate pair is no character: no UTF-8 text, and so no database, can hold it."""
    try:
        dumps(value).encode()
    except UnicodeEncodeError as error:
        half = ord(error.object[error.start])
        raise JsonSyntaxError(f"\\u{half:04x} is half of a surrogate pair, without its other half") from None


def loads(text: str) -> Json:
    """Parse JSON (RFC 8259: no NaN, no Infinity).  Raises ``JsonSyntaxError``."""
    return _decode(_decoder, text)


@cache
def _fast_decoder() -> Callable[[str], Json] | None:
    """That of pydantic, twice as fast, if its version reads all numbers as Python does."""
    from pydantic_core import from_json

    numbers = "[123456789012345678901234567890,9007199254740993.0,1e23,-0.0,-0,5e-324]"
    return from_json if repr(from_json(numbers)) == repr(json.loads(numbers)) else None


def loads_own(text: str) -> Json:
    """Parse what was checked before it was written here."""
    if len(text) >= LONG_TEXT:
        decode = _fast_decoder()
        if decode is not None:
            with suppress(ValueError):  # it does not go as deep as we do
                return decode(text)
    value: Json = _decoder.decode(text)
    return value


def loads_strict(text: str) -> Json:
    """Parse JSON and refuse an object that names a key twice.  Raises ``JsonSyntaxError``."""
    return _decode(_strict_decoder, text)


def scan(text: str, start: int) -> tuple[Json, int]:
    """The JSON value that begins at ``start``, and where it ends.

    Raises ``json.JSONDecodeError`` with the position where it cannot go on, which may be for want of more text,
    and ``JsonSyntaxError`` for what no more text can mend.
    """
    try:
        value, end = _decoder.raw_decode(text, start)
    except RecursionError:
        raise JsonSyntaxError(str(TooDeep())) from None
    except (json.JSONDecodeError, JsonSyntaxError):
        raise
    except ValueError as error:
        raise JsonSyntaxError(str(error)) from None
    if text.find("\\u", start, end) >= 0:
        _refuse_half_characters(value)
    return value, end


@cache
def _fast_encoder() -> Callable[[Json], bytes] | None:
    """That of pydantic, if its version writes large numbers as Python does, and refuses what is too deep."""
    from pydantic_core import to_json

    deep: Json = []
    for _ in range(MAX_DEPTH):
        deep = [deep]
    try:
        to_json(deep)
    except ValueError:
        return to_json if to_json([1e16, 1.5e300]) == b"[1e+16,1.5e+300]" else None
    return None


def rewritten(value: Json) -> str:
    """What ``dumps`` makes of a value that was read from a JSON text, in a quarter of the time.

    It has nothing in it but what a text can have, so the encoders differ in small numbers only: 0.00001 or 1e-05.
    Raises ``TooDeep``.
    """
    encode = _fast_encoder()
    if encode is not None:
        with suppress(ValueError):  # it is nested too deeply for that encoder, which is not yet for us
            text = encode(value).decode()
            if "e-" not in text and "0.0000" not in text:
                return text
    text = _encode(value)
    _refuse_depth(value, text)
    return text


def dumps(value: Json) -> str:
    """Compact JSON text, as AWS writes it.  Raises ``ValueError`` for NaN and infinities."""
    return _encode(value)
