"""What stands in for a task: a value, a failure, a callable, each perhaps after a while, or several in turn."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import timedelta
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.engine.durations import Duration, how_often, milliseconds
from asl_engine.errors import AslError, StatesError
from asl_engine.resources.python.callables import accepts_context
from asl_engine.testing.differences import shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asl_engine.resources.python.context import TaskContext

__all__ = [
    "SLEEP",
    "Answer",
    "Answers",
    "AnswersExhausted",
    "calls",
    "fails",
    "in_turn",
    "returns",
    "sleep",
    "waits",
]

# Lets virtual time pass, for so many milliseconds, while a task is being answered.
SLEEP: ContextVar[Callable[[int], Awaitable[None]]] = ContextVar("SLEEP")


class Answer(NamedTuple):
    """One answer to one call, ``after`` so many milliseconds.

    ``function`` is called, or ``error`` is raised, or ``value`` is the result.  ``is_left`` means that the test
    answers, with the task's token or as a worker.
    """

    value: Any = None
    error: BaseException | type[BaseException] | None = None
    function: Callable[..., Any] | None = None
    after: int = 0
    is_left: bool = False

    def __str__(self) -> str:
        if self.is_left:
            return "waits()"
        if self.function is not None:
            return getattr(self.function, "__name__", repr(self.function))
        if isinstance(self.error, StatesError):
            return f"fails({self.error.error!r})"
        return shown(self.value) if self.error is None else repr(self.error)


class AnswersExhausted(AslError):
    """A task was called more often than its list has answers."""


def returns(value: Any, *, after: Duration = 0) -> Answer:
    """The task's result.  A list, which by itself stands for answers in turn, is one value here."""
    return Answer(value=value, after=milliseconds(after, "after"))


def fails(error: str, cause: str | None = None, *, after: Duration = 0) -> Answer:
    """The task fails with this error name, for Retry and Catch."""
    return Answer(error=StatesError(error, cause), after=milliseconds(after, "after"))


def calls(function: Callable[..., Any], *, after: Duration = 0) -> Answer:
    """``function(event)`` or ``function(event, context)`` answers, sync or async."""
    accepts_context(function, getattr(function, "__name__", "calls"))
    return Answer(function=function, after=milliseconds(after, "after"))


def waits() -> Answer:
    """Nobody answers until the test does, with ``run.task(...)``: for task tokens and activities."""
    return Answer(is_left=True)


async def sleep(duration: Duration) -> None:
    """Let virtual time pass, in an async callable that answers a task of a workflow under test."""
    pause = SLEEP.get(None)
    if pause is None:
        raise RuntimeError("sleep: only what answers a task of a workflow under test has virtual time to pass")
    await pause(milliseconds(duration, "sleep"))


def _read(given: object) -> Answer:
    if isinstance(given, Answer):
        return given
    if isinstance(given, BaseException) or (isinstance(given, type) and issubclass(given, BaseException)):
        return Answer(error=given)
    return Answer(function=given) if callable(given) else Answer(value=given)


class Answers:
    """A stand-in for a task, as ``asl_engine.run`` takes one: it answers the calls of one run in turn.

    What is not a list answers every call.
    """

    def __init__(self, key: str, given: object) -> None:
        self.key = key
        self.called = 0
        self._one = None if isinstance(given, list) else _read(given)
        self._turns = [_read(one) for one in given] if isinstance(given, list) else []
        for answer in [self._one, *self._turns]:
            if answer is not None and answer.function is not None:
                accepts_context(answer.function, key)

    @property
    def next_is_left(self) -> bool:
        """Whether the test itself answers the next call."""
        answer = self._one
        if answer is None and self.called < len(self._turns):
            answer = self._turns[self.called]
        return answer is not None and answer.is_left

    @property
    def takes_time(self) -> bool:
        """Whether an answer comes after a while."""
        return any(one.after for one in [self._one, *self._turns] if one is not None)

    def take(self) -> Answer:
        """Raises ``AnswersExhausted``."""
        number, self.called = self.called, self.called + 1
        if self._one is not None:
            return self._one
        if number >= len(self._turns):
            raise AnswersExhausted(
                f"tasks: {self.key!r} is called {how_often(number + 1)}, and its list has {len(self._turns)} "
                f"{'answer' if len(self._turns) == 1 else 'answers'}: [{', '.join(map(str, self._turns))}]. "
                "Every call takes the next one, those of retries and of loops too."
            )
        return self._turns[number]

    async def __call__(self, event: Any, context: TaskContext) -> Any:
        answer = self.take()
        if answer.after:
            await sleep(timedelta(milliseconds=answer.after))
        if answer.error is not None:
            raise answer.error
        if answer.function is None:
            return answer.value
        with_context = accepts_context(answer.function, self.key)
        result = answer.function(event, context) if with_context else answer.function(event)
        return await result if isawaitable(result) else result


def in_turn(tasks: Mapping[str, object]) -> dict[str, Answers]:
    """The stand-ins of one run.  Raises ``ProjectError`` for a callable that cannot be called as a task."""
    return {key: Answers(key, given) for key, given in tasks.items()}
