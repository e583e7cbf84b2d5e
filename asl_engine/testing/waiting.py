"""What a run waits for, and the tasks that the test answers for somebody outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core.execution import OpenTask, OpenTimer, Phase
from asl_engine.core.stimuli import TaskReported, WorkerReported
from asl_engine.engine.durations import in_words
from asl_engine.engine.effects import token_of
from asl_engine.engine.heartbeats import of_task
from asl_engine.errors import InvalidInput
from asl_engine.json_text import dumps
from asl_engine.payload import Payload
from asl_engine.projections.moments import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.run import Run
    from asl_engine.json_values import Json

__all__ = ["NEXT_ATTEMPT", "Awaited", "WaitingTask", "awaited", "waiting_tasks"]

NEXT_ATTEMPT = "the next attempt"


class Awaited(NamedTuple):
    """One thing that a run waits for.  ``due`` is when it comes or times out, in milliseconds, None if never."""

    state: str
    what: str
    due: int | None

    def __str__(self) -> str:
        until = "" if self.due is None else f" until {utc(self.due)}"
        return f"{self.state}: {self.what}{until}"

    def told(self, now: int) -> str:
        """The same, with how long that is from ``now``."""
        if self.due is None:
            return f"{self.state}: {self.what}"
        left = in_words(max(0, self.due - now))
        return f"{self.state}: {self.what} {f'in {left}' if self.what == NEXT_ATTEMPT else f'({left} left)'}"


def awaited(runs: Iterable[Run]) -> list[Awaited]:
    return [
        Awaited(work.frame.state, _what(run, work), work.due)
        for run in runs
        for work in tuple(run.execution.open.values())
        if isinstance(work, OpenTask | OpenTimer)
    ]


def _what(run: Run, work: OpenTask | OpenTimer) -> str:
    if isinstance(work, OpenTimer):
        return NEXT_ATTEMPT if work.frame.phase is Phase.BACKOFF else "the time"
    if not _is_left(run, work):
        return "its task, which runs"
    if work.is_activity:
        return "an answer of the worker" if work.started else "a worker"
    return "an answer with its task token" if work.submitted is not None else "an answer"


def _is_left(run: Run, work: OpenTask) -> bool:
    """Whether somebody outside is to answer."""
    return work.key in run.pending and work.key not in run.tasks


def waiting_tasks(
    runs: Iterable[Run], now: Callable[[], int], tell: Callable[[Run, Stimulus], None]
) -> Iterator[WaitingTask]:
    for run in runs:
        for work in tuple(run.execution.open.values()):  # a thread may be deciding
            if isinstance(work, OpenTask) and _is_left(run, work):
                yield WaitingTask(run, work, now, tell)


class WaitingTask:
    """A task that waits for somebody outside, for whom the test answers.

    ``input`` is what the task was called with, ``token`` its task token, ``attempt`` counts from 0.
    """

    def __init__(
        self, run: Run, work: OpenTask, now: Callable[[], int], tell: Callable[[Run, Stimulus], None]
    ) -> None:
        self.state = work.frame.state
        self.input: Any = work.parameters.value
        self.token = token_of(run.execution, work)
        self.attempt = work.attempt
        self._run = run
        self._work = work
        self._now = now
        self._tell = tell

    def __repr__(self) -> str:
        return f"<task of {self.state!r}, attempt {self.attempt}>"

    def take(self, worker: str | None = None) -> WaitingTask:
        """Take the task of an activity, as a worker that polls.  Its timeouts count from here."""
        self._check()
        if self._work.is_activity and not self._work.started:
            self._tell(self._run, WorkerReported(self._now(), self._work.key, worker))
        return self

    def succeed(self, output: Json) -> None:
        """As SendTaskSuccess."""
        text = dumps(output)
        self.take()
        self._tell(self._run, TaskReported(self._now(), self._work.key, Payload.of_text(text)))

    def fail(self, error: str | None = None, cause: str | None = None) -> None:
        """As SendTaskFailure."""
        self.take()
        self._tell(self._run, TaskReported(self._now(), self._work.key, None, error, cause))

    def heartbeat(self) -> None:
        """As SendTaskHeartbeat."""
        self.take()
        stimulus = of_task(self._run, self._work.key, self._now())
        if stimulus is not None:
            self._tell(self._run, stimulus)

    def _check(self) -> None:
        if self._work.key not in self._run.execution.open or self._run.done.done():
            raise InvalidInput(
                f"the task of {self.state!r} (attempt {self.attempt}) does not wait any more: "
                "it was answered, has timed out, or its execution has ended"
            )
