"""What all state types have in common: their first fields, and what the interpreter asks of a state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from asl_engine.fields import ANY, BOOLEAN, NULLABLE_PATH, OBJECT, TEXT, Field, one_of, required

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.fields import Shape
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.turn import Turn

__all__ = [
    "ASSIGN_FIELDS",
    "COMMON_FIELDS",
    "INPUT_OUTPUT_FIELDS",
    "OUTPUT_FIELDS",
    "TRANSITION_FIELDS",
    "State",
    "StateType",
]

COMMON_FIELDS: dict[str, Field] = {
    "Type": required(TEXT),
    "Comment": TEXT,
    "QueryLanguage": one_of("JSONPath", "JSONata"),
}
INPUT_OUTPUT_FIELDS: dict[str, Field] = {"InputPath": NULLABLE_PATH, "OutputPath": NULLABLE_PATH}
ASSIGN_FIELDS: dict[str, Field] = {"Assign": OBJECT}
OUTPUT_FIELDS: dict[str, Field] = {"Output": ANY, "Assign": OBJECT}
TRANSITION_FIELDS: dict[str, Field] = {"Next": TEXT, "End": BOOLEAN}


@dataclass(eq=False, repr=False)
class State:
    """A compiled state.  The interpreter calls one method per phase; each emits the events that follow.

    A method that a state type does not override is one whose phase its frames never reach.
    """

    type: ClassVar[str]
    rewrites_input: ClassVar[bool] = False  # the history shows the input as we would write it, not as it came

    name: str
    next: str | None

    @property
    def takes_token(self) -> bool:
        """Whether the state's context object has a task token."""
        return False

    def enter(self, turn: Turn) -> None:
        """Begin the work: the state was entered, or a retry of its work is due."""
        raise NotImplementedError

    def scheduled(self, turn: Turn) -> None:
        """Start the work that was scheduled."""
        raise NotImplementedError

    def fork(self, turn: Turn) -> None:
        """Start as many branches or iterations as there is room for."""
        raise NotImplementedError

    def waited(self, turn: Turn) -> None:
        """Go on: the time the state waited for has come."""
        raise NotImplementedError

    def succeeded(self, turn: Turn) -> None:
        """Handle the result of the work."""
        raise NotImplementedError

    def failed(self, turn: Turn, error: str | None, cause: str | None) -> None:
        """Handle a failure of the work or of a field's evaluation: without Retry and Catch it ends all."""
        turn.fail(error, cause)


class StateType(NamedTuple):
    """An entry of the table of state types: which fields there are in either language, and how a state is made."""

    fields: Shape
    jsonata_fields: Shape
    compile: Callable[[Compiling], State]
