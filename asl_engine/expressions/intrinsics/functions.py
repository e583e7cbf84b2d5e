"""The intrinsic functions of the Amazon States Language (specification: "Appendix B"; AWS Developer
Guide: "Intrinsic functions for JSONPath states in Step Functions").

Each is a function from JSON values to a JSON value; ``INTRINSICS`` names them.  Where the guide is
silent or differs, they do what has been observed on AWS, and a comment says so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.expressions.intrinsics.java import in_hash_order, int32, random_int, text_of, utf16_length
from asl_engine.json_text import ENORMOUS, JsonSyntaxError, dumps, loads
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.scope import Scope

__all__ = ["INTRINSICS", "Intrinsic", "IntrinsicFailure", "InvalidArguments"]

MAX_RANGE_LENGTH: Final = 1000
MAX_TEXT_LENGTH: Final = 10_000  # of texts that are encoded, decoded or hashed, in UTF-16 units


class IntrinsicFailure(Exception):
    """A call has failed; ``str()`` is AWS's text."""


class InvalidArguments(Exception):
    """The function has no result for these values."""


class Intrinsic(NamedTuple):
    """``apply`` takes between ``least`` and ``most`` values (None: any number).

    ``reads_scope``: the scope comes before them.  ``reads_escapes``: a string literal that is the
    first of them comes as it is written, because the function tells ``\\{`` from ``{``.  ``is_long``: it looks
    at all that is in its values, which are as large as a payload may be.
    """

    apply: Callable[..., Json]
    least: int
    most: int | None
    reads_scope: bool = False
    reads_escapes: bool = False
    is_long: bool = False


def _array_of(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise InvalidArguments
    return value


def _string_of(value: Json) -> str:
    if not isinstance(value, str):
        raise InvalidArguments
    return value


def _within_limit(text: str) -> str:
    if utf16_length(text) > MAX_TEXT_LENGTH:
        raise InvalidArguments
    return text


def _integer_of(value: Json) -> int:
    """A number without its fraction.  The guide says "rounds"; AWS has been observed to truncate."""
    if type(value) is int:
        return value
    if not isinstance(value, float):
        raise InvalidArguments
    return int(value)


def _int32_of(number: int) -> int:
    if number != int32(number):
        raise InvalidArguments
    return number


def _rounded(value: Json) -> int:
    """The nearest 32-bit integer, halves going up as in Java (recorded: -1.5 becomes -1)."""
    if type(value) is int:
        return _int32_of(value)
    if not isinstance(value, float):
        raise InvalidArguments
    below = floor(value)
    return _int32_of(below + 1 if value - below >= 0.5 else below)


def array(*values: Json) -> Json:
    return list(values)


def array_partition(values: Json, size: Json) -> Json:
    items, chunk = _array_of(values), _integer_of(size)
    if chunk < 1:
        raise InvalidArguments
    return [items[start : start + chunk] for start in range(0, len(items), chunk)]


def array_contains(values: Json, wanted: Json) -> Json:
    """AWS has been observed to compare texts: true is found in ``["true"]``, and objects with their keys
    in another order differ."""
    text = text_of(wanted)
    return any(text_of(value) == text for value in _array_of(values))


def array_range(first: Json, last: Json, step: Json) -> Json:
    start, end, stride = _integer_of(first), _integer_of(last), _integer_of(step)
    if stride == 0 or (end - start) // stride >= MAX_RANGE_LENGTH:
        raise InvalidArguments
    return list(range(start, end + (1 if stride > 0 else -1), stride))


def array_get_item(values: Json, index: Json) -> Json:
    items, position = _array_of(values), _integer_of(index)
    if not items:  # observed
        return None
    if not 0 <= position < len(items):
        raise InvalidArguments
    return items[position]


def array_length(values: Json) -> Json:
    return len(_array_of(values))


def array_unique(values: Json) -> Json:
    """The items in the order of a Java HashSet, as observed: ``[true, false, true]`` gives ``[false, true]``."""
    return in_hash_order(_array_of(values))


def base64_encode(value: Json) -> Json:
    return base64.b64encode(_within_limit(_string_of(value)).encode("utf-8", "replace")).decode()


def base64_decode(value: Json) -> Json:
    """Ignores characters that are not Base64, everything after a ``=``, and a missing ``=`` (observed)."""
    data, _, _ = _within_limit(_string_of(value)).partition("=")
    sextets = re.sub(r"[^A-Za-z0-9+/]", "", data.translate(URL_SAFE))
    if len(sextets) % 4 == 1:
        sextets = sextets[:-1]
    return binascii.a2b_base64(sextets + "=" * (-len(sextets) % 4)).decode("utf-8", "replace")


URL_SAFE: Final = str.maketrans("-_", "+/")
ALGORITHMS: Final = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


def hash_of(data: Json, algorithm: Json) -> Json:
    """Values other than strings are hashed as the text that ``States.Format`` makes of them."""
    name = ALGORITHMS.get(_string_of(algorithm))
    if name is None:
        raise InvalidArguments
    text = _within_limit(text_of(data)).encode("utf-8", "replace")
    return hashlib.new(name, text, usedforsecurity=False).hexdigest()


def json_merge(first: Json, second: Json, deep: Json) -> Json:
    """Only a shallow merge; AWS has been observed to take the string ``false`` for false."""
    if not (isinstance(first, dict) and isinstance(second, dict)) or (deep is not False and deep != "false"):
        raise InvalidArguments
    return first | second


def string_to_json(text: Json) -> Json:
    if not _string_of(text).strip():  # observed
        return None
    try:
        return loads(_string_of(text))
    except JsonSyntaxError:
        raise InvalidArguments from None


def json_to_string(value: Json) -> Json:
    return dumps(value)


def math_random(scope: Scope, start: Json, end: Json, seed: Json | Missing = MISSING) -> Json:
    """A number from ``start`` to below ``end``.  We assume that a seed is one of java.util.Random."""
    low, high = _int32_of(_integer_of(start)), _int32_of(_integer_of(end))
    if low >= high:
        raise InvalidArguments
    if seed is MISSING:
        return scope.random.randrange(low, high)
    return random_int(_integer_of(seed), low, high)


def math_add(first: Json, second: Json) -> Json:
    """Numbers are rounded before they are added (recorded: -0.5 and 0.5 give 1)."""
    return _int32_of(_rounded(first) + _rounded(second))


def string_split(text: Json, delimiters: Json) -> Json:
    """Each character is a delimiter, and empty parts are dropped (recorded)."""
    string, characters = _string_of(text), _string_of(delimiters)
    if not characters:
        return [string] if string else []
    for character in characters[1:]:
        string = string.replace(character, characters[0])
    return [part for part in string.split(characters[0]) if part]


def uuid(scope: Scope) -> Json:
    """Version 4 (RFC 9562): 122 random bits, the version and the variant."""
    bits = scope.random.getrandbits(128)
    bits = bits & ~(0xF << 76) | 0x4 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    digits = f"{bits:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


TEMPLATE_TOKEN: Final = re.compile(r"\\(['{}\\])|(\{\})|([{}])")
PARTNER: Final = {"{": "}", "}": "{"}


@lru_cache(maxsize=1024)
def _template_parts(template: str) -> tuple[str, ...]:
    """The texts around each ``{}``.  Raises ``IntrinsicFailure`` for a brace on its own."""
    parts, part, position = [], "", 0
    for token in TEMPLATE_TOKEN.finditer(template):
        escaped, placeholder, brace = token.groups()
        if brace:
            raise IntrinsicFailure(
                f"Invalid template in States.Format: matching '{PARTNER[brace]}' not found for '{brace}'"
            )
        part += template[position : token.start()] + (escaped or "")
        position = token.end()
        if placeholder:
            parts.append(part)
            part = ""
    return (*parts, part + template[position:])


def format_template(template: Json, *values: Json) -> Json:
    parts = _template_parts(_string_of(template))
    if len(values) != len(parts) - 1:
        raise IntrinsicFailure(
            "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}"
        )
    pieces, left = [parts[0]], ENORMOUS
    for value, part in zip(values, parts[1:], strict=True):
        pieces += (text_of(value), part)
        left -= len(pieces[-2])
        if left < 0:
            raise IntrinsicFailure("Invalid arguments in States.Format: the text is too long")
    return "".join(pieces)


INTRINSICS: Final = {
    "States.Array": Intrinsic(array, 0, None),
    "States.ArrayContains": Intrinsic(array_contains, 2, 2, is_long=True),
    "States.ArrayGetItem": Intrinsic(array_get_item, 2, 2),
    "States.ArrayLength": Intrinsic(array_length, 1, 1),
    "States.ArrayPartition": Intrinsic(array_partition, 2, 2, is_long=True),
    "States.ArrayRange": Intrinsic(array_range, 3, 3),
    "States.ArrayUnique": Intrinsic(array_unique, 1, 1, is_long=True),
    "States.Base64Decode": Intrinsic(base64_decode, 1, 1),
    "States.Base64Encode": Intrinsic(base64_encode, 1, 1),
    "States.Format": Intrinsic(format_template, 1, None, reads_escapes=True, is_long=True),
    "States.Hash": Intrinsic(hash_of, 2, 2, is_long=True),
    "States.JsonMerge": Intrinsic(json_merge, 3, 3, is_long=True),
    "States.JsonToString": Intrinsic(json_to_string, 1, 1, is_long=True),
    "States.MathAdd": Intrinsic(math_add, 2, 2),
    "States.MathRandom": Intrinsic(math_random, 2, 3, reads_scope=True),
    "States.StringSplit": Intrinsic(string_split, 2, 2, is_long=True),
    "States.StringToJson": Intrinsic(string_to_json, 1, 1, is_long=True),
    "States.UUID": Intrinsic(uuid, 0, 0, reads_scope=True),
}
