"""Randomness that is seeded when it is first asked for."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LazyRandom"]


class LazyRandom(Random):
    """Seeding costs more than most evaluations: it is left until a random number is asked for."""

    def __new__(cls, make: Callable[[], Random]) -> Self:
        del make
        return super().__new__(cls)

    def __init__(self, make: Callable[[], Random]) -> None:
        self._make = make
        self._made: Random | None = None

    def _random(self) -> Random:
        if self._made is None:
            self._made = self._make()
        return self._made

    def random(self) -> float:
        return self._random().random()

    def getrandbits(self, k: int, /) -> int:
        return self._random().getrandbits(k)
