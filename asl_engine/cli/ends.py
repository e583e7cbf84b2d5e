"""What a command says when a task ends its process with ``os._exit``: no code of its own, and never success."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from asl_engine.cli.output import err

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ENDED_BY_TASK", "end_at_once", "told_of_ends"]

ENDED_BY_TASK = 75  # EX_TEMPFAIL of sysexits.h: it may be tried again
end_at_once = os._exit  # for those who end their own process


@contextmanager
def told_of_ends(then: str) -> Iterator[None]:
    """While tasks run: ``os._exit`` ends the process with a message and with ``ENDED_BY_TASK``.

    The process ends all the same, at once and without any cleaning up, as whoever tests a crash relies on.  Only
    the status is another: a task's 0 would tell that the execution has succeeded.  ``then`` says what can be
    done.  Children of this process keep what Python gives them: multiprocessing ends its forks so.
    """
    process = os.getpid()

    def end(status: int) -> NoReturn:
        if os.getpid() != process:
            end_at_once(status)
        err(f"a task has ended the process, with os._exit({status}): {then}")
        end_at_once(ENDED_BY_TASK)

    os._exit = end
    try:
        yield
    finally:
        os._exit = end_at_once
