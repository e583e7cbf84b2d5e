"""The run-time structures of an evaluation: sequences, frames of names, functions, and the budget.

Evaluation is pure and bounded: the clock and the randomness are given, and every step costs, so
that an endless expression fails instead of holding up the engine.  Counting steps rather than
seconds makes the outcome the same on every machine and in every replay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.expressions.effort import EffortSpent
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from asl_engine.expressions.effort import Effort

__all__ = [
    "CHARACTERS_PER_STEP",
    "Cons",
    "Environment",
    "Evaluate",
    "Evaluation",
    "Sequence",
    "TupleStream",
    "collapse",
]

# MISSING stands for JSONata's "undefined" everywhere.
Evaluate: TypeAlias = "Callable[[Any, Environment], Any]"

CHARACTERS_PER_STEP: Final = 64
ITEMS_PER_STEP: Final = 8  # items that a function only reads


class Sequence(list[Any]):
    """Intermediate values: a sequence of one is its item, an empty one is MISSING.  Arrays stay arrays."""

    keep_singleton = False


class TupleStream(Sequence):
    """A sequence of frames: each item is the value ("@") with the names bound along the path."""


class Cons(list[Any]):
    """An array that a constructor within a path made: the path does not flatten it."""

    __slots__ = ()


def collapse(sequence: Sequence) -> Any:
    """The value of a sequence."""
    if len(sequence) > 1 or sequence.__class__ is TupleStream:
        return sequence
    if not sequence:
        return MISSING
    return sequence if sequence.keep_singleton else sequence[0]


class Evaluation:
    """One evaluation: its remaining steps, its clock (milliseconds since the epoch), its randomness."""

    __slots__ = ("_effort", "limit", "now", "random", "regex_seconds", "steps")

    def __init__(
        self, random: Random, now: int, steps: int, regex_seconds: float, effort: Effort | None = None
    ) -> None:
        self.random = random
        self.now = now
        self.limit = steps
        self.steps = steps if effort is None or effort.left > steps else effort.left
        self.regex_seconds = regex_seconds
        self._effort = effort

    def spend(self, steps: int) -> None:
        """Raises ``JsonataError`` D1012 when the budget is used up, ``EffortSpent`` when the effort is."""
        self.steps -= steps
        if self.steps < 0:
            if self._effort is not None and self._effort.left <= self.limit:
                raise EffortSpent
            raise JsonataError("D1012", value=self.limit)

    def end(self) -> None:
        """Take what was spent from the effort of the decision."""
        effort = self._effort
        if effort is not None:
            effort.left -= min(effort.left, self.limit) - self.steps

    def spend_text(self, length: int) -> None:
        """Call this before a text of this many characters is made."""
        self.spend(length // CHARACTERS_PER_STEP)


class Environment:
    """Names and their values, over those of the enclosing frame."""

    __slots__ = ("evaluation", "names", "outer")

    def __init__(self, names: dict[str, Any], outer: Environment | None, evaluation: Evaluation) -> None:
        self.names = names
        self.outer = outer
        self.evaluation = evaluation

    def inner(self, names: dict[str, Any]) -> Environment:
        return Environment(names, self, self.evaluation)

    def lookup(self, name: str) -> Any:
        frame: Environment | None = self
        while frame is not None:
            names = frame.names
            if name in names:
                return names[name]
            frame = frame.outer
        return MISSING
