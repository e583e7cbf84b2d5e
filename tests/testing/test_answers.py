"""What stands in for a task, and what is wrong with it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import asl_engine.testing
from asl_engine import StatesError
from asl_engine.engine.durations import in_words, milliseconds
from asl_engine.errors import InvalidInput, ProjectError
from asl_engine.testing import Workflow, calls, fails, returns, sleep, waits
from asl_engine.testing.answers import AnswersExhausted, in_turn
from asl_engine.testing.lab_tasks import MockRefused
from tests.testing.machines import ASK, EACH, FUNCTION, MESSAGE, ORDER, PACK, RETRY, SEND, machine, task

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.resources.python.context import TaskContext

WORK = machine(Work=task(Retry=RETRY))


class OwnError(Exception):
    """Caught by its name."""


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ({"a": 1}, {"a": 1}),
        ("text", "text"),
        (None, None),
        (returns([1, 2]), [1, 2]),
        ([7], 7),
        ([returns([1, 2])], [1, 2]),
        (lambda event: event["n"] + 1, 2),
        (calls(lambda event, context: [event["n"], context.attempt]), [1, 0]),
    ],
)
def test_an_answer_is_a_value_or_what_a_callable_returns(given: object, output: object) -> None:
    Workflow(WORK, {"work": given}).run({"n": 1}).assert_succeeded(output)


def test_an_async_callable_answers_and_may_sleep_in_virtual_time() -> None:
    async def slow(event: Any, context: TaskContext) -> Any:
        await sleep("90s")
        return [event, context.attempt]

    run = Workflow(WORK, {"work": slow}).run(5)
    run.assert_succeeded([5, 0])
    assert run.clock.now.isoformat() == "2024-01-01T00:01:30+00:00"


@pytest.mark.parametrize(
    ("given", "error", "cause"),
    [
        (fails("Declined", "no money"), "Declined", "no money"),
        (fails("Declined"), "Declined", None),
        (StatesError("A.B", "c"), "A.B", "c"),
        (OwnError("why"), "OwnError", ...),
        (OwnError, "OwnError", ...),
        (lambda _event: 1 / 0, "ZeroDivisionError", ...),
    ],
)
def test_an_answer_may_be_a_failure(given: object, error: str, cause: object) -> None:
    run = Workflow(WORK, {"work": given}).run()
    run.assert_failed(error)
    assert cause is ... or run.cause == cause


def test_a_list_answers_attempts_and_loops_in_turn() -> None:
    looping = machine(
        Work=task(Retry=RETRY, Next="Enough"),
        Enough={
            "Type": "Choice",
            "Choices": [{"Variable": "$.done", "BooleanEquals": True, "Next": "End"}],
            "Default": "Work",
        },
        End={"Type": "Succeed"},
    )
    answers = [{"done": False}, fails("E"), {"done": False}, fails("E"), fails("E"), {"done": True}]
    run = Workflow(looping, {"Work": answers}).run({})
    run.assert_path("Work", "Enough", "Work", "Enough", "Work", "Enough", "End")
    run.state("Work").assert_attempts(6, delays=[2, 2, 4]).assert_entered(3)
    assert run.state("Work").calls == [{}, {"done": False}, {"done": False}, *[{"done": False}] * 3]


def test_each_run_begins_with_the_first_answer_again() -> None:
    workflow = Workflow(WORK, {"work": [1]})
    assert [workflow.run().output, workflow.run().output] == [1, 1]


def test_a_list_that_runs_out_says_what_it_has_and_no_catch_hides_it() -> None:
    caught = machine(
        Work=task(Retry=RETRY, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]),
        Caught={"Type": "Succeed"},
    )
    with pytest.raises(AnswersExhausted) as raised:
        Workflow(caught, {"Work": [fails("E"), fails("E")]}).run()
    assert str(raised.value).startswith(
        "tasks: 'Work' is called 3 times, and its list has 2 answers: [fails('E'), "
    )


def test_a_list_that_runs_out_is_told_for_an_activity_and_in_an_iteration_too() -> None:
    with pytest.raises(AnswersExhausted, match="'pack' is called once, and its list has 0 answers"):
        Workflow(machine(Pack=task(PACK)), {"pack": []}).run()
    with pytest.raises(AnswersExhausted, match="'one' is called twice, and its list has 1 answer: "):
        Workflow(machine(Each=EACH), {"one": [1]}).run([1, 2])


def test_a_failed_assertion_in_a_callable_fails_the_test() -> None:
    def checks(event: Any) -> None:
        assert event == {"n": 2}, "the event"

    caught = machine(
        Work=task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]), Caught={"Type": "Succeed"}
    )
    with pytest.raises(AssertionError, match="the event"):
        Workflow(caught, {"Work": checks}).run({"n": 1})

    def gives_up(_event: Any) -> None:
        pytest.fail("from within")

    with pytest.raises(pytest.fail.Exception, match="from within"):
        Workflow(caught, {"Work": gives_up}).run({"n": 1})


def test_a_stand_in_for_a_state_that_does_not_exist_names_what_there_is() -> None:
    with pytest.raises(
        ProjectError, match=r"no task, function or resource 'Wrok'; did you mean 'work'\?.*'Work', 'work'"
    ):
        Workflow(WORK, {"Wrok": 1}).run()
    with pytest.raises(ProjectError, match="'Done' is a Succeed state; only Task states have stand-ins"):
        Workflow(machine(Work=task(Next="Done"), Done={"Type": "Succeed"}), {"Done": 1}).run()


def test_what_has_no_answer_and_would_leave_the_process_is_refused() -> None:
    with pytest.raises(ProjectError, match="the state 'Send' would call AWS"):
        Workflow(machine(Send=task(SEND, Parameters=MESSAGE))).run()


def test_a_function_whose_name_is_computed_is_refused_when_it_is_called() -> None:
    invoke = task(
        "arn:aws:states:::lambda:invoke",
        Parameters={"FunctionName.$": "$.name"},
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    )
    workflow = Workflow(machine(Work=invoke, Caught={"Type": "Succeed"}), {"known": 1})
    assert workflow.run({"name": "known"}).output["Payload"] == 1
    with pytest.raises(ProjectError, match="other"):
        workflow.run({"name": "other"})


# -- the model of the service -------------------------------------------------------------------------

DESCRIBE = "arn:aws:states:::states:startExecution.sync:2"
START = machine(
    Start=task(DESCRIBE, Parameters={"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:a"})
)


def test_a_result_is_held_against_the_model_of_its_service() -> None:
    message = {"QueueUrl": "q", "MessageBody": "hi"}
    send = machine(
        Send=task(SEND, Parameters=message, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]),
        Caught={"Type": "Succeed"},
    )
    with pytest.raises(
        MockRefused, match=f"'Send' has a result that {SEND} could not give: .*'MessageId' must be a str"
    ):
        Workflow(send, {"Send": {"MessageId": 1}}).run({})
    with pytest.raises(MockRefused, match="must be a valid JSON object"):
        Workflow(send, {"Send": lambda _event: "sent"}).run({})
    Workflow(send, {"Send": {"MessageId": 1}}, validation="NONE").run({}).assert_succeeded()
    Workflow(send, {"Send": {"MessageId": "m-1"}}).run({}).assert_succeeded()


def test_required_fields_are_asked_for_unless_only_those_present_are_checked() -> None:
    described = {"Status": "SUCCEEDED", "Output": {"n": 1}}
    with pytest.raises(MockRefused, match="Field 'ExecutionArn' is required but was missing"):
        Workflow(START, {"Start": described}).run()
    Workflow(START, {"Start": described}, validation="PRESENT").run().assert_succeeded(described)
    with pytest.raises(MockRefused, match="'Status' is not an expected value"):
        Workflow(START, {"Start": described | {"Status": "DONE"}}, validation="PRESENT").run()


def test_what_a_function_returns_has_no_model() -> None:
    invoke = task("arn:aws:states:::lambda:invoke", Parameters={"FunctionName": "work", "Payload": {"n": 1}})
    run = Workflow(machine(Work=invoke), {"work": lambda event: [event]}).run()
    assert run.output["Payload"] == [{"n": 1}]
    Workflow(machine(Call=invoke), {"Call": {"Payload": {"n": 2}}}).run().assert_succeeded({"Payload": {"n": 2}})
    with pytest.raises(MockRefused, match="'StatusCode' must be a number"):
        Workflow(machine(Call=invoke), {"Call": {"Payload": 1, "StatusCode": "200"}}).run()


def test_a_validation_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidInput, match="validation='LAX': it is one of STRICT, PRESENT, NONE"):
        Workflow(WORK, validation="LAX")  # type: ignore[arg-type]  # that is the test


# -- MockConfigFile.json ------------------------------------------------------------------------------


def mock_file(folder: Path, responses: dict[str, Any], states: dict[str, str]) -> str:
    path = folder / "MockConfigFile.json"
    mocks = {"StateMachines": {"order": {"TestCases": {"Case": states}}}, "MockedResponses": responses}
    path.write_text(json.dumps(mocks), encoding="utf-8")
    return f"{path}#Case"


def test_a_test_case_of_a_mock_configuration_is_played(tmp_path: Path) -> None:
    responses = {
        "Passed": {"0": {"Return": {"orderId": "o-1"}}},
        "Silent": {
            "0-1": {"Throw": {"Error": "PaymentRetryableError", "Cause": "silence"}},
            "2": {"Return": {"paid": True}},
        },
    }
    case = mock_file(tmp_path, responses, {"ValidateOrder": "Passed", "ProcessPayment": "Silent"})
    run = Workflow(ORDER, {"checkInventory": lambda event: event, "fulfillOrder": {"sent": 1}}, case=case).run({})
    run.assert_succeeded({"sent": 1})
    run.state("ProcessPayment").assert_attempts(3, delays=[2, 4]).assert_output({"paid": True})


def test_a_test_case_answers_activities_and_tokens(tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    path.write_text(
        json.dumps(machine(Pack=task(PACK, Retry=RETRY, Next="Ask"), Ask=task(ASK, Parameters=MESSAGE)))
    )
    thrown = {"Throw": {"Error": "E", "Cause": ""}}
    case = mock_file(
        tmp_path, {"Packed": {"0": thrown, "1": {"Return": 1}}, "Asked": {"0": {"Return": 2}}},
        {"Pack": "Packed", "Ask": "Asked"},
    )  # fmt: skip
    run = Workflow(str(path), case=case).run({})
    run.assert_succeeded(2).state("Pack").assert_attempts(2, delays=[2])


def test_a_test_case_that_is_wrong_says_what_there_is(tmp_path: Path) -> None:
    once = {"Once": {"0": {"Throw": {"Error": "PaymentRetryableError", "Cause": ""}}}}
    tasks = {name: lambda event: event for name in ("validateOrder", "checkInventory", "fulfillOrder")}
    with pytest.raises(ProjectError, match="there is no state 'Pay' in the state machine"):
        Workflow(ORDER, tasks, case=mock_file(tmp_path, once, {"Pay": "Once"})).run({})
    case = mock_file(tmp_path, once, {"ProcessPayment": "Once"})
    with pytest.raises(
        ProjectError, match=r"MockedResponses\.Once says nothing of invocation 1 of 'ProcessPayment'"
    ):
        Workflow(ORDER, tasks, case=case).run({})
    with pytest.raises(ProjectError, match=r"has no test case 'Cse'; did you mean 'Case'\?"):
        Workflow(ORDER, tasks, case=case.replace("#Case", "#Cse")).run({})


# -- durations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected", "words"),
    [
        ("40s", 40_000, "40s"),
        ("1h30m", 5_400_000, "1h 30m"),
        ("1h 30m", 5_400_000, "1h 30m"),
        ("2.5s", 2_500, "2.5s"),
        ("250ms", 250, "0.25s"),
        ("1d", 86_400_000, "1d"),
        (90, 90_000, "1m 30s"),
        (0, 0, "0s"),
        (timedelta(hours=2), 7_200_000, "2h"),
    ],
)
def test_a_duration_is_written_in_many_ways(given: Any, expected: int, words: str) -> None:
    assert milliseconds(given, "after") == expected
    assert in_words(expected) == words


@pytest.mark.parametrize("given", ["", "40", "s", "4 parsecs", -1, "-1s", float("nan"), None, True])
def test_what_is_no_duration_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^after: .* is no duration: write \"40s\""):
        returns(1, after=given)


def test_there_is_no_virtual_time_elsewhere() -> None:
    with pytest.raises(RuntimeError, match="only what answers a task of a workflow under test"):
        asyncio.run(sleep("1s"))


def test_an_answer_says_what_it_is() -> None:
    def pays(event: Any) -> Any:
        return event

    answers = in_turn({"a": [pays, waits(), OwnError, fails("E"), 1]})["a"]
    for _ in range(5):
        answers.take()
    with pytest.raises(
        AnswersExhausted, match=r"has 5 answers: \[pays, waits\(\), <class '.*OwnError'>, fails\('E'\), 1\]"
    ):
        answers.take()


def test_a_callable_that_is_no_task_is_refused() -> None:
    with pytest.raises(ProjectError, match=r"a task takes \(event\) or \(event, context\)"):
        Workflow(WORK, {"work": [1, lambda: 1]}).run()


def test_a_name_that_the_lab_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'asl_engine\.testing' has no attribute 'Simulator'"):
        _ = asl_engine.testing.Simulator


FUNCTIONS = machine(Work=task(f"{FUNCTION}work:live"))


def test_the_closest_key_counts_as_for_run() -> None:
    Workflow(FUNCTIONS, {"work:live": 1}).run().assert_succeeded(1)


def test_a_function_that_is_invoked_fails_without_a_cause() -> None:
    invoke = task("arn:aws:states:::lambda:invoke", Parameters={"FunctionName": "pay"})
    with Workflow(machine(Work=invoke), {"pay": fails("Declined")}) as workflow:
        workflow.run().assert_failed("Declined", None)
