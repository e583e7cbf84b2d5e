"""What a Task's ``Resource`` can name.

A resource is one async callable, ``TaskCall -> Payload``, that raises ``StatesError`` to fail the
task; any other exception is a defect.  Wrapping a resource in another one adds behaviour.

A resource that starts work elsewhere reports this with ``submit``.  Then it either waits for that work itself
(a job that it polls) or returns ``PENDING``: the task stays open until a client answers with its token.
After a crash it is called again, with ``submitted`` set: it must not make the same request twice.
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
    """Ignore the reports of a call that was constructed by hand."""


class Trace(NamedTuple):
    """An observer of the requests that a task sends and the responses it gets, as TestState's TRACE shows them.

    ``tell`` takes "request" or "response", and the members of botocore's InspectionDataRequest or
    InspectionDataResponse; they contain a secret only if secrets are to be revealed.
    """

    tell: Callable[[str, dict[str, str]], None]
    reveal_secrets: bool = False


class TaskCall(NamedTuple):
    """One attempt at one task.

    ``key`` is stable for the attempt, across crashes too: it names the event that scheduled it, so a
    callable that stores it can recognise a call it has already served.  ``deadline`` is in
    milliseconds since the epoch, None if the state sets no timeout.  ``heartbeat`` may be called
    from any thread.

    ``role`` is the ARN that the state's Credentials field names, None for the execution's own role; ``token`` the
    task token of a resource that waits for one.  ``submitted`` is what this attempt submitted before a crash,
    None if it submitted nothing.  ``submit`` records that the work was started elsewhere, with the answer to
    that request, and returns when the record is on disk; a second call does nothing.  Within ``idle()`` a
    resource only waits for another execution: it does not keep time from being skipped.
    ``trace`` receives HTTP requests.

    ``deaths`` counts the processes that died while a task of this state ran, since the state was entered.
    ``payload_bytes`` is the most that an output may have, None where there is no limit.
    ``execution_id`` tells the execution from others that have had the same name.
    ``trace_parent`` is the W3C ``traceparent`` of the attempt, "" where nothing is traced.
    """

    resource: str
    input: Payload
    key: str
    attempt: int
    deadline: int | None
    execution: str
    state: str
    heartbeat: Callable[[], None]
    role: str | None = None
    token: str = ""
    submitted: Payload | None = None
    submit: Callable[[Payload], Awaitable[None]] = _submit_nowhere
    idle: Callable[[], AbstractContextManager[None]] = nullcontext
    trace: Trace | None = None
    deaths: int = 0
    payload_bytes: int | None = None
    execution_id: str = ""
    trace_parent: str = ""


# A resource that always answers itself, and one that may leave the answer to a client with the token.
Direct: TypeAlias = "Callable[[TaskCall], Awaitable[Payload]]"
Resource: TypeAlias = "Callable[[TaskCall], Awaitable[Payload | Pending]]"
