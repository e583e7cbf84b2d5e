"""What differs between two JSON values, each difference at its place.

``...`` in what is expected stands for any value; as a key of an object, for any further members.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COMPARED", "EXPECTED", "Words", "differences", "shown"]

MAX_SHOWN = 120  # characters of one value
MAX_LISTED = 20  # differences


class Words(NamedTuple):
    """How a difference is told: ``{one}`` and ``{other}`` are the two values."""

    other_value: str
    missing: str
    surplus: str


EXPECTED: Final = Words("expected {one}, got {other}", "missing, expected {one}", "not expected: {other}")
COMPARED: Final = Words("{one} > {other}", "{one} > (absent)", "(absent) > {other}")


def differences(expected: Any, actual: Any, words: Words = EXPECTED) -> list[str]:
    """A line for each difference; none where the values are the same."""
    found = [*_between(expected, actual, "$", words)]
    more = len(found) - MAX_LISTED
    return found if more <= 0 else [*found[:MAX_LISTED], f"... and {more} more"]


def shown(value: Any) -> str:
    """A value as JSON, cut where it is long."""
    if value is ...:
        return "..."
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):  # a matcher of the test's own, such as pytest.approx
        text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _between(expected: Any, actual: Any, place: str, words: Words) -> Iterator[str]:
    if expected is ...:
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from _members(expected, actual, place, words)
    elif isinstance(expected, list | tuple) and isinstance(actual, list):
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from _between(one, other, f"{place}[{index}]", words)
        for index in range(len(actual), len(expected)):
            yield f"{place}[{index}]: {words.missing.format(one=shown(expected[index]))}"
        for index in range(len(expected), len(actual)):
            yield f"{place}[{index}]: {words.surplus.format(other=shown(actual[index]))}"
    elif not _same(expected, actual):
        yield f"{place}: {words.other_value.format(one=shown(expected), other=shown(actual))}"


def _members(expected: dict[Any, Any], actual: dict[Any, Any], place: str, words: Words) -> Iterator[str]:
    for name, value in expected.items():
        if name is ...:
            continue
        where = f"{place}.{name}" if str(name).isidentifier() else f"{place}[{json.dumps(name)}]"
        if name in actual:
            yield from _between(value, actual[name], where, words)
        else:
            yield f"{where}: {words.missing.format(one=shown(value))}"
    if ... not in expected:
        for name in (name for name in actual if name not in expected):
            where = f"{place}.{name}" if name.isidentifier() else f"{place}[{json.dumps(name)}]"
            yield f"{where}: {words.surplus.format(other=shown(actual[name]))}"


def _same(expected: Any, actual: Any) -> bool:
    """As JSON: true is not 1, but 1 is 1.0."""
    if isinstance(actual, bool) or isinstance(expected, bool):
        return (type(expected) is type(actual) and bool(expected == actual)) or _is_matcher(expected, actual)
    return bool(expected == actual)


def _is_matcher(expected: Any, actual: Any) -> bool:
    """Whether ``expected`` is an object of the test's own that says what it equals."""
    return not isinstance(expected, bool | int | float | str | list | dict) and bool(expected == actual)
