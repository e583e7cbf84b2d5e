"""What the interpreter asks of a state, whatever its type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from asl_engine.core.failing import fail

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision

__all__ = ["State"]


@dataclass(eq=False, repr=False)
class State:
    """A compiled state.  The interpreter calls one method per phase; each emits the events that follow.

    A method that a state type does not override is one whose phase its frames never reach.
    """

    type: ClassVar[str]
    rewrites_input: ClassVar[bool] = False  # the history shows the input as we would write it, not as it came

    name: str
    next: str | None
    takes_token: bool = field(default=False, init=False)  # whether the context object has a task token

    def enter(self, decision: Decision) -> None:
        """Begin the work: the state was entered, or a retry of its work is due."""
        raise NotImplementedError

    def scheduled(self, decision: Decision) -> None:
        """Start the work that was scheduled."""
        raise NotImplementedError

    def fork(self, decision: Decision) -> None:
        """Start as many branches or iterations as there is room for."""
        raise NotImplementedError

    def waited(self, decision: Decision) -> None:
        """Go on: the time the state waited for has come."""
        raise NotImplementedError

    def succeeded(self, decision: Decision) -> None:
        """Handle the result of the work."""
        raise NotImplementedError

    def failed(self, decision: Decision, error: str | None, cause: str | None) -> None:
        """Handle a failure of the work or of a field's evaluation: without Retry and Catch it ends all."""
        fail(decision, error, cause)
