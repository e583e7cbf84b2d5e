"""How much work expressions may be: steps are counted, so that the outcome is the same on every machine.

Two bounds count the same steps.  One evaluation may take so many, and fails with more.  A whole decision can be
given an ``Effort``, which only says how long it may hold up others: beyond it the decision is given up without an
outcome, and is taken again where it holds up nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["Effort", "EffortSpent"]


# What Python takes about as long for as for a step of JSONata.
STEPS_PER_ITEM: Final = 2
CHARACTERS_PER_STEP: Final = 8


class EffortSpent(BaseException):
    """A decision takes too long for where it is taken: nothing is wrong with it, and nobody may handle this."""


class Effort:
    """The steps that are left to the expressions of one decision."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend_on(self, *values: Json) -> None:
        """Call this before all of these values are looked at.  Raises ``EffortSpent``."""
        left = self.left
        ahead: list[Json] = [*values]
        while ahead and left >= 0:
            value = ahead.pop()
            if isinstance(value, str):
                left -= len(value) // CHARACTERS_PER_STEP
            elif isinstance(value, dict | list):
                items = value.values() if isinstance(value, dict) else value
                left -= STEPS_PER_ITEM * len(value)
                ahead += [item for item in items if isinstance(item, dict | list)]
        self.left = left
        if left < 0:
            raise EffortSpent
