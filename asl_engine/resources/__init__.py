"""What a Task's ``Resource`` can name.

A resource is one async callable, ``TaskCall -> Payload``, that raises ``StatesError`` to fail the
task.  Wrapping one in another is how behaviour is added; whatever else it raises is a defect.

One that starts work elsewhere reports so with ``submit``.  Then it either waits for that work itself (a
job that is polled) or returns ``PENDING``: the task stays open until somebody answers with its token.
After a crash it is called again, with ``submitted`` set: what was asked for must not be asked for twice.
"""

from __future__ import annotations

from contextlib import nullcontext
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from asl_engine.payload import Payload

__all__ = ["PENDING", "Direct", "Pending", "Resource", "TaskCall", "Trace"]


class _Pending(Enum):
    PENDING = auto()


Pending: TypeAlias = Literal[_Pending.PENDING]
PENDING: Final = _Pending.PENDING


async def _submit_nowhere(_output: Payload) -> None:
    """What a call that was made up by hand reports to."""


class Trace(NamedTuple):
    """Somebody who wants to see what a task sends and is answered, as TestState's TRACE shows it.

    ``tell`` is given "request" or "response", and the members of botocore's InspectionDataRequest or
    InspectionDataResponse; a secret is in them only where they are to be revealed.
    """

    tell: Callable[[str, dict[str, str]], None]
    reveal_secrets: bool = False


class TaskCall(NamedTuple):
    """One attempt at one task.

    ``key`` is stable for the attempt, across crashes too: it names the event that scheduled it, so a
    callable that stores it can recognise a call it has already served.  ``deadline`` is in
    milliseconds since the epoch, None where the state sets no timeout.  ``heartbeat`` may be called
    from any thread.

    ``credentials`` is the state's evaluated Credentials field, ``token`` the task token of a resource that
    waits for one.  ``submitted`` is what this attempt has submitted before a crash, None where it has
    nothing.  ``submit`` records that the work was started elsewhere, with the answer to that request, and
    returns when that is on disk; a second call does nothing.  Within ``idle()`` a resource only waits for
    another execution: where time is skipped, it does not hold it.  ``trace`` is told of HTTP requests.
    """

    resource: str
    input: Payload
    key: str
    attempt: int
    deadline: int | None
    execution: str
    state: str
    heartbeat: Callable[[], None]
    credentials: Payload | None = None
    token: str = ""
    submitted: Payload | None = None
    submit: Callable[[Payload], Awaitable[None]] = _submit_nowhere
    idle: Callable[[], AbstractContextManager[None]] = nullcontext
    trace: Trace | None = None


# One that always answers itself, and one that may leave it to others.
Direct: TypeAlias = "Callable[[TaskCall], Awaitable[Payload]]"
Resource: TypeAlias = "Callable[[TaskCall], Awaitable[Payload | Pending]]"
