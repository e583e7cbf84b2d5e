"""What serves the tasks of a run under test: the test's own answers, a test case's mocks, the test itself."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import integration_name, is_activity, waits_for_token
from asl_engine.errors import AslError, ProjectError, StatesError
from asl_engine.inspection.question import Refusal
from asl_engine.project.stand_ins import CallableStandIns, CalledTask, closest
from asl_engine.resources import PENDING
from asl_engine.resources.mocks.results import check_result
from asl_engine.testing.answers import SLEEP, AnswersExhausted
from asl_engine.testing.lacking import NotOnTarget

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asl_engine.core.execution import OpenTask
    from asl_engine.engine.mocking import Mocking
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload
    from asl_engine.project.stand_ins import Fallback
    from asl_engine.resources import Pending, Resource, TaskCall
    from asl_engine.resources.mocks.results import FieldValidation
    from asl_engine.testing.answers import Answers

__all__ = ["LabTasks", "MockRefused", "is_left_to_tests"]

LAMBDA_INVOKE: Final = "lambda:invoke"


class MockRefused(AslError):
    """A mocked result is none that the service could have given."""


def is_left_to_tests(task: CalledTask) -> bool:
    """Whether only somebody outside can answer a task, for whom the test stands."""
    return is_activity(task.resource) or waits_for_token(task.resource)


async def _left(call: TaskCall) -> Pending:
    """The test answers."""
    del call
    return PENDING


class LabTasks(CallableStandIns):
    """Answers of the test, checked against the service's model as ``validation`` says; behind them the project.

    ``originals`` are the tasks for which the definition that runs has activities, by their states: they are
    answered as what they were.  ``refused`` collects what no Retry or Catch may see: the test itself is wrong, or
    has found something.
    """

    def __init__(
        self,
        given: Mapping[str, Answers],
        fallback: Fallback,
        validation: FieldValidation,
        mocking: Mocking | None,
        originals: Mapping[str, CalledTask] | None = None,
    ) -> None:
        super().__init__(given, fallback)
        self.answers = given
        self.refused: list[BaseException] = []
        self.sleep: Callable[[int], Awaitable[None]] | None = None
        self._validation = validation
        self._mocking = mocking
        self._originals = originals or {}

    @property
    def has_workers(self) -> bool:
        """Whether a task that is left to the test is taken at once, as by the worker that a target's has."""
        return bool(self._originals)

    async def find(self, call: TaskCall) -> Resource | None:
        found = await self._find(self._original(call))
        if found is None or call.state not in self._originals:
            return found

        async def answer(call: TaskCall) -> Payload | Pending:
            return await found(self._original(call))

        return answer

    def _original(self, call: TaskCall) -> TaskCall:
        original = self._originals.get(call.state)
        return call if original is None else call._replace(resource=original.resource)

    async def _find(self, call: TaskCall) -> Resource | None:
        mocked = await self._mocked(call)
        if mocked is not None:
            return self._watched(mocked)
        task = self.called(call)
        found = closest(self.given, task)
        if self._takes_left(found) or (found is None and is_left_to_tests(task)):
            return _left
        try:
            answer = await CallableStandIns.find(self, call)
        except AslError as error:
            raise self._refuse(error) from error
        return None if answer is None else self._watched(answer)

    async def _mocked(self, call: TaskCall) -> Resource | None:
        """What the test case says."""
        try:
            return None if self._mocking is None else await self._mocking.find(call)
        except StatesError as error:  # the configuration says nothing of this call
            raise self._refuse(ProjectError(error.cause or "")) from error

    def covers(self, run: Run, task: OpenTask) -> bool:
        if self._mocking is not None and self._mocking.covers(run, task):
            return True
        state = task.frame.state
        found = closest(self.given, self._originals.get(state) or CalledTask(state, task.resource))
        return found is not None and not self._takes_left(found)

    def _takes_left(self, found: tuple[str, bool] | None) -> bool:
        """Whether the next answer is the test's own; then it is used up."""
        answers = None if found is None else self.answers[found[0]]
        if answers is None or not answers.next_is_left:
            return False
        answers.take()
        return True

    def _watched(self, answer: Resource) -> Resource:
        async def watched(call: TaskCall) -> Payload | Pending:
            if self.sleep is not None:
                SLEEP.set(self.sleep)
            try:
                output = await answer(call)
            except StatesError as error:
                found = _of_the_test(error)
                if found is None:
                    raise
                raise self._refuse(found) from found
            if output is not PENDING and integration_name(call.resource) is not None:
                self._check(call, output)
            return output

        return watched

    def _check(self, call: TaskCall, output: Payload) -> None:
        try:
            check_result(call.resource, _modelled(call.resource, output.value), self._validation)
        except Refusal as refusal:
            raise self._refuse(
                MockRefused(
                    f"tasks: the state {call.state!r} has a result that {call.resource} could not give: {refusal} "
                    "(validation='PRESENT' asks for no required fields, 'NONE' for nothing)"
                )
            ) from refusal

    def _refuse(self, error: BaseException) -> StatesError:
        """What the run ends with, while the test hears of the error itself."""
        self.refused.append(error)
        return StatesError("States.Runtime", str(error))


def _modelled(resource: str, result: Any) -> Any:
    """What of a result has a model: what a function returns has none, though TestState takes it for a text."""
    if integration_name(resource) != LAMBDA_INVOKE or not isinstance(result, dict):
        return result
    return {name: value for name, value in result.items() if name != "Payload"}


def _of_the_test(error: BaseException) -> BaseException | None:
    """What a stand-in has raised that is no failure of a task: a failed assertion, a list that has run out."""
    cause = error.__cause__
    while cause is not None:
        if isinstance(cause, AssertionError | AnswersExhausted | NotOnTarget):
            return cause
        if not isinstance(cause, Exception | SystemExit | CancelledError):  # pytest.fail, pytest.skip
            return cause
        cause = cause.__cause__
    return None
