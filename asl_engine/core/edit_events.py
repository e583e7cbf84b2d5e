"""What people have done to an execution from the side: forked it, held it, given it other data.

They are used through ``events``, where the others are and where the head of five fields is explained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asl_engine.payload import Payload

__all__ = ["ExecutionForked", "HeldByDebugger", "InputReplaced", "VariablesReplaced"]


class ExecutionForked(NamedTuple):
    """All events before this one are those of the execution ``origin``, an ARN, which this one goes on from.

    Map Runs that were under way are not shared: their states begin them anew.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    origin: str


class HeldByDebugger(NamedTuple):
    """A debugger has stopped the execution, as a whole.  Nothing else follows from it.

    It is kept so that a replay stops there too: what came from outside meanwhile comes before the next step.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int


class InputReplaced(NamedTuple):
    """Somebody has given the state that the frame is about to enter another input.

    Where the frame has left its last state, that is its output.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    input: Payload


class VariablesReplaced(NamedTuple):
    """Somebody has set variables: ``variables`` is an object of all that the frame now has."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    variables: Payload
