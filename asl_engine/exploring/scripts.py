"""What a run is given: documents, and faults among its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json

__all__ = ["MOST_EVENTS", "Injected", "Script"]

MOST_EVENTS = 400  # of one run: a loop that has not ended by then is left


class Injected(NamedTuple):
    """The call of a state's task with this ``number``, from 0, fails with an error.

    So do those after it, ``times`` calls in all; None stands for all.
    """

    state: str
    number: int
    error: str
    times: int | None = 1

    def hits(self, state: str, number: int) -> bool:
        ended = self.times is not None and number >= self.number + self.times
        return self.state == state and number >= self.number and not ended


class Script(NamedTuple):
    """What a run is given.  A call that ``docs`` has nothing for is given what suits its state otherwise."""

    docs: Mapping[str, Json]
    faults: tuple[Injected, ...] = ()
