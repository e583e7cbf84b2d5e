"""An answer that somebody gives to a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asl_engine.payload import Payload

__all__ = ["GivenAnswer"]


class GivenAnswer(NamedTuple):
    """An ``output``, or else an error.  ``once``: it is for the next call only."""

    output: Payload | None = None
    error: str | None = None
    cause: str | None = None
    once: bool = False

    @property
    def told(self) -> str:
        if self.output is not None:
            return self.output.text
        return f"the error {self.error}{f': {self.cause}' if self.cause else ''}"

    def __str__(self) -> str:
        return f"{self.told}{'  (the next call)' if self.once else ''}"
