"""What a Task's ``Resource`` can name.

A resource is one async callable, ``TaskCall -> Payload``, that raises ``StatesError`` to fail the
task.  Wrapping one in another is how behaviour is added; whatever else it raises is a defect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.jsontypes import Payload

__all__ = ["Resource", "TaskCall"]


class TaskCall(NamedTuple):
    """One attempt at one task.

    ``key`` is stable for the attempt, across crashes too: it names the event that scheduled it, so a
    callable that stores it can recognise a call it has already served.  ``deadline`` is in
    milliseconds since the epoch, None where the state sets no timeout.  ``heartbeat`` may be called
    from any thread.
    """

    resource: str
    input: Payload
    key: str
    attempt: int
    deadline: int | None
    execution: str
    state: str
    heartbeat: Callable[[], None]


Resource: TypeAlias = "Callable[[TaskCall], Awaitable[Payload]]"
