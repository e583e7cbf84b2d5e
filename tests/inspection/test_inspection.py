"""States by themselves: what a trial answers, for every state type, in both query languages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.core.execution import Identity
from asl_engine.core.interpreter import MACHINE_TIMER
from asl_engine.core.stimuli import TaskReported, TimerReported
from asl_engine.engine.state_tests import datasets_of
from asl_engine.errors import DefinitionError
from asl_engine.inspection.checks import check_mock, check_request
from asl_engine.inspection.question import Refusal, StateConfiguration, StateMock
from asl_engine.inspection.subject import load_subject
from asl_engine.inspection.trial import Trial
from asl_engine.inspection.verdict import to_answer
from asl_engine.payload import Payload

START = 1_700_000_000_000
LAMBDA = "arn:aws:states:::lambda:invoke"
GIVEN: Any = {"a": {"b": 1}, "list": [1, 2]}
WHO = Identity("arn:aws:states:us-east-1:123456789012:express:m:n", "n", "arn:m", "m", "arn:role", START)
END = {"End": True}
TASK = {"Type": "Task", "Resource": LAMBDA, **END}
PARALLEL = {
    "Type": "Parallel",
    "Branches": [{"StartAt": s, "States": {s: {"Type": "Pass", **END}}} for s in ("B1", "B2")],
    **END,
}
MAP = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", **END}}}, **END}
RETRY = [
    {"ErrorEquals": ["Other"]},
    {"ErrorEquals": ["Bad"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 3},
]
CATCH = [{"ErrorEquals": ["Other"], "Next": "X"}, {"ErrorEquals": ["States.ALL"], "Next": "Y"}]
JSONATA = {"QueryLanguage": "JSONata"}
BAD = StateMock(error="Bad", cause="so be it")


def mocked(value: Any) -> StateMock:
    return StateMock(Payload(value, json.dumps(value)))


def trial(source: dict[str, Any], given: Any = GIVEN, **options: Any) -> Trial:
    datasets = datasets_of(options.get("configuration", StateConfiguration()).map_item_reader_data)
    subject = load_subject(json.dumps(source))
    made = Trial(subject, WHO, Payload(given, json.dumps(given)), datasets=datasets, **options)
    made.begin()
    return made


def read(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def answer(made: Trial) -> tuple[dict[str, Any], dict[str, Any]]:
    """What INFO tells, and what DEBUG tells more, JSON texts read."""
    shown = to_answer(made.verdict(), "DEBUG")
    data = {name: read(value) for name, value in shown.pop("inspectionData").items()}
    assert shown == to_answer(made.verdict(), "INFO")
    if "output" in shown:
        shown["output"] = json.loads(shown["output"])
    return shown, data


def stages(given: Any = GIVEN, **named: Any) -> dict[str, Any]:
    return {"input": given, **named}


WHOLE = stages(afterInputPath=GIVEN)
PASSED = stages(afterInputPath=GIVEN, afterParameters=GIVEN, afterResultSelector=GIVEN, afterResultPath=GIVEN)

ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "Pass": ({"Type": "Pass", **END}, {}, {"status": "SUCCEEDED", "output": GIVEN}, PASSED),
    "Pass, and on": (
        {"Type": "Pass", "Next": "Z"},
        {},
        {"status": "SUCCEEDED", "output": GIVEN, "nextState": "Z"},
        PASSED,
    ),
    "Pass to itself": (
        {"Type": "Pass", "Next": "StateName"},
        {},
        {"status": "SUCCEEDED", "output": GIVEN, "nextState": "StateName"},
        PASSED,
    ),
    "Pass, every field": (
        {
            "Type": "Pass",
            "InputPath": "$.a",
            "Parameters": {"x.$": "$.b"},
            "ResultPath": "$.r",
            "OutputPath": "$.r",
            **END,
        },
        {},
        {"status": "SUCCEEDED", "output": {"x": 1}},
        stages(
            afterInputPath={"b": 1},
            afterParameters={"x": 1},
            afterResultSelector={"x": 1},
            afterResultPath={**GIVEN, "r": {"x": 1}},
        ),
    ),
    "Pass with a Result": (
        {"Type": "Pass", "Result": 7, "ResultPath": "$.r", **END},
        {},
        {"status": "SUCCEEDED", "output": {**GIVEN, "r": 7}},
        stages(result=7, afterResultSelector=7, afterResultPath={**GIVEN, "r": 7}),
    ),
    "Pass that assigns": (
        {"Type": "Pass", "Assign": {"v.$": "$.a.b"}, **END},
        {"variables": {"w": 2}},
        {"status": "SUCCEEDED", "output": GIVEN},
        {**PASSED, "variables": {"w": 2, "v": 1}},
    ),
    "Pass without an input": (
        {"Type": "Pass", "InputPath": "$.nothing", **END},
        {},
        {
            "status": "FAILED",
            "error": "States.Runtime",
            "cause": "Invalid path '$.nothing' : No results for path: $['nothing']",
        },
        stages(),
    ),
    "Pass whose Parameters fail": (
        {"Type": "Pass", "Parameters": {"x.$": "$.nothing"}, **END},
        {},
        {
            "status": "FAILED",
            "error": "States.Runtime",
            "cause": "The JSONPath '$.nothing' specified for the field 'x.$' could not be found in the input "
            '\'{"a":{"b":1},"list":[1,2]}\'',
        },
        WHOLE,
    ),
    "Pass in JSONata": (
        {"Type": "Pass", **JSONATA, "Output": "{% $states.input.a.b + $w %}", "Assign": {"v": "{% $w %}"}, **END},
        {"variables": {"w": 2}},
        {"status": "SUCCEEDED", "output": 3},
        stages(variables={"w": 2, "v": 2}),
    ),
    "Choice": (
        {
            "Type": "Choice",
            "InputPath": "$.a",
            "Choices": [{"Variable": "$.b", "NumericEquals": 1, "Next": "One"}],
        },
        {},
        {"status": "SUCCEEDED", "output": {"b": 1}, "nextState": "One"},
        stages(afterInputPath={"b": 1}),
    ),
    "Choice, Default": (
        {
            "Type": "Choice",
            "Choices": [{"Variable": "$.a.b", "NumericEquals": 2, "Next": "One"}],
            "Default": "Else",
        },
        {},
        {"status": "SUCCEEDED", "output": GIVEN, "nextState": "Else"},
        WHOLE,
    ),
    "Choice without a match": (
        {"Type": "Choice", "Choices": [{"Variable": "$.a.b", "NumericEquals": 2, "Next": "One"}]},
        {},
        {
            "status": "FAILED",
            "error": "States.Runtime",
            "cause": "Failed to transition out of the state. The state does not point to a next state.",
        },
        WHOLE,
    ),
    "Choice in JSONata": (
        {
            "Type": "Choice",
            **JSONATA,
            "Choices": [{"Condition": "{% $states.input.a.b = 1 %}", "Next": "One", "Output": 5}],
        },
        {},
        {"status": "SUCCEEDED", "output": 5, "nextState": "One"},
        stages(),
    ),
    "Succeed": ({"Type": "Succeed", "OutputPath": "$.a"}, {}, {"status": "SUCCEEDED", "output": {"b": 1}}, WHOLE),
    "Fail": (
        {"Type": "Fail", "Error": "E", "CausePath": "States.Format('{}', $.a.b)"},
        {},
        {"status": "FAILED", "error": "E", "cause": "1"},
        WHOLE,
    ),
    "Fail in JSONata": (
        {"Type": "Fail", **JSONATA, "Error": "{% 'E' %}"},
        {},
        {"status": "FAILED", "error": "E"},
        stages(),
    ),
    "Task": (
        {**TASK, "Parameters": {"x.$": "$.a"}, "ResultSelector": {"y.$": "$.r"}, "ResultPath": "$.z"},
        {"mock": mocked({"r": 9})},
        {"status": "SUCCEEDED", "output": {**GIVEN, "z": {"y": 9}}},
        stages(
            afterInputPath=GIVEN,
            afterParameters={"x": {"b": 1}},
            result={"r": 9},
            afterResultSelector={"y": 9},
            afterResultPath={**GIVEN, "z": {"y": 9}},
        ),
    ),
    "Task whose result cannot be selected": (
        {**TASK, "ResultSelector": {"y.$": "$.nothing"}},
        {"mock": mocked({"r": 9})},
        {
            "status": "FAILED",
            "error": "States.Runtime",
            "cause": "The JSONPath '$.nothing' specified for the field 'y.$' could not be found in the input "
            "'{\"r\":9}'",
        },
        stages(afterInputPath=GIVEN, afterParameters=GIVEN, result={"r": 9}),
    ),
    "Task in JSONata": (
        {**TASK, **JSONATA, "Arguments": {"x": "{% $states.input.a %}"}, "Output": "{% $states.result.r %}"},
        {"mock": mocked({"r": 9})},
        {"status": "SUCCEEDED", "output": 9},
        stages(afterArguments={"x": {"b": 1}}, result={"r": 9}),
    ),
    "Task that fails": (
        TASK,
        {"mock": BAD},
        {"status": "FAILED", "error": "Bad", "cause": "so be it"},
        stages(afterInputPath=GIVEN, afterParameters=GIVEN),
    ),
    "Task that fails without a cause": (
        TASK,
        {"mock": StateMock(error="Bad")},
        {"status": "FAILED", "error": "Bad"},
        stages(afterInputPath=GIVEN, afterParameters=GIVEN),
    ),
    "Task that is caught": (
        {**TASK, "Catch": CATCH},
        {"mock": BAD},
        {
            "status": "CAUGHT_ERROR",
            "error": "Bad",
            "cause": "so be it",
            "nextState": "Y",
            "output": {"Error": "Bad", "Cause": "so be it"},
        },
        stages(
            afterInputPath=GIVEN,
            afterParameters=GIVEN,
            errorDetails={"catchIndex": 1},
            afterResultPath={"Error": "Bad", "Cause": "so be it"},
        ),
    ),
    "Task to be tried again": (
        {**TASK, "Retry": RETRY, "Catch": CATCH},
        {"mock": BAD, "configuration": StateConfiguration(retrier_retry_count=2)},
        {"status": "RETRIABLE", "error": "Bad", "cause": "so be it"},
        stages(
            afterInputPath=GIVEN,
            afterParameters=GIVEN,
            errorDetails={"retryIndex": 1, "retryBackoffIntervalSeconds": 12},
        ),
    ),
    "Task that was tried often enough": (
        {**TASK, "Retry": RETRY, "Catch": CATCH},
        {"mock": BAD, "configuration": StateConfiguration(retrier_retry_count=3)},
        {
            "status": "CAUGHT_ERROR",
            "error": "Bad",
            "cause": "so be it",
            "nextState": "Y",
            "output": {"Error": "Bad", "Cause": "so be it"},
        },
        stages(
            afterInputPath=GIVEN,
            afterParameters=GIVEN,
            errorDetails={"catchIndex": 1, "retryIndex": 1},
            afterResultPath={"Error": "Bad", "Cause": "so be it"},
        ),
    ),
    "Task that was tried often enough, and is not caught": (
        {**TASK, "Retry": RETRY},
        {"mock": BAD, "configuration": StateConfiguration(retrier_retry_count=3)},
        {"status": "FAILED", "error": "Bad", "cause": "so be it"},
        stages(afterInputPath=GIVEN, afterParameters=GIVEN, errorDetails={"retryIndex": 1}),
    ),
    "Task with an error that no retrier is for": (
        {**TASK, "Retry": RETRY[:1]},
        {"mock": BAD, "configuration": StateConfiguration(retrier_retry_count=3)},
        {"status": "FAILED", "error": "Bad", "cause": "so be it"},
        stages(afterInputPath=GIVEN, afterParameters=GIVEN),
    ),
    "Parallel that was tried often enough": (
        {**PARALLEL, "Retry": RETRY},
        {"mock": BAD, "configuration": StateConfiguration(retrier_retry_count=3)},
        {"status": "FAILED", "error": "Bad", "cause": "so be it"},
        stages(errorDetails={"retryIndex": 1}),
    ),
    "Task whose Arguments fail, caught": (
        {**TASK, **JSONATA, "Arguments": "{% $states.input.nothing %}", "Catch": CATCH[1:]},
        {"mock": mocked(1)},
        {
            "status": "CAUGHT_ERROR",
            "error": "States.QueryEvaluationError",
            "cause": "The JSONata expression '$states.input.nothing' specified for the field 'Arguments' returned "
            "nothing (undefined).",
            "nextState": "Y",
            "output": {
                "Error": "States.QueryEvaluationError",
                "Cause": "The JSONata expression '$states.input.nothing' specified for the field 'Arguments' "
                "returned nothing (undefined).",
            },
        },
        stages(errorDetails={"catchIndex": 0}),
    ),
    "Task of an activity": (
        {**TASK, "Resource": "arn:aws:states:us-east-1:123456789012:activity:a"},
        {"mock": mocked(3)},
        {"status": "SUCCEEDED", "output": 3},
        stages(
            afterInputPath=GIVEN,
            afterParameters=GIVEN,
            result=3,
            afterResultSelector=3,
            afterResultPath=3,
        ),
    ),
    "Task that waits for its token": (
        {
            **TASK,
            **JSONATA,
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Arguments": "{% $type($states.context.Task.Token) %}",
        },
        {"mock": mocked(3)},
        {"status": "SUCCEEDED", "output": 3},
        stages(afterArguments="string", result=3),
    ),
    "Task and its context": (
        {**TASK, "ResultSelector": {"context.$": "$$"}},
        {"mock": mocked({}), "context": {"Execution": {"Id": "x"}}},
        {"status": "SUCCEEDED", "output": {"context": {"Execution": {"Id": "x"}}}},
        stages(
            afterInputPath=GIVEN,
            afterParameters=GIVEN,
            result={},
            afterResultSelector={"context": {"Execution": {"Id": "x"}}},
            afterResultPath={"context": {"Execution": {"Id": "x"}}},
        ),
    ),
    "Parallel": (
        {**PARALLEL, "ResultSelector": {"first.$": "$[0]"}},
        {"mock": mocked([1, 2])},
        {"status": "SUCCEEDED", "output": {"first": 1}},
        stages(afterResultSelector={"first": 1}, afterResultPath={"first": 1}),
    ),
    "Parallel in JSONata": (
        {**PARALLEL, **JSONATA, "Arguments": "{% $states.input.a %}", "Output": "{% $sum($states.result) %}"},
        {"mock": mocked([1, 2])},
        {"status": "SUCCEEDED", "output": 3},
        stages(),
    ),
    "Parallel whose Parameters fail": (
        {**PARALLEL, "Parameters": {"x.$": "$.nothing"}},
        {"mock": mocked([1, 2])},
        {
            "status": "FAILED",
            "error": "States.Runtime",
            "cause": "The JSONPath '$.nothing' specified for the field 'x.$' could not be found in the input "
            '\'{"a":{"b":1},"list":[1,2]}\'',
        },
        stages(),
    ),
    "Parallel that fails": (
        {**PARALLEL, "Retry": RETRY},
        {"mock": BAD},
        {"status": "RETRIABLE", "error": "Bad", "cause": "so be it"},
        stages(errorDetails={"retryIndex": 1, "retryBackoffIntervalSeconds": 3}),
    ),
    "Map": (
        {**MAP, "ItemsPath": "$.list", "MaxConcurrency": 2, "ResultPath": "$.r"},
        {"mock": mocked([5])},
        {"status": "SUCCEEDED", "output": {**GIVEN, "r": [5]}},
        stages(
            afterInputPath=GIVEN,
            afterItemsPath=[1, 2],
            maxConcurrency=2,
            afterResultSelector=[5],
            afterResultPath={**GIVEN, "r": [5]},
        ),
    ),
    "Map with an ItemSelector": (
        {**MAP, "ItemsPath": "$.list", "ItemSelector": {"v.$": "$$.Map.Item.Value", "b.$": "$.a.b"}},
        {"mock": mocked([])},
        {"status": "SUCCEEDED", "output": []},
        stages(
            afterInputPath=GIVEN,
            afterItemsPath=[1, 2],
            afterItemSelector=[{"v": 1, "b": 1}, {"v": 2, "b": 1}],
            maxConcurrency=0,
            afterResultSelector=[],
            afterResultPath=[],
        ),
    ),
    "Map over something else": (
        {**MAP, "ItemsPath": "$.a", "Catch": CATCH[1:]},
        {"mock": mocked([])},
        {"status": "FAILED", "error": "States.Runtime", "cause": 'Reference path "$.a" must point to array.'},
        WHOLE,
    ),
    "Map whose iterations fail": (
        {**MAP, "ItemsPath": "$.list", "Catch": CATCH[1:]},
        {"mock": mocked([5]), "configuration": StateConfiguration(map_iteration_failure_count=1)},
        {
            "status": "CAUGHT_ERROR",
            "error": "States.ExceedToleratedFailureThreshold",
            "cause": "The specified tolerated failure threshold was exceeded",
            "nextState": "Y",
            "output": {
                "Error": "States.ExceedToleratedFailureThreshold",
                "Cause": "The specified tolerated failure threshold was exceeded",
            },
        },
        stages(
            afterInputPath=GIVEN,
            afterItemsPath=[1, 2],
            maxConcurrency=0,
            errorDetails={"catchIndex": 0},
            afterResultPath={
                "Error": "States.ExceedToleratedFailureThreshold",
                "Cause": "The specified tolerated failure threshold was exceeded",
            },
        ),
    ),
    "Map in JSONata": (
        {
            **MAP,
            **JSONATA,
            "Items": "{% $states.input.list %}",
            "ItemSelector": "{% $states.context.Map.Item.Index %}",
        },
        {"mock": mocked([5])},
        {"status": "SUCCEEDED", "output": [5]},
        stages(afterItemSelector=[0, 1], maxConcurrency=0),
    ),
}


@pytest.mark.parametrize(("source", "options", "told", "data"), ANSWERS.values(), ids=ANSWERS)
def test_what_a_state_answers(
    source: dict[str, Any], options: dict[str, Any], told: dict[str, Any], data: dict[str, Any]
) -> None:
    made = trial(source, **options)
    assert made.over
    assert answer(made) == (told, data)


def test_a_wait_waits() -> None:
    made = trial({"Type": "Wait", "Seconds": 20, "Next": "Z"})
    work = made.open
    assert work is not None
    assert not made.over
    assert work.due == START + 20_000
    made.take(TimerReported(work.due, work.key))
    assert answer(made) == ({"status": "SUCCEEDED", "output": GIVEN, "nextState": "Z"}, WHOLE)


def test_five_minutes_are_the_most() -> None:
    made = trial({"Type": "Wait", "Seconds": 301, "Next": "Z"})
    made.take(TimerReported(START + 300_000, MACHINE_TIMER))
    assert answer(made)[0] == {"status": "FAILED", "error": "States.Timeout"}


def test_a_task_without_a_mock_is_open_until_it_reports() -> None:
    made = trial(TASK)
    work = made.open
    assert work is not None
    assert not made.over
    made.take(TaskReported(START + 5, work.key, Payload({"r": 1})))
    assert answer(made)[0] == {"status": "SUCCEEDED", "output": {"r": 1}}


def test_the_context_object_is_that_of_an_express_execution() -> None:
    told, _ = answer(trial({"Type": "Pass", "Parameters": {"c.$": "$$"}, **END}))
    assert told["output"]["c"] == {
        "Execution": {
            "Id": WHO.arn,
            "Input": GIVEN,
            "Name": "n",
            "RoleArn": "arn:role",
            "StartTime": "2023-11-14T22:13:20.000Z",
        },
        "StateMachine": {"Id": "arn:m", "Name": "m"},
        "State": {"Name": "StateName", "EnteredTime": "2023-11-14T22:13:20.000Z"},
    }


def test_what_is_random_is_the_same_in_the_stages_and_in_the_output() -> None:
    told, data = answer(trial({"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}, **END}))
    assert told["output"] == data["afterParameters"] == data["afterResultPath"]


def test_texts_that_nothing_changes_are_handed_on_to_the_letter() -> None:
    made = Trial(
        load_subject(json.dumps(PARALLEL)),
        WHO,
        Payload.of_text("{ }"),
        mock=StateMock(Payload.of_text("[1,  2]")),
        datasets=datasets_of(None),
    )
    made.begin()
    assert made.verdict().output == "[1,  2]"
    assert made.verdict().data == {
        "input": "{ }",
        "afterResultSelector": "[1,  2]",
        "afterResultPath": "[1,  2]",
    }


MACHINE: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "M",
    "States": {
        "M": {**MAP, "End": False, "Next": "P"},
        "P": {"Type": "Pass", "Output": "{% 1 + 1 %}", **END},
    },
}


@pytest.mark.parametrize(("name", "output"), [("P", 2), ("I", GIVEN)])
def test_a_state_within_a_machine(name: str, output: Any) -> None:
    made = Trial(load_subject(json.dumps(MACHINE), name), WHO, Payload(GIVEN), datasets=datasets_of(None))
    made.begin()
    assert json.loads(made.verdict().output or "") == output


def test_a_name_that_the_machine_does_not_have() -> None:
    with pytest.raises(Refusal, match=r"State 'p' does not exist .* did you mean 'P'\?"):
        load_subject(json.dumps(MACHINE), "p")


@pytest.mark.parametrize(
    ("text", "name", "finding"),
    [
        ("{", None, "INVALID_JSON_DESCRIPTION"),
        ("[]", None, "Definition must be a valid JSON object"),
        ('{"Type": "Pass"}', None, "/States/StateName"),
        ('{"Type": "Nap"}', None, "/States/StateName/Type"),
        ('{"Type": "Pass", "Next": 1}', None, "/States/StateName/Next"),
        (json.dumps({**PARALLEL, "Branches": []}), None, "/States/StateName/Branches: Value cannot be empty"),
        ('{"Type": "Pass", "End": true}', "P", "The field 'StartAt' is required but was missing"),
    ],
)
def test_definitions_that_are_refused(text: str, name: str | None, finding: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_subject(text, name)
    assert finding in str(caught.value)


NO_MOCK = "when a mock is not specified"
REQUESTS: list[tuple[StateMock | None, StateConfiguration, dict[str, bool], str]] = [
    (None, StateConfiguration(), {"context": True}, f"TestState does not support Context {NO_MOCK}."),
    (None, StateConfiguration(0), {}, f"TestState does not support RetrierRetryCount {NO_MOCK}."),
    (None, StateConfiguration(None, "I"), {}, f"TestState does not support ErrorCausedByState {NO_MOCK}."),
    (
        None,
        StateConfiguration(None, None, 0),
        {},
        f"TestState does not support MapIterationFailureCount {NO_MOCK}.",
    ),
    (
        None,
        StateConfiguration(None, None, None, ""),
        {},
        f"TestState does not support MapItemReaderData {NO_MOCK}.",
    ),
    (
        BAD,
        StateConfiguration(),
        {"reveal_secrets": True},
        "TestState does not support RevealSecrets when a mock is specified.",
    ),
]


@pytest.mark.parametrize(("mock", "configuration", "flags", "message"), REQUESTS, ids=[r[3] for r in REQUESTS])
def test_requests_that_are_refused(
    mock: StateMock | None, configuration: StateConfiguration, flags: dict[str, bool], message: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check_request(mock, configuration, **{"context": False, "reveal_secrets": False, **flags})
    assert str(caught.value) == message


ROLE = "arn:aws:iam::123456789012:role/r"
MOCKS: list[tuple[dict[str, Any], StateMock | None, StateConfiguration, str | None, str]] = [
    (TASK, None, StateConfiguration(), None, "RoleArn must be specified when testing a Task state"),
    (
        {**TASK, "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"},
        None,
        StateConfiguration(),
        ROLE,
        "does not support the resource",
    ),
    (
        {**TASK, "Resource": "arn:aws:states:us-east-1:123456789012:activity:a"},
        None,
        StateConfiguration(),
        ROLE,
        "does not support the resource",
    ),
    (MAP, None, StateConfiguration(), ROLE, "TestState API does not support Map or Parallel states."),
    (PARALLEL, None, StateConfiguration(), ROLE, "TestState API does not support Map or Parallel states."),
    *(
        (
            source,
            BAD,
            StateConfiguration(),
            None,
            f"State type '{source['Type']}' is not supported when a mock is specified",
        )
        for source in (
            {"Type": "Pass", **END},
            {"Type": "Succeed"},
            {"Type": "Fail"},
            {"Type": "Wait", "Seconds": 1, **END},
            {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "X"}]},
        )
    ),
    (
        PARALLEL,
        mocked([1]),
        StateConfiguration(),
        None,
        "Mocked result must contain the same number of items as number of Parallel branches.",
    ),
    (PARALLEL, mocked({}), StateConfiguration(), None, "Mocked result must be an array."),
    (MAP, mocked({}), StateConfiguration(), None, "Mocked result must be an array."),
    (
        MAP,
        mocked([]),
        StateConfiguration(None, "I"),
        None,
        "ErrorCausedByState requires a mocked error of a Map or Parallel state.",
    ),
    (
        TASK,
        BAD,
        StateConfiguration(None, "I"),
        None,
        "ErrorCausedByState requires a mocked error of a Map or Parallel state.",
    ),
    (MAP, BAD, StateConfiguration(None, "J"), None, "ErrorCausedByState 'J' does not exist in the tested state."),
    (
        MAP,
        BAD,
        StateConfiguration(None, None, None, "[]"),
        None,
        "MapItemReaderData requires a Map state with an ItemReader.",
    ),
    (
        PARALLEL,
        BAD,
        StateConfiguration(None, None, 1),
        None,
        "MapIterationFailureCount is only supported when testing a Map state.",
    ),
    (
        TASK,
        BAD,
        StateConfiguration(None, None, None, "[]"),
        None,
        "MapItemReaderData is only supported when testing a Map state.",
    ),
]


@pytest.mark.parametrize(("source", "mock", "configuration", "role", "message"), MOCKS)
def test_mocks_that_are_refused(
    source: dict[str, Any],
    mock: StateMock | None,
    configuration: StateConfiguration,
    role: str | None,
    message: str,
) -> None:
    with pytest.raises(Refusal) as caught:
        check_mock(load_subject(json.dumps(source)), mock, configuration, role)
    assert message in str(caught.value)


@pytest.mark.parametrize("source", [MAP, PARALLEL, TASK])
def test_a_mocked_error_suits_whatever_does_work(source: dict[str, Any]) -> None:
    check_mock(load_subject(json.dumps(source)), BAD, StateConfiguration(retrier_retry_count=1), None)
