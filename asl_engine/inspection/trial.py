"""A trial: one state, run by the interpreter from entry until its outcome is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.core import events as ev
from asl_engine.core.apply import apply
from asl_engine.core.decision import Decision
from asl_engine.core.execution import Execution, OpenMapRun, OpenTask, OpenTimer
from asl_engine.core.interpreter import advance
from asl_engine.core.machine import StateMachine
from asl_engine.core.stimuli import Resumed, TaskReported, WorkerReported
from asl_engine.inspection.observed import Elsewhere, MockedWork, Observation, Observed
from asl_engine.inspection.question import Refusal, StateConfiguration
from asl_engine.inspection.verdict import Verdict, verdict_of
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.states.tolerances import exceeds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.core.execution import Identity
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.errors import StatesError
    from asl_engine.inspection.map_stages import Datasets
    from asl_engine.inspection.question import StateMock
    from asl_engine.inspection.subject import Subject
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload

__all__ = ["MAX_SECONDS", "Trial"]

# AWS documentation: "The TestState API can run for up to five minutes."
MAX_SECONDS: Final = 300
THRESHOLD_ERROR: Final = "States.ExceedToleratedFailureThreshold"
THRESHOLD_CAUSE: Final = "The specified tolerated failure threshold was exceeded"


class Trial:
    """``variables`` are those that the state sees; ``context`` is a context object, None for the default one.

    ``datasets`` reads and batches for a distributed Map.

    After ``begin``, the caller does the ``open`` work and reports it with ``take``, until the trial is
    ``over``.  A mocked trial is over at once, except for a Wait state, which waits.
    """

    def __init__(  # noqa: PLR0917  each is another part of the surroundings
        self,
        subject: Subject,
        identity: Identity,
        input: Payload,  # noqa: A002  the specification's own term
        variables: Mapping[str, Json] | None = None,
        context: dict[str, Json] | None = None,
        mock: StateMock | None = None,
        configuration: StateConfiguration | None = None,
        limits: Limits = AWS_LIMITS,
        *,
        datasets: Datasets,
    ) -> None:
        self.input = input
        self.record = Observation()
        self.events: list[ev.Event] = []
        self.execution = Execution(identity)
        self.variables: Mapping[str, Json] = variables or {}
        self._mock = mock
        self._configuration = configuration or StateConfiguration()
        self.limits = limits
        self._subject = subject
        self._context = context
        state, language = subject.state, subject.language
        observed = (
            MockedWork(state, language, self.record, datasets)
            if mock is not None and subject.type in {"Map", "Parallel"}
            else Observed(state, language, self.record)
        )
        self._machine = StateMachine(
            text="",
            digest="",
            start_at=state.name,
            states=_States({state.name: observed}),
            timeout=MAX_SECONDS,
            resources=(),
        )

    def begin(self) -> None:
        """Enter the state; a mock reports at once.

        Raises ``Refusal`` if the configuration does not fit what the state makes of its input.
        """
        x, state = self.execution, self._subject.state
        at = x.identity.started_at
        apply(x, ev.ExecutionStarted(1, 1, 0, at, 0, self.input))
        apply(x, ev.StateEntered(2, 2, 0, at, 0, state.name, state.type, self.input))
        frame = x.frames[0]
        frame.variables = self.variables
        frame.retry_count = self._configuration.retrier_retry_count or 0
        # They count for the retrier that matches the error; which one that is turns out later.
        recovery: Any = getattr(state, "recovery", None)
        if recovery is not None:
            frame.retries = dict.fromkeys(range(len(recovery.retriers)), frame.retry_count)
        self.take(Resumed(at))
        work = self.open
        if self._mock is not None and isinstance(work, OpenTask):
            if not work.started:  # an activity's
                self.take(WorkerReported(at, work.key))
            self.take(self._mocked_report(at, work.key, self._mock))

    def take(self, stimulus: Stimulus) -> None:
        self.events += advance(self._machine, self.execution, stimulus, self.limits, make_decision=self._decision)

    @property
    def over(self) -> bool:
        return self.execution.status != "RUNNING" or any(isinstance(e, ev.RetryScheduled) for e in self.events)

    @property
    def open(self) -> OpenTask | OpenTimer | None:
        """What the state waits for."""
        work = next(iter(self.execution.open.values()), None)
        assert not isinstance(work, OpenMapRun)  # noqa: S101  a Map state's iterations are mocked
        return work

    def verdict(self) -> Verdict:
        """The outcome of the state; only when the trial is ``over``."""
        return verdict_of(self.execution, self.events, self.record, self.variables)

    def _decision(
        self, execution: Execution, at: int, limits: Limits, activity_exists: Callable[[str], bool]
    ) -> Decision:
        decision = _TrialDecision(execution, at, limits, activity_exists)
        decision.given = self._context
        return decision

    def _mocked_report(self, at: int, task: int, mock: StateMock) -> TaskReported:
        self._check_failure_count()
        if mock.result is None:
            return TaskReported(at, task, None, mock.error, mock.cause)
        if self._exceeds_threshold():
            return TaskReported(at, task, None, THRESHOLD_ERROR, THRESHOLD_CAUSE)
        return TaskReported(at, task, mock.result)

    def _exceeds_threshold(self) -> bool:
        """Whether the configured number of failed iterations exceeds what the Map state tolerates."""
        stages: Any = self.record.stages
        return exceeds(
            self._configuration.map_iteration_failure_count or 0,
            stages.get("toleratedFailureCount", 0),
            stages.get("toleratedFailurePercentage", 0),
            self.record.items,
        )

    def _check_failure_count(self) -> None:
        """Raises ``Refusal`` if the configured number of failed iterations exceeds the number of iterations."""
        failed, items = self._configuration.map_iteration_failure_count or 0, self.record.items
        if items is not None and failed > items:
            raise Refusal(
                f"MapIterationFailureCount {failed} exceeds the number of items of the Map state, {items}."
            )


class _States(dict[str, Any]):
    """The state under test; any other ends the test."""

    def __missing__(self, name: str) -> Elsewhere:
        return Elsewhere(name, None)


class _TrialDecision(Decision):
    """A decision with its own context object, and in whose failures no event is named: there is no history."""

    __slots__ = ("given",)

    given: dict[str, Json] | None

    def context(self) -> dict[str, Json]:
        if self.given is not None:
            return dict(self.given)
        context: dict[str, Any] = super().context()
        del context["Execution"]["RedriveCount"]  # recorded from AWS: there is none
        return context

    def failure(self, detail: str, error: str = "States.Runtime") -> StatesError:
        from asl_engine.errors import StatesError

        return StatesError(error, detail)
