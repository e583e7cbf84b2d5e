"""Tasks that are answered from outside: callbacks with a task token, jobs, activities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.apply import fold
from asl_engine.core.events import TaskRestarted
from asl_engine.core.execution import Execution
from asl_engine.core.interpreter import advance
from asl_engine.core.replay import replay
from asl_engine.core.stimuli import Heartbeat, Resumed, Started, SubmissionReported, TimerReported, WorkerReported
from asl_engine.core.task_tokens import MAX_TOKEN_LENGTH, is_genuine, task_named, task_token
from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload
from tests.core.driver import IDENTITY, NOW, history
from tests.core.steps import (
    Steps,
    catch,
    check_laws,
    check_steps,
    parallel,
    report,
    retry,
    scope,
    state,
    task,
    told,
)

if TYPE_CHECKING:
    from asl_engine.core import events as ev

CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
JOB = "arn:aws:states:::batch:submitJob.sync"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"
SALT = "salt"


class Outside(Steps):
    """An execution whose only state is a task of ``resource``."""

    def __init__(self, resource: str, **fields: Any) -> None:
        named = {"Parameters": {"FunctionName": "f"}, **fields}
        caught = {"C": state("Pass")} if "Catch" in fields else {}
        super().__init__(scope(T=state("Task", Resource=resource, **named), **caught))

    def submit(self, answer: Any = "sent") -> list[ev.Event]:
        return self.take(SubmissionReported(self.at, self.tasks()[0].key, Payload(answer)))

    def hand_out(self, worker: str | None = "w1") -> list[ev.Event]:
        return self.take(WorkerReported(self.at, self.tasks()[0].key, worker))

    def beat(self) -> list[ev.Event]:
        return self.take(Heartbeat(self.at, self.tasks()[0].key))

    def after(self, milliseconds: int) -> Outside:
        self.at += milliseconds
        return self

    def ends(self) -> list[str]:
        """The history from the task on."""
        check_steps(self)
        return told(self.log)[2:]


# -- what the history shows -------------------------------------------------------------------------------


def test_a_callback_is_submitted_and_then_answered() -> None:
    steps = Outside(CALLBACK)
    steps.submit({"StatusCode": 200})
    steps.answer("T", {"paid": True})
    assert steps.ends() == [
        "3 2 TaskScheduled",
        "4 3 TaskStarted",
        "5 4 TaskSubmitted",
        "6 5 TaskSucceeded",
        "7 6 TaskStateExited",
        "8 7 ExecutionSucceeded",
    ]
    service = {"resourceType": "lambda", "resource": "invoke.waitForTaskToken"}
    submitted, succeeded = history(steps.log)[4:6]
    assert submitted["taskSubmittedEventDetails"] == {
        **service,
        "output": '{"StatusCode":200}',
        "outputDetails": {"truncated": False},
    }
    assert succeeded["taskSucceededEventDetails"] == {
        **service,
        "output": '{"paid":true}',
        "outputDetails": {"truncated": False},
    }
    assert steps.execution.output is not None
    assert steps.execution.output.text == '{"paid":true}'


def test_an_answer_may_come_before_its_request_is_through() -> None:
    steps = Outside(CALLBACK)
    key = steps.tasks()[0].key
    steps.answer("T", 1)
    assert steps.take(SubmissionReported(steps.at, key, Payload("late"))) == []
    assert steps.ends()[2:4] == ["5 4 TaskSucceeded", "6 5 TaskStateExited"]


def test_a_submission_counts_once() -> None:
    steps = Outside(JOB)
    assert len(steps.submit("first")) == 1
    assert steps.submit("second") == []
    assert steps.tasks()[0].submitted == Payload("first")
    check_steps(steps)


def test_a_submission_that_is_too_large_fails_the_task() -> None:
    steps = Outside(CALLBACK, Catch=catch("C", "States.DataLimitExceeded"))
    steps.submit("x" * 300_000)
    assert steps.ends()[2:4] == ["5 4 TaskFailed", "6 5 TaskStateExited"]


def test_a_request_that_fails_fails_the_task() -> None:
    steps = Outside(CALLBACK, Catch=catch("C", "Lambda.Unknown"))
    steps.answer("T", StatesError("Lambda.Unknown", "no"))
    assert steps.ends()[2:4] == ["5 4 TaskFailed", "6 5 TaskStateExited"]


def test_an_activity_waits_for_a_worker() -> None:
    steps = Outside(ACTIVITY, TimeoutSeconds=9, HeartbeatSeconds=3)
    assert told(steps.log)[2:] == ["3 2 ActivityScheduled"]
    steps.hand_out()
    steps.answer("T", "blue")
    assert steps.ends() == [
        "3 2 ActivityScheduled",
        "4 3 ActivityStarted",
        "5 4 ActivitySucceeded",
        "6 5 TaskStateExited",
        "7 6 ExecutionSucceeded",
    ]
    scheduled, started, succeeded = history(steps.log)[2:5]
    assert scheduled["activityScheduledEventDetails"] == {
        "resource": ACTIVITY,
        "input": '{"FunctionName":"f"}',
        "inputDetails": {"truncated": False},
        "timeoutInSeconds": 9,
        "heartbeatInSeconds": 3,
    }
    assert started["activityStartedEventDetails"] == {"workerName": "w1"}
    assert succeeded["activitySucceededEventDetails"] == {
        "output": '"blue"',
        "outputDetails": {"truncated": False},
    }


def test_a_worker_may_have_no_name() -> None:
    steps = Outside(ACTIVITY)
    steps.hand_out(None)
    assert history(steps.log)[3]["activityStartedEventDetails"] == {}


def test_a_worker_may_fail_an_activity() -> None:
    steps = Outside(ACTIVITY, Retry=retry("Smudged", MaxAttempts=1), Catch=catch("C", "Smudged"))
    for _ in range(2):
        steps.hand_out()
        steps.answer("T", StatesError("Smudged", None))
        if steps.execution.open:
            steps.tick()
    assert steps.ends()[:8] == [
        "3 2 ActivityScheduled",
        "4 3 ActivityStarted",
        "5 4 ActivityFailed",
        "6 5 ActivityScheduled",
        "7 6 ActivityStarted",
        "8 7 ActivityFailed",
        "9 8 TaskStateExited",
        "10 9 PassStateEntered",
    ]
    assert history(steps.log)[4]["activityFailedEventDetails"] == {"error": "Smudged"}


def test_a_task_is_handed_out_once() -> None:
    steps = Outside(ACTIVITY)
    key = steps.tasks()[0].key
    assert len(steps.hand_out()) == 1
    assert steps.take(WorkerReported(steps.at, key, "w2")) == []
    steps.answer("T")
    assert steps.take(WorkerReported(steps.at, key, "w2")) == []


@pytest.mark.parametrize("resource", [CALLBACK, "arn:aws:lambda:us-east-1:123456789012:function:f"])
def test_only_the_task_of_an_activity_can_be_taken(resource: str) -> None:
    assert Outside(resource).hand_out() == []


def test_nobody_answers_for_an_activity_that_nobody_has_taken() -> None:
    steps = Outside(ACTIVITY, HeartbeatSeconds=3)
    assert steps.answer("T", 1) == []
    assert steps.beat() == []


def test_an_activity_that_does_not_exist_cannot_be_scheduled() -> None:
    definition = scope(
        T=state("Task", Resource=ACTIVITY, Retry=retry("States.ALL"), Catch=catch("C", "States.ALL"))
    )
    definition["States"]["C"] = state("Pass")
    machine = load(dumps(definition))
    execution = Execution(IDENTITY)
    log = advance(machine, execution, Started(NOW, Payload({})), activity_exists=lambda _: False)
    assert told(log)[2:] == ["3 2 ActivityScheduleFailed", "4 3 ExecutionFailed"]
    cause = f"Activity Does Not Exist: '{ACTIVITY}'"
    assert history(log)[2]["activityScheduleFailedEventDetails"] == {"error": "States.Runtime", "cause": cause}
    assert replay(machine, IDENTITY, log) is None
    check_laws(machine, execution, log)


def test_an_activity_may_be_gone_when_a_retry_is_due() -> None:
    steps = Outside(ACTIVITY, Retry=retry("Smudged"))
    steps.hand_out()
    steps.answer("T", StatesError("Smudged", "oh"))
    steps.at, key = steps.at + 1000, next(iter(steps.execution.open))
    steps.log += advance(
        steps.machine, steps.execution, TimerReported(steps.at, key), activity_exists=lambda _: False
    )
    assert steps.ends()[3:] == ["6 5 ActivityScheduleFailed", "7 6 ExecutionFailed"]


# -- timeouts ----------------------------------------------------------------------------------------------


def timed_out(steps: Outside) -> tuple[str, str, float]:
    """Type and error of the timeout, and when it came."""
    steps.tick()
    check_steps(steps)
    shown = next(event for event in history(steps.log) if event["type"].endswith("TimedOut"))
    details = next(value for key, value in shown.items() if key.endswith("Details"))
    return shown["type"], details["error"], shown["timestamp"]


def test_a_callback_times_out() -> None:
    steps = Outside(CALLBACK, TimeoutSeconds=60)
    steps.after(5_000).submit()
    assert timed_out(steps) == ("TaskTimedOut", "States.Timeout", 60.0)
    assert told(steps.log)[5] == "6 5 TaskTimedOut"


def test_a_callback_that_is_silent_misses_its_heartbeat() -> None:
    steps = Outside(CALLBACK, TimeoutSeconds=60, HeartbeatSeconds=10)
    steps.submit()
    steps.after(8_000).beat()
    assert timed_out(steps) == ("TaskTimedOut", "States.Timeout", 18.0)


def test_heartbeats_do_not_put_the_timeout_off() -> None:
    steps = Outside(CALLBACK, TimeoutSeconds=20, HeartbeatSeconds=10)
    for _ in range(2):
        steps.after(9_000).beat()
    assert timed_out(steps) == ("TaskTimedOut", "States.Timeout", 20.0)


def test_a_heartbeat_that_comes_too_late_is_none() -> None:
    steps = Outside(CALLBACK, HeartbeatSeconds=10)
    steps.after(10_000).beat()
    assert steps.ends()[2:3] == ["5 4 TaskTimedOut"]


def test_an_activity_that_nobody_takes_waits() -> None:
    """Recorded from AWS: neither TimeoutSeconds nor HeartbeatSeconds count before a worker has the task."""
    steps = Outside(ACTIVITY, TimeoutSeconds=60, HeartbeatSeconds=10)
    (task,) = steps.execution.open.values()
    assert task.due is None


def test_an_activity_is_given_its_time_from_when_it_is_taken() -> None:
    steps = Outside(ACTIVITY, TimeoutSeconds=60)
    steps.after(45_000).hand_out()
    assert timed_out(steps) == ("ActivityTimedOut", "States.Timeout", 105.0)


def test_a_worker_that_is_silent_misses_its_heartbeat() -> None:
    steps = Outside(ACTIVITY, TimeoutSeconds=60, HeartbeatSeconds=10)
    steps.after(30_000).hand_out()
    assert timed_out(steps) == ("ActivityTimedOut", "States.Timeout", 40.0)


def test_a_task_is_never_taken_too_late() -> None:
    steps = Outside(ACTIVITY, TimeoutSeconds=60)
    steps.after(600_000).hand_out()
    assert timed_out(steps) == ("ActivityTimedOut", "States.Timeout", 660.0)


# -- restarts ----------------------------------------------------------------------------------------------


def dues(steps: Outside) -> list[tuple[int | None, int | None]]:
    """When the open tasks time out, in milliseconds from the start."""
    return [
        tuple(None if due is None else due - NOW for due in (task.timeout_due, task.heartbeat_due))  # type: ignore[misc]  # both are milliseconds
        for task in steps.tasks()
    ]


@pytest.mark.parametrize(
    ("resource", "act", "expected"),
    [
        # Nothing was submitted: the request is made again, and has all its time.
        (CALLBACK, (), (67_000, 17_000)),
        # The work goes on outside: its time runs, but nobody could hear its heartbeats.
        (CALLBACK, ("submit",), (60_000, 17_000)),
        (JOB, ("submit",), (60_000, 17_000)),
        (ACTIVITY, ("hand_out",), (60_000, 17_000)),
        (ACTIVITY, (), (None, None)),
    ],
)
def test_a_restart_gives_time_to_what_was_interrupted(
    resource: str, act: tuple[str, ...], expected: tuple[int | None, int | None]
) -> None:
    steps = Outside(resource, TimeoutSeconds=60, HeartbeatSeconds=10)
    for name in act:
        getattr(steps, name)()
    steps.execution = fold(IDENTITY, steps.log)
    steps.take(Resumed(steps.after(7_000).at, restarted=True))
    assert dues(steps) == [expected]
    check_steps(steps)


@pytest.mark.parametrize(
    ("resource", "act", "suspect"),
    [
        (CALLBACK, (), True),
        (JOB, (), True),
        (CALLBACK, ("submit",), False),  # the work goes on outside
        (ACTIVITY, ("hand_out",), False),
        (ACTIVITY, (), False),
    ],
)
def test_a_process_that_died_is_held_against_the_tasks_that_it_ran(
    resource: str, act: tuple[str, ...], suspect: bool
) -> None:
    steps = Outside(resource)
    for name in act:
        getattr(steps, name)()
    for number in (1, 2):
        steps.execution = fold(IDENTITY, steps.log)
        steps.take(Resumed(steps.after(7_000).at, restarted=True, died=True))
        (task,) = steps.tasks()
        assert task.frame.deaths == (number if suspect else 0)
    assert steps.execution.deaths == ({task.frame.state: 2} if suspect else {})
    assert fold(IDENTITY, steps.log).deaths == steps.execution.deaths
    steps.take(Resumed(steps.after(7_000).at, restarted=True))  # one that was left in good order
    assert steps.tasks()[0].frame.deaths == (2 if suspect else 0)
    check_steps(steps)


@pytest.mark.parametrize("died", [True, False])
def test_a_replay_tells_what_ran_in_the_process_from_what_goes_on_outside(died: bool) -> None:
    """One process is replaced: only the second task says whether it died."""
    asked = state("Task", Resource=CALLBACK, Parameters={"FunctionName": "f"}, HeartbeatSeconds=10)
    steps = Steps(scope(P=parallel(scope(Asked=asked), scope(Called=task(TimeoutSeconds=60)))))
    steps.take(SubmissionReported(steps.at, steps.tasks("Asked")[0].key, Payload("asked")))
    for _ in range(2):
        restarted = steps.take(Resumed(steps.at, restarted=True, died=died))
        assert [(type(event), event.died) for event in restarted if isinstance(event, TaskRestarted)] == [
            (TaskRestarted, False),
            (TaskRestarted, died),
        ]
    check_steps(steps)


def test_what_was_submitted_survives_a_restart() -> None:
    steps = Outside(JOB)
    steps.submit({"JobId": "j-1"})
    assert fold(IDENTITY, steps.log).open[steps.tasks()[0].key].submitted == Payload({"JobId": "j-1"})  # type: ignore[union-attr]  # the kind is known


# -- tokens ------------------------------------------------------------------------------------------------

TOKEN_TASK = state(
    "Task",
    Resource=CALLBACK,
    Parameters={"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}},
    ResultSelector={"mine.$": "$$.Task.Token"},
    Retry=retry("E"),
)


def salted(definition: dict[str, Any]) -> Steps:
    steps = Steps.__new__(Steps)
    steps.machine = load(dumps(definition))
    steps.execution = Execution(IDENTITY)
    steps.at, steps.log = NOW, []
    steps.limits = AWS_LIMITS
    steps.take(Started(NOW, Payload({}), SALT))
    return steps


def test_the_token_names_the_execution_and_the_attempt() -> None:
    steps = salted(scope(T=TOKEN_TASK))
    first = steps.tasks()[0]
    parameters: Any = first.parameters.value
    token = parameters["Payload"]["token"]
    assert task_named(token) == (IDENTITY.arn, first.key)
    assert is_genuine(token, SALT)
    assert not is_genuine(token, "another")
    steps.take(report(steps.at, first.key, StatesError("E")))
    steps.tick()
    second = steps.tasks()[0]
    retried: Any = second.parameters.value
    assert task_named(retried["Payload"]["token"]) == (IDENTITY.arn, second.key)
    assert second.key != first.key
    steps.answer("T", {})
    assert steps.execution.output is not None
    assert steps.execution.output.value == {"mine": retried["Payload"]["token"]}
    check_steps(steps)


def test_the_token_is_in_the_context_of_jsonata_too() -> None:
    arguments = {"FunctionName": "f", "Payload": "{% $states.context.Task.Token %}"}
    given = state("Task", Resource=CALLBACK, Arguments=arguments, Output="{% $states.context.Task.Token %}")
    steps = salted({"QueryLanguage": "JSONata", **scope(T=given)})
    expected = task_token(SALT, IDENTITY.arn, steps.tasks()[0].key)
    parameters: Any = steps.tasks()[0].parameters.value
    assert parameters["Payload"] == expected
    steps.answer("T", {})
    assert steps.execution.output is not None
    assert steps.execution.output.value == expected


@pytest.mark.parametrize("resource", ["arn:aws:states:::lambda:invoke", ACTIVITY])
def test_other_tasks_have_no_token(resource: str) -> None:
    parameters = {"FunctionName": "f", "token.$": "$$.Task.Token"}
    steps = salted(scope(T=state("Task", Resource=resource, Parameters=parameters)))
    assert steps.execution.status == "FAILED"
    assert steps.execution.error == "States.Runtime"
    assert "$$.Task.Token" in str(steps.execution.cause)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "ä", "token", "A" * 40, "-_-_" * 300, " " * 8, "=" * 12])
def test_a_text_that_is_no_token(text: str) -> None:
    assert task_named(text) is None
    assert not is_genuine(text, SALT)


def test_a_changed_token_is_not_genuine() -> None:
    token = task_token(SALT, IDENTITY.arn, 5)
    assert is_genuine(token, SALT)
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert not is_genuine(changed, SALT)
    assert not is_genuine(token + "\n", SALT)
    assert not is_genuine(token.rstrip("=") + "====", SALT)


def test_a_token_is_no_option_of_a_command_line() -> None:
    assert {task_token(str(number), IDENTITY.arn, number)[0] for number in range(500)} == {"A"}


def test_a_token_is_never_too_long() -> None:
    name = "\N{SNOWMAN}" * 80
    arn = f"arn:aws:states:us-gov-west-1:123456789012:execution:{name}/{name}:{name}"
    assert len(task_token("f" * 32, arn, 2**63)) <= MAX_TOKEN_LENGTH
