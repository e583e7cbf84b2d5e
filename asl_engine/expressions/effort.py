"""How much work expressions may be: steps are counted, so that the outcome is the same on every machine.

Two bounds count the same steps.  One evaluation may take so many, and fails with more.  A whole decision can be
given an ``Effort``, which only says how long it may hold up others: beyond it the decision is given up without an
outcome, and is taken again where it holds up nobody.
"""

from __future__ import annotations

__all__ = ["Effort", "EffortSpent"]


class EffortSpent(BaseException):
    """A decision takes too long for where it is taken: nothing is wrong with it, and nobody may handle this."""


class Effort:
    """The steps that are left to the expressions of one decision."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps
