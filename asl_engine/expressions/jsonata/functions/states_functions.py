"""The functions that Step Functions adds to JSONata.

AWS Step Functions Developer Guide: "Transforming data with JSONata", "JSONata functions provided by Step
Functions".  $random takes a seed here; there is no $eval: calling it fails like a call
of a non-function, as reported of AWS.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.intrinsics.java import random_double
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS"]

ALGORITHMS: Final = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


def failure(message: str) -> JsonataError:
    """The error of a function of Step Functions, which have no error codes of their own."""
    return JsonataError("D3137", message=message)


def partition(evaluation: Evaluation, values: Any, size: Any) -> Any:
    if values is MISSING:
        return MISSING
    step = 0 if size is MISSING or not math.isfinite(size) else math.floor(size)
    if step < 1:
        raise failure("The second argument of the partition function must be a positive integer")
    evaluation.spend(len(values))
    return [values[start : start + step] for start in range(0, len(values), step)]


def range_(evaluation: Evaluation, first: Any, last: Any, step: Any) -> Any:
    """The numbers from the first to the last, which is included if a step ends there."""
    if MISSING in (first, last, step):
        return MISSING
    if step == 0 or not all(math.isfinite(number) for number in (first, last, step)):
        raise failure("The third argument of the range function must not be zero")
    start, stop, stride = math.floor(first), math.floor(last), math.floor(step)
    if stride == 0:
        raise failure("The third argument of the range function must not be zero")
    numbers = range(start, stop + (1 if stride > 0 else -1), stride)
    evaluation.spend(len(numbers))
    return list(numbers)


def hash_(evaluation: Evaluation, value: Any, algorithm: Any) -> Any:
    """The hash of the text in UTF-8, in hexadecimal digits."""
    if value is MISSING:
        return MISSING
    if algorithm not in ALGORITHMS:
        raise failure(f"The algorithm of the hash function must be one of {', '.join(ALGORITHMS)}")
    import hashlib

    evaluation.spend_text(len(value))
    return hashlib.new(ALGORITHMS[algorithm], value.encode("utf-8", "surrogatepass")).hexdigest()


def random(evaluation: Evaluation, seed: Any = MISSING) -> float:
    """At least 0 and below 1; the same for the same seed (AWS gives java.util.Random's first number)."""
    if seed is MISSING:
        return evaluation.random.random()
    return random_double(int(seed) if math.isfinite(seed) else 0)


def uuid(evaluation: Evaluation) -> str:
    """A random UUID (RFC 9562, version 4)."""
    bits = evaluation.random.getrandbits(128)
    bits = bits & ~(0xF << 76) | (4 << 76)
    bits = bits & ~(0x3 << 62) | (2 << 62)
    digits = f"{bits:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def parse(evaluation: Evaluation, text: Any) -> Any:
    if text is MISSING:
        return MISSING
    evaluation.spend(len(text) // 8)
    try:
        return loads(text)
    except JsonSyntaxError as error:
        raise failure(f"The argument of the parse function is not JSON: {error}") from None


FUNCTIONS: Final = {
    "partition": (partition, "<an:a>", 2),
    "range": (range_, "<nnn:a>", 3),
    "hash": (hash_, "<ss:s>", 2),
    "random": (random, "<n?:n>", 0),
    "uuid": (uuid, "<:s>", 0),
    "parse": (parse, "<s:x>", 1),
}
