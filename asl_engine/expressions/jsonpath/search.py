"""One evaluation of a path: the document it is in, and the steps that are left to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import EvaluationError
from asl_engine.expressions.effort import EffortSpent

if TYPE_CHECKING:
    from asl_engine.expressions.effort import Effort

__all__ = ["CHARACTERS_PER_STEP", "MAX_STEPS", "Search", "work_of"]

CHARACTERS_PER_STEP: Final = 64
# A payload of AWS's largest size has some 130,000 values.  These steps take about a second.
MAX_STEPS: Final = 1_000_000


class Search:
    """``document`` is what ``$`` stands for in filters.

    A step is a value that a selector looks at, or 64 characters of a text that a filter looks into.  A few
    wildcards make any number of values of a small document, so a search that takes too many steps fails.
    """

    __slots__ = ("_effort", "document", "left", "most", "text")

    def __init__(self, document: Any, text: str, effort: Effort | None) -> None:
        self.document = document
        self.text = text
        self._effort = effort
        self.most = MAX_STEPS
        self.left = self.most if effort is None or effort.left > self.most else effort.left

    def spend(self, steps: int) -> None:
        """Call this before a list of this many values is made.  Raises ``EvaluationError``, ``EffortSpent``."""
        self.left -= steps
        if self.left >= 0:
            return
        if self._effort is not None and self._effort.left <= self.most:
            raise EffortSpent
        raise self.too_long()

    def too_long(self) -> EvaluationError:
        return EvaluationError(
            f"Invalid path '{self.text}' : Its evaluation takes more than {self.most} steps: it selects, "
            "or compares, too many values"
        )

    def end(self) -> None:
        """Take what was spent from the effort of the decision."""
        effort = self._effort
        if effort is not None:
            effort.left -= min(effort.left, self.most) - self.left


def work_of(value: Any) -> int:
    """How many steps it takes to compare a value with another."""
    steps = 0
    left = [value]
    while left:
        one = left.pop()
        kind = type(one)
        steps += 1
        if kind is list:
            left += one
        elif kind is dict:
            left += one.values()
        elif kind is str:
            steps += len(one) // CHARACTERS_PER_STEP
    return steps
