"""Small effects of the engine: answering futures, ending tasks, making tokens and identities."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asl_engine.arn import execution_arn, role_arn, state_machine_arn
from asl_engine.core.execution import Identity
from asl_engine.core.task_tokens import task_token
from asl_engine.errors import AslError, ExecutionBusy, StoreError
from asl_engine.resources.log_subjects import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution, OpenTask

__all__ = ["dismiss", "driven_alone", "local_identity", "readable", "report_defect", "resolve", "token_of"]

log = logging.getLogger("asl_engine.engine")

# How long leaving the engine waits for tasks that were cancelled.
FAREWELL_TIMEOUT = 1.0


def local_identity(region: str, account: str, machine_name: str, name: str, started_at: int) -> Identity:
    """Who an execution of a machine is that is in no list of state machines."""
    return Identity(
        arn=execution_arn(region, account, machine_name, name),
        name=name,
        machine_arn=state_machine_arn(region, account, machine_name),
        machine_name=machine_name,
        role_arn=role_arn(region, account),
        started_at=started_at,
    )


def token_of(execution: Execution, task: OpenTask) -> str:
    """What the task's token is, or would be."""
    return task_token(execution.salt, execution.identity.arn, task.key)


def report_defect(arn: str, defect: Exception) -> None:
    """Our own mistakes are loud; they end no more than the execution that came across them."""
    log.error("a defect of asl-engine ends the execution %s", arn, exc_info=defect, extra=about(arn))


@contextmanager
def readable(arn: str) -> Iterator[None]:
    """Raises ``StoreError`` for what the log of an execution should not have led to, so that others go on."""
    try:
        yield
    except AslError:
        raise
    except Exception as defect:
        log.exception("a defect of asl-engine keeps the execution %s from going on", arn, extra=about(arn))
        reason = f"{type(defect).__name__}: {defect}"
        raise StoreError(f"The log of the execution {arn} cannot be followed: {reason}") from defect


@contextmanager
def driven_alone(driven: set[str], arn: str) -> Iterator[None]:
    """Put an execution among those that are ``driven``.  Raises ``ExecutionBusy`` where it is one of them.

    If what is done meanwhile fails, it is none of them.
    """
    if arn in driven:
        raise ExecutionBusy(f"The execution {arn} is being run by this process already")
    driven.add(arn)
    try:
        yield
    except BaseException:
        driven.discard(arn)
        raise


def resolve(heard: asyncio.Future[list[Event]], result: list[Event] | BaseException | None) -> None:
    """Let whoever asked hear what has followed, or what has gone wrong."""
    if heard.done():  # they are gone
        return
    if isinstance(result, asyncio.CancelledError):
        heard.cancel()
    elif isinstance(result, BaseException):
        heard.set_exception(result)
    else:
        heard.set_result(result or [])


async def dismiss(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait until they are done, but not for ever."""
    for task in tasks:
        if not task.cancelling():  # one that was given up may be stopping what it has started
            task.cancel()
    if not tasks:
        return
    _, stuck = await asyncio.wait(tasks, timeout=FAREWELL_TIMEOUT)
    for task in stuck:
        # A callable that will not be cancelled. The loop must not wait for it either when it closes.
        asyncio._unregister_task(task)  # noqa: SLF001  documented in "Extending asyncio"
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001  nobody is to be told
