"""Bounds for regular expressions, which the texts that they meet can keep busy for ever.

Python's ``re`` cannot be interrupted.  The ``regex`` module can, and lets other threads run meanwhile.  A
search first gets a short time: nearly all need no more.  A longer search costs steps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["MAX_REPETITIONS", "SECONDS", "attempts", "is_linear", "repetitions", "timed"]

REPETITION: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")
# The product of all counted repetitions: nested ones are multiplied out when a pattern is compiled.
MAX_REPETITIONS: Final = 100_000
QUICK_SECONDS: Final = 0.0005
SECONDS_PER_CHARACTER: Final = 1e-7
SLOW_SECONDS: Final = 0.02
SLOW_STEPS: Final = 4_000
SECONDS: Final = 2.0
SEARCHES_WITHOUT_HOPE: Final = 3  # the number of longest searches that one evaluation can afford
# What can make a pattern take more than linear time: a group, which may be repeated, or two repetitions.
COSTLY: Final = re.compile(r"\(|[*+?{].*[*+?{]", re.DOTALL)


def repetitions(pattern: str) -> int:
    """How often a pattern's innermost part may be repeated, by its counted repetitions."""
    product = 1
    for low, high in REPETITION.findall(pattern):
        product *= max(int(low[:9]), int(high[:9] or 1), 1)
    return product


def is_linear(pattern: str) -> bool:
    """Whether a match is sure to take a time in proportion to its text: there is no group and one repetition."""
    return COSTLY.search(pattern) is None


def attempts(characters: int, steps: int, seconds: float) -> Iterator[tuple[float, int]]:
    """The times that a search through a text gets, one after the other, and what each costs of ``steps``."""
    yield QUICK_SECONDS + characters * SECONDS_PER_CHARACTER, 1 + characters // 64
    yield SLOW_SECONDS, SLOW_STEPS
    yield seconds, steps // SEARCHES_WITHOUT_HOPE


def timed(
    search: Callable[..., Any],
    arguments: tuple[Any, ...],
    times: Iterator[tuple[float, int]],
    spend: Callable[[int], None],
) -> Any:
    """What ``search`` of a compiled pattern gives within the times, which are spent.  Raises ``TimeoutError``."""
    for seconds, steps in times:
        spend(steps)
        try:
            return search(*arguments, timeout=seconds)
        except TimeoutError:
            continue
    raise TimeoutError
