"""What the children of a Map Run have put out, while it is small enough for a state's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.engine.map_runs.results import failed_result
from asl_engine.errors import StatesError
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution

__all__ = ["Outputs"]


class Outputs:
    """The outputs of the children that have ended, by number; ``limit`` is that of a payload in bytes."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._texts: dict[int, str] = {}
        self._bytes = len("[]")

    def keep(self, number: int, child: Execution) -> None:
        text = failed_result(child) if child.output is None else child.output.text
        self._bytes += utf8_length(text) + (number > 0)
        if self.are_too_large:
            self._texts.clear()  # whatever is still to come
        else:
            self._texts[number] = text

    @property
    def are_too_large(self) -> bool:
        return self._limit is not None and self._bytes > self._limit

    def joined(self, state: str) -> Payload:
        """The output of the Map state.  Raises ``StatesError`` where it is too large."""
        if self.are_too_large:
            raise StatesError(
                "States.DataLimitExceeded",
                f"The state/task '{state}' returned a result with a size exceeding "
                "the maximum number of bytes service limit.",
            )
        return Payload.of_text(f"[{','.join(self._texts[number] for number in sorted(self._texts))}]")
