"""What the tasks of an execution were called with and gave: its log, as stand-ins for another run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core import events as ev
from asl_engine.json_values import canonical_text
from asl_engine.testing.answers import Answer, AnswersExhausted, fails, returns
from asl_engine.testing.differences import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["RecordedCall", "answers_of", "by_state", "calls_in", "recorded"]


class RecordedCall(NamedTuple):
    """A call of a state's task: its input, and what came of it."""

    state: str
    resource: str
    input: Any
    answer: Answer


def calls_in(log: Iterable[ev.Event]) -> list[RecordedCall]:
    """The calls that have ended, in the order in which they were made."""
    states: dict[int, str] = {}
    made: dict[int, ev.TaskScheduled] = {}
    ended: dict[int, RecordedCall] = {}
    for event in log:
        if isinstance(event, ev.StateEntered):
            states[event.frame] = event.name
        elif isinstance(event, ev.TaskScheduled):
            made[event.seq] = event
        elif isinstance(event, ev.TaskSucceeded | ev.TaskFailed | ev.TaskTimedOut):
            call = made[event.task]
            given = call.parameters.value
            ended[event.task] = RecordedCall(states[event.frame], call.resource, given, _answer(event))
    return [ended[seq] for seq in sorted(ended)]


def _answer(end: ev.TaskSucceeded | ev.TaskFailed | ev.TaskTimedOut) -> Answer:
    return returns(end.output.value) if isinstance(end, ev.TaskSucceeded) else fails(end.error or "", end.cause)


def answers_of(calls: Iterable[RecordedCall]) -> dict[str, Answer]:
    """Stand-ins by the names of the states."""
    return {
        state: recorded(*((call.input, call.answer) for call in made)) for state, made in by_state(calls).items()
    }


def by_state(calls: Iterable[RecordedCall]) -> dict[str, list[RecordedCall]]:
    of_states: dict[str, list[RecordedCall]] = {}
    for call in calls:
        of_states.setdefault(call.state, []).append(call)
    return of_states


def recorded(*calls: tuple[Any, object]) -> Answer:
    """Answers each call as it was answered then: ``calls`` are inputs and what came of them.

    Of several calls with one input each takes the next answer.  A call with an input that there was not takes the
    first answer that is left.  A call more than there were fails the test.
    """
    return Answer(function=_Recording([(given, _read(answer)) for given, answer in calls]))


def _read(given: object) -> Answer:
    return given if isinstance(given, Answer) else returns(given)


class _Recording:
    """Answers in turn, each once."""

    __name__ = "recorded"

    def __init__(self, calls: Sequence[tuple[Any, Answer]]) -> None:
        self._calls = [(canonical_text(given), answer) for given, answer in calls]
        self._left = [*self._calls]

    def __call__(self, event: Any) -> Any:
        if not self._left:
            raise AnswersExhausted(
                f"a task is called more often than it was recorded, {len(self._calls)} times: with {shown(event)}"
            )
        asked = canonical_text(event)
        taken = next((position for position, (given, _) in enumerate(self._left) if given == asked), 0)
        _, answer = self._left.pop(taken)
        if answer.error is not None:
            raise answer.error
        return answer.value
