"""Values worth trying where a condition reads: its literals, what lies next to them, and one of each type."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

from asl_engine.expressions.timestamps import parse_timestamp
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["KINDS", "TIMESTAMP", "neighbours", "pattern_examples", "timestamps_near"]

TIMESTAMP = "2024-01-01T00:00:00Z"
# One value of each type, those of people first.
KINDS: tuple[Json | Missing, ...] = ("text", 1, True, False, None, [], {}, MISSING)
ANYTHING = "\u2022"  # stands for what a wildcard matches: a character that no pattern has by itself
MOST_LISTED = 20
MOST_COMBINED = 4


def neighbours(literals: Iterable[Json]) -> tuple[Json | Missing, ...]:
    """The literals, what is a little more or less, what has so many items, and one of each type."""
    given = [*literals]
    found: list[Json | Missing] = [*given]
    for value in given:
        found += _near(value)
    found += _combined([one for one in given if isinstance(one, int | float) and not isinstance(one, bool)])
    found += [[one] for one in given if not isinstance(one, bool)]
    found += [True, False, *KINDS]
    return tuple(found)


def _combined(numbers: Sequence[float]) -> Iterator[Json]:
    """What calculations with the numbers of an expression may be after."""
    for one, other in permutations(numbers[:MOST_COMBINED], 2):
        yield from (one + other, one - other, one * other)
        if other and (quotient := one / other) != one:
            yield int(quotient) if quotient.is_integer() else quotient


def _near(value: Any) -> Iterator[Json]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield from (value + 1, value - 1, value + 0.5, value - 0.5, value + 1e-6, value - 1e-6)
        if isinstance(value, int):
            yield str(value)
            if 0 <= value <= MOST_LISTED:
                for count in (value + 1, value, max(value - 1, 0)):
                    yield [{}] * count
                yield "x" * value
                yield "x" * (value + 1)
    elif isinstance(value, str):
        if parse_timestamp(value) is not None:
            yield from timestamps_near(value)
        yield from (f"{value}x", f"x{value}", value[:-1], value.upper(), value.lower())


def timestamps_near(text: str) -> list[Json]:
    """A second later and a second earlier."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    shifted = (moment + timedelta(seconds=by) for by in (1, -1))
    return [one.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for one in shifted]


def pattern_examples(pattern: str) -> list[Json]:
    """Texts that a StringMatches pattern matches.

    The last has a character of its own for wildcards: a pattern that matches it matches all that this one does.
    """
    escaped = pattern.replace("\\\\", "\0").replace("\\*", "\1")
    made = (escaped.replace("*", filler) for filler in ("x", "", ANYTHING))
    return [one.replace("\0", "\\").replace("\1", "*") for one in made]
