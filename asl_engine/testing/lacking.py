"""What a target cannot do for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.errors import AslError

if TYPE_CHECKING:
    from asl_engine.errors import Parameter

__all__ = ["RAISED", "NotOnTarget"]

RAISED: list[NotOnTarget] = []


class NotOnTarget(AslError):
    """The test needs something that a target does not have: under pytest, it is skipped with this reason.

    ``RAISED`` has all that were raised, those too that a test has swallowed: it must not pass for that.
    """

    def __init__(self, *parts: str | Parameter) -> None:
        super().__init__(*parts)
        RAISED.append(self)
