"""Java's behaviour as it shows in AWS's intrinsic functions: texts, hash codes, random numbers.

Recorded from AWS: ``States.Format`` prints an object as ``{Arg1=1, Arg2=[]}``, which is Java's
``Map.toString()``.  The rest follows the specification of java.lang and java.util (Java SE 17).
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from asl_engine.json_values import Json

__all__ = [
    "hash_code",
    "identity",
    "in_hash_order",
    "int32",
    "random_double",
    "random_int",
    "text_of",
    "utf16_length",
]

INT_BITS: Final = 1 << 32
LONG_BITS: Final = 1 << 64
INT_MAX: Final = (1 << 31) - 1
MULTIPLIER: Final = 0x5DEECE66D
STATE_MASK: Final = (1 << 48) - 1


def text_of(value: Json) -> str:
    """``String.valueOf(value)``, with objects as maps and arrays as lists."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}={text_of(member)}' for name, member in value.items())}}}"
    return str(value)


def _double_text(value: float) -> str:
    """``Double.toString``: with an exponent below 10^-3 and from 10^7 on."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    number = Decimal(repr(value))
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{number.adjusted()}"


def utf16_length(text: str) -> int:
    """``String.length()``: characters beyond the Basic Multilingual Plane count twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def int32(number: int) -> int:
    """The low 32 bits of ``number``, as a signed integer."""
    return (number + (INT_BITS >> 1)) % INT_BITS - (INT_BITS >> 1)


def hash_code(value: Json) -> int:
    """``hashCode()`` of the value, with objects as maps and arrays as lists; 0 for null."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, str):
        return _polynomial(
            0, struct.unpack(f"<{utf16_length(value)}H", value.encode("utf-16-le", "surrogatepass"))
        )
    if isinstance(value, float):
        return _long_hash(struct.unpack("<Q", struct.pack("<d", value))[0])
    if isinstance(value, list):
        return _polynomial(1, map(hash_code, value))
    if isinstance(value, dict):
        return int32(sum(hash_code(name) ^ hash_code(member) for name, member in value.items()))
    return _integer_hash(value)


def _polynomial(start: int, numbers: Iterable[int]) -> int:
    code = start
    for number in numbers:
        code = (31 * code + number) % INT_BITS
    return int32(code)


def _long_hash(bits: int) -> int:
    return int32(bits ^ bits >> 32)


def _integer_hash(value: int) -> int:
    """The hash code of an Integer, a Long or a BigInteger, whichever is the smallest to hold the value."""
    if value == int32(value):
        return value
    if -LONG_BITS >> 1 <= value < LONG_BITS >> 1:
        return _long_hash(value % LONG_BITS)
    words = abs(value).to_bytes((abs(value).bit_length() + 31) // 32 * 4, "big")
    magnitude = _polynomial(0, struct.unpack(f">{len(words) // 4}I", words))
    return int32(-magnitude if value < 0 else magnitude)


def identity(value: Json) -> Hashable:
    """A key that two values share if they are equal by Java's ``equals``: 1 is not 1.0, nor true."""
    if isinstance(value, list):
        return (list, *map(identity, value))
    if isinstance(value, dict):
        return dict, frozenset((name, identity(member)) for name, member in value.items())
    return type(value), repr(value) if isinstance(value, float) else value


def in_hash_order(values: list[Json]) -> list[Json]:
    """The distinct values in the order in which ``new HashSet<>(values)`` gives them."""
    distinct: dict[Hashable, Json] = {}
    for value in values:
        distinct.setdefault(identity(value), value)
    last_slot = max(16, 1 << (len(values) * 4 // 3).bit_length()) - 1
    return sorted(distinct.values(), key=lambda value: _spread(hash_code(value)) & last_slot)


def _spread(code: int) -> int:
    return code ^ code % INT_BITS >> 16


def random_int(seed: int, start: int, end: int) -> int:
    """``start + new Random(seed).nextInt(end - start)``; ``start < end``, both 32 bits wide.

    If the difference needs more bits, the first number in between, as ``Random.ints`` does in Java 8.
    """
    state = (seed ^ MULTIPLIER) & STATE_MASK
    width = end - start
    while True:
        state = (state * MULTIPLIER + 0xB) & STATE_MASK
        if width > INT_MAX:
            drawn = int32(state >> 16)
            if start <= drawn < end:
                return drawn
            continue
        bits = state >> 17
        if width & (width - 1) == 0:
            return start + (width * bits >> 31)
        remainder = bits % width
        # The leftover at the top of the range would make small remainders more likely.
        if bits - remainder + width - 1 <= INT_MAX:
            return start + remainder


def random_double(seed: int) -> float:
    """``new Random(seed).nextDouble()``."""
    first = ((seed ^ MULTIPLIER) * MULTIPLIER + 0xB) & STATE_MASK
    second = (first * MULTIPLIER + 0xB) & STATE_MASK
    return ((first >> 22 << 27) + (second >> 21)) / (1 << 53)
