"""What each state does: definition, input and answers in, outcome out."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.core.events import RetryScheduled, TaskScheduled, WaitScheduled
from asl_engine.errors import StatesError, shown_error
from asl_engine.limits import Limits
from tests.core.driver import IDENTITY, NEVER, NOW, drive, history, outcome

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


def alone(**fields: Any) -> dict[str, Any]:
    """A machine of the one state S, and of E where a Choice leads there."""
    end = {} if fields["Type"] in {"Succeed", "Fail", "Choice"} else {"End": True}
    more = {"E": {"Type": "Succeed"}} if fields["Type"] == "Choice" else {}
    return {"StartAt": "S", "States": {"S": {**end, **fields}, **more}}


def task(**fields: Any) -> dict[str, Any]:
    return alone(Type="Task", Resource=FUNCTION, **fields)


def failure(detail: str, error: str = "States.Runtime") -> tuple[str, tuple[str, str]]:
    prefix = "An error occurred while executing the state 'S' (entered at the event id #2). "
    return "FAILED", (error, prefix + detail)


PASS = [
    ("hands its input on", {}, {"a": 1}, {"a": 1}),
    ("a result replaces it", {"Result": [1, None]}, {"a": 1}, [1, None]),
    ("a result that is null", {"Result": None}, {"a": 1}, {"a": 1}),
    ("a result put into it", {"Result": 2, "ResultPath": "$.b.c"}, {"a": 1}, {"a": 1, "b": {"c": 2}}),
    ("a result thrown away", {"Result": 2, "ResultPath": None}, {"a": 1}, {"a": 1}),
    ("InputPath selects", {"InputPath": "$.a"}, {"a": {"b": 1}}, {"b": 1}),
    ("InputPath null is an empty object", {"InputPath": None}, {"a": 1}, {}),
    ("OutputPath selects", {"OutputPath": "$.a"}, {"a": 0}, 0),
    ("OutputPath null is an empty object", {"OutputPath": None}, {"a": 1}, {}),
    ("Parameters make a new value", {"Parameters": {"x.$": "$.a", "y": 2}}, {"a": 1}, {"x": 1, "y": 2}),
    ("the context object", {"Parameters": {"n.$": "$$.Execution.Name"}}, {}, {"n": "name"}),
    (
        "all of it, in order",
        {"InputPath": "$.in", "Parameters": {"p.$": "$.v"}, "ResultPath": "$.out", "OutputPath": "$.out.p"},
        {"in": {"v": False}},
        False,
    ),
]


@pytest.mark.parametrize(("name", "fields", "data", "output"), PASS, ids=[case[0] for case in PASS])
def test_pass(name: str, fields: dict[str, Any], data: Any, output: Any) -> None:
    execution, _ = drive(alone(Type="Pass", **fields), data)
    assert outcome(execution) == ("SUCCEEDED", output), name


def test_what_the_context_object_holds() -> None:
    definition = task(Parameters={"all.$": "$$"}, TimeoutSeconds=5)
    _, events = drive(definition, {"a": 1}, {"S": [None]})
    scheduled = next(event for event in events if isinstance(event, TaskScheduled))
    assert scheduled.parameters.value == {
        "all": {
            "Execution": {
                "Id": IDENTITY.arn,
                "Input": {"a": 1},
                "StartTime": "2023-11-14T22:13:20.000Z",
                "Name": "name",
                "RoleArn": IDENTITY.role_arn,
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": IDENTITY.machine_arn, "Name": "machine"},
            "State": {"Name": "S", "EnteredTime": "2023-11-14T22:13:20.000Z", "RetryCount": 0},
        }
    }


def test_only_states_that_retry_have_a_retry_count() -> None:
    execution, _ = drive(alone(Type="Pass", Parameters={"s.$": "$$.State"}))
    assert outcome(execution)[1] == {"s": {"Name": "S", "EnteredTime": "2023-11-14T22:13:20.000Z"}}


RUNTIME_FAILURES = [
    (alone(Type="Pass", InputPath="$.x"), {}, failure("Invalid path '$.x' : No results for path: $['x']")),
    (
        alone(Type="Pass", OutputPath="$.x.y"),
        {},
        failure("Invalid path '$.x.y' : Missing property in path $['x']"),
    ),
    (
        alone(Type="Pass", Parameters={"a": {"b.$": "$.x"}}),
        {"c": 1},
        failure("The JSONPath '$.x' specified for the field 'b.$' could not be found in the input '{\"c\":1}'"),
    ),
    (
        alone(Type="Choice", Choices=[{"Variable": "$.x", "NumericEquals": 1, "Next": "E"}], Default="E"),
        {},
        failure("Invalid path '$.x': The choice state's condition path references an invalid value."),
    ),
    (
        alone(Type="Choice", Choices=[{"Variable": "$.x", "NumericEquals": 1, "Next": "E"}]),
        {"x": 2},
        failure("Failed to transition out of the state. The state does not point to a next state."),
    ),
    (
        alone(Type="Wait", SecondsPath="$.x"),
        {},
        failure("The SecondsPath parameter does not reference an input value: $.x"),
    ),
    (
        alone(Type="Wait", SecondsPath="$.x"),
        {"x": "soon"},
        failure("The SecondsPath parameter cannot be parsed as a long value: $.x == soon"),
    ),
    (
        alone(Type="Wait", SecondsPath="$.x"),
        {"x": True},
        failure("The SecondsPath parameter cannot be parsed as a long value: $.x == true"),
    ),
    (
        alone(Type="Wait", SecondsPath="$.x"),
        {"x": -1},
        failure("The SecondsPath parameter references a negative value: $.x == -1"),
    ),
    (alone(Type="Wait", SecondsPath="$.x"), {"x": 2**31}, failure("Wait state delay is too long.")),
    (
        alone(Type="Wait", TimestampPath="$.x"),
        {},
        failure("The TimestampPath parameter does not reference an input value: $.x"),
    ),
    (
        alone(Type="Wait", TimestampPath="$.x"),
        {"x": 5},
        failure(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format "
            "string: $.x == 5"
        ),
    ),
    (
        alone(Type="Fail", ErrorPath="$.x"),
        {"a": 1},
        failure(
            "The JSONPath '$.x' specified for the field 'ErrorPath' could not be found in the input '{\"a\":1}'"
        ),
    ),
    (
        alone(Type="Fail", CausePath="$.x"),
        {"x": 1},
        failure("The value of the field 'CausePath' must be a string, but was 1"),
    ),
    (
        task(TimeoutSecondsPath="$.x"),
        {},
        failure("The TimeoutSecondsPath parameter does not reference an input value: $.x"),
    ),
    (
        task(HeartbeatSecondsPath="$.x"),
        {"x": 0},
        failure("The HeartbeatSecondsPath parameter does not reference a positive integer: $.x == 0"),
    ),
    # States.Runtime is beyond Retry and Catch, even where they name it.
    (
        task(InputPath="$.x", Retry=[{"ErrorEquals": ["States.ALL"]}]),
        {},
        failure("Invalid path '$.x' : No results for path: $['x']"),
    ),
]


@pytest.mark.parametrize("field", ["TimeoutSecondsPath", "HeartbeatSecondsPath"])
def test_the_text_of_seconds(field: str) -> None:
    execution, _ = drive(task(**{field: "$.x"}), {"x": "5"}, {"S": [NEVER]})
    assert outcome(execution)[1][0] == "States.Timeout"
    assert execution.stopped_at == execution.identity.started_at + 5_000


FROM_NULL = [
    {"InputPath": "$.x"},
    {"OutputPath": "$.x.y"},
    {"Parameters": {"a.$": "$"}},
    {"Parameters": {"a": [{"b.$": "$.x[0]"}]}},
    {"Assign": {"v.$": "$.x"}},
]


@pytest.mark.parametrize("fields", FROM_NULL, ids=str)
def test_nothing_can_be_taken_from_null(fields: dict[str, Any]) -> None:
    null = {"Type": "Pass", "InputPath": "$.n", "Next": "S"}
    reader = {"Type": "Pass", **fields, "End": True}
    execution, _ = drive({"StartAt": "N", "States": {"N": null, "S": reader}}, {"n": None})
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'S' (entered at the event id #4). "
        "Unable to apply Path transformation to null or empty input."
    )


def test_null_is_handed_on() -> None:
    null = {"Type": "Pass", "Result": None, "Next": "S"}
    reader = {"Type": "Pass", "InputPath": "$", "Parameters": {"n.$": "$$.Execution.Name"}, "End": True}
    execution, _ = drive({"StartAt": "N", "States": {"N": null, "S": reader}})
    assert outcome(execution) == ("SUCCEEDED", {"n": "name"})


@pytest.mark.parametrize(("definition", "data", "expected"), RUNTIME_FAILURES)
def test_runtime_failures(definition: dict[str, Any], data: Any, expected: Any) -> None:
    execution, events = drive(definition, data)
    assert outcome(execution) == expected
    assert [type(event).__name__ for event in events] == [
        "ExecutionStarted",
        "StateEntered",
        "ExecutionFailed",
    ]


WAITS = [
    ({"Seconds": 90}, {}, 90.0),
    ({"Seconds": 0}, {}, 0.0),
    ({"SecondsPath": "$.s"}, {"s": 7}, 7.0),
    ({"Timestamp": "2023-11-14T22:13:21.0000001Z"}, {}, 1.001),
    ({"Timestamp": "2001-01-01T00:00:00Z"}, {}, 0.0),
    ({"TimestampPath": "$.t"}, {"t": "2023-11-14T23:13:30+01:00"}, 10.0),
]


@pytest.mark.parametrize(("fields", "data", "seconds"), WAITS)
def test_wait(fields: dict[str, Any], data: Any, seconds: float) -> None:
    execution, events = drive(alone(Type="Wait", **fields), data)
    assert outcome(execution) == ("SUCCEEDED", data)
    assert [event["timestamp"] for event in history(events)] == [0.0, 0.0, seconds, seconds]
    assert [event["id"] for event in history(events)] == [1, 2, 3, 4]
    assert any(isinstance(event, WaitScheduled) for event in events) == (seconds > 0)


CHOICES = [
    ({"n": 1}, "One"),
    ({"n": 2}, "Many"),
    ({"n": 2, "deep": {"flag": True}}, "Flag"),
]


@pytest.mark.parametrize(("data", "target"), CHOICES)
def test_choice(data: Any, target: str) -> None:
    definition = {
        "StartAt": "S",
        "States": {
            "S": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.n", "NumericEquals": 1, "Next": "One"},
                    {
                        "And": [
                            {"Variable": "$.deep", "IsPresent": True},
                            {"Variable": "$.deep.flag", "BooleanEquals": True},
                        ],
                        "Next": "Flag",
                    },
                ],
                "Default": "Many",
            },
            **{name: {"Type": "Pass", "Result": name, "End": True} for name in ("One", "Many", "Flag")},
        },
    }
    assert outcome(drive(definition, data)[0]) == ("SUCCEEDED", target)


def test_succeed_selects_its_output() -> None:
    execution, _ = drive(alone(Type="Succeed", InputPath="$.a", OutputPath="$.b"), {"a": {"b": "c"}})
    assert outcome(execution) == ("SUCCEEDED", "c")


FAILS = [
    ({"Error": "E", "Cause": "C"}, {}, ("E", "C")),
    ({}, {}, (None, None)),
    ({"ErrorPath": "$.e", "CausePath": "$.c"}, {"e": "E", "c": "C"}, ("E", "C")),
    ({"CausePath": "States.JsonToString($.a)"}, {"a": [1]}, (None, "[1]")),
    ({"ErrorPath": "States.ArrayGetItem($.a, 1)"}, {"a": ["x", "y"]}, ("y", None)),
    (
        {"ErrorPath": "States.Base64Encode('a')", "CausePath": "States.Format('{}', States.MathAdd(1, 2))"},
        {},
        ("YQ==", "3"),
    ),
    ({"Error": "x" * 300, "Cause": "y" * 40_000}, {}, ("x" * 256, "y" * 32_768)),
]


@pytest.mark.parametrize(("fields", "data", "expected"), FAILS)
def test_fail(fields: dict[str, Any], data: Any, expected: Any) -> None:
    execution, events = drive(alone(Type="Fail", **fields), data)
    assert outcome(execution) == ("FAILED", expected)
    details = {k: v for k, v in zip(("error", "cause"), expected, strict=True) if v is not None}
    assert history(events)[-1]["executionFailedEventDetails"] == details


# -- tasks -----------------------------------------------------------------------------------------


TASK_FLOWS = [
    ({}, {"a": 1}, {"r": 2}, {"r": 2}),
    ({"Parameters": {"p.$": "$.a"}}, {"a": 1}, None, None),
    ({"ResultSelector": {"s.$": "$.r"}}, {"a": 1}, {"r": 2}, {"s": 2}),
    ({"ResultPath": "$.r"}, {"a": 1}, [1], {"a": 1, "r": [1]}),
    ({"ResultPath": None}, {"a": 1}, [1], {"a": 1}),
    ({"ResultPath": "$.r", "OutputPath": "$.r"}, {"a": 1}, "", ""),
    ({"InputPath": "$.i", "ResultPath": "$.r"}, {"i": {}}, 0, {"i": {}, "r": 0}),
]


@pytest.mark.parametrize(("fields", "data", "result", "output"), TASK_FLOWS)
def test_the_flow_through_a_task(fields: dict[str, Any], data: Any, result: Any, output: Any) -> None:
    assert outcome(drive(task(**fields), data, {"S": [result]})[0]) == ("SUCCEEDED", output)


def test_what_a_task_is_given() -> None:
    _, events = drive(
        task(InputPath="$.i", Parameters={"p.$": "$"}, TimeoutSecondsPath="$.t", HeartbeatSeconds=3),
        {"i": {"t": 60}},
        {"S": [1]},
    )
    scheduled = next(event for event in events if isinstance(event, TaskScheduled))
    assert scheduled.parameters.value == {"p": {"t": 60}}
    assert (scheduled.timeout, scheduled.heartbeat, scheduled.attempt) == (60, 3, 0)


TIMEOUTS = [
    ({"TimeoutSeconds": 5}, 5.0, "States.Timeout"),
    ({"TimeoutSeconds": 5, "HeartbeatSeconds": 2}, 2.0, "States.Timeout"),
]


@pytest.mark.parametrize(("fields", "seconds", "error"), TIMEOUTS)
def test_a_task_times_out(fields: dict[str, Any], seconds: float, error: str) -> None:
    execution, events = drive(task(**fields), {}, {"S": [NEVER]})
    assert outcome(execution) == ("FAILED", (error, None))
    timed_out = history(events)[-2]
    assert timed_out["type"] == "LambdaFunctionTimedOut"
    assert timed_out["lambdaFunctionTimedOutEventDetails"] == {"error": error}
    assert timed_out["timestamp"] == seconds


def test_the_machine_times_out() -> None:
    definition = {**task(), "TimeoutSeconds": 30}
    execution, events = drive(definition, {}, {"S": [NEVER]})
    assert outcome(execution) == ("TIMED_OUT", ("States.Timeout", None))
    last = history(events)[-1]
    assert (last["type"], last["timestamp"]) == ("ExecutionTimedOut", 30.0)


# -- Retry and Catch -------------------------------------------------------------------------------

RETRIES = [
    ({}, 4, [1, 2, 4]),
    ({"MaxAttempts": 0}, 1, []),
    ({"MaxAttempts": 1}, 2, [1]),
    ({"IntervalSeconds": 3, "BackoffRate": 1.0}, 4, [3, 3, 3]),
    ({"IntervalSeconds": 2, "BackoffRate": 1.5, "MaxAttempts": 4}, 5, [2, 3, 4.5, 6.75]),
    ({"IntervalSeconds": 5, "MaxDelaySeconds": 8}, 4, [5, 8, 8]),
]


@pytest.mark.parametrize(("fields", "attempts", "delays"), RETRIES)
def test_retry_waits(fields: dict[str, Any], attempts: int, delays: list[float]) -> None:
    error = StatesError("Broken", "badly")
    definition = task(Retry=[{"ErrorEquals": ["Broken"], **fields}])
    execution, events = drive(definition, {}, {"S": [error] * attempts})
    assert outcome(execution) == ("FAILED", ("Broken", "badly"))
    assert [(e.due - e.at) / 1000 for e in events if isinstance(e, RetryScheduled)] == delays
    assert [e.attempt for e in events if isinstance(e, TaskScheduled)] == list(range(attempts))


def test_full_jitter_stays_within_the_delay_and_is_the_same_again() -> None:
    error = StatesError("Broken")
    definition = task(Retry=[{"ErrorEquals": ["Broken"], "JitterStrategy": "FULL", "MaxAttempts": 5}])
    runs = [drive(definition, {}, {"S": [error] * 6})[1] for _ in range(2)]
    delays = [[e.due - e.at for e in events if isinstance(e, RetryScheduled)] for events in runs]
    assert delays[0] == delays[1]
    assert all(0 <= delay <= 1000 * 2**tries for tries, delay in enumerate(delays[0]))
    assert len(set(delays[0])) == 5


def test_each_retrier_counts_for_itself() -> None:
    one, two = StatesError("One"), StatesError("Two")
    definition = task(
        Retry=[{"ErrorEquals": ["One"], "MaxAttempts": 1}, {"ErrorEquals": ["Two"], "MaxAttempts": 2}],
        ResultSelector={"count.$": "$$.State.RetryCount"},
    )
    assert outcome(drive(definition, {}, {"S": [one, two, two, {}]})[0]) == ("SUCCEEDED", {"count": 3})
    assert outcome(drive(definition, {}, {"S": [one, two, one]})[0]) == ("FAILED", ("One", None))


def test_a_retry_count_starts_anew_in_the_next_state() -> None:
    error = StatesError("Broken")
    state = {"Type": "Task", "Resource": FUNCTION, "Retry": [{"ErrorEquals": ["Broken"], "MaxAttempts": 1}]}
    definition = {"StartAt": "A", "States": {"A": {**state, "Next": "B"}, "B": {**state, "End": True}}}
    execution, _ = drive(definition, {}, {"A": [error, 1], "B": [error, 2]})
    assert outcome(execution) == ("SUCCEEDED", 2)


MATCHES = [
    (["Exact"], "Exact", True),
    (["Exact"], "Other", False),
    (["Other", "Exact"], "Exact", True),
    (["States.ALL"], "Anything", True),
    (["States.ALL"], None, True),
    (["States.ALL"], "States.Timeout", True),
    (["States.ALL"], "States.DataLimitExceeded", False),
    (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
    (["States.ALL"], "States.Runtime", False),
    (["States.Runtime"], "States.Runtime", False),
    (["States.TaskFailed"], "Anything", True),
    (["States.TaskFailed"], "States.Timeout", False),
    (["States.TaskFailed"], "States.HeartbeatTimeout", False),
    (["States.Timeout"], "States.HeartbeatTimeout", True),
    (["States.HeartbeatTimeout"], "States.HeartbeatTimeout", True),
    (["States.HeartbeatTimeout"], "States.Timeout", False),
]


@pytest.mark.parametrize(("names", "error", "caught"), MATCHES)
def test_what_a_catcher_matches(names: list[str], error: str | None, caught: bool) -> None:
    definition = task(Catch=[{"ErrorEquals": names, "Next": "Caught"}])
    definition["States"]["Caught"] = {"Type": "Pass", "End": True}
    execution, _ = drive(definition, {"in": 1}, {"S": [StatesError(error, "because")]})
    if caught:
        assert outcome(execution) == ("SUCCEEDED", {"Error": shown_error(error), "Cause": "because"})
    else:
        assert outcome(execution) == ("FAILED", (shown_error(error), "because"))


CATCHERS = [
    ({}, {"Error": "E", "Cause": "C"}),
    ({"ResultPath": "$.error"}, {"in": 1, "error": {"Error": "E", "Cause": "C"}}),
    ({"ResultPath": None}, {"in": 1}),
]


@pytest.mark.parametrize(("fields", "output"), CATCHERS)
def test_where_a_catcher_puts_the_error(fields: dict[str, Any], output: Any) -> None:
    definition = task(Catch=[{"ErrorEquals": ["E"], "Next": "Caught", **fields}], OutputPath="$.not.applied")
    definition["States"]["Caught"] = {"Type": "Pass", "End": True}
    execution, _ = drive(definition, {"in": 1}, {"S": [StatesError("E", "C")]})
    assert outcome(execution) == ("SUCCEEDED", output)


def test_retries_come_before_the_catch_and_a_caught_timeout_has_an_empty_cause() -> None:
    definition = task(
        TimeoutSeconds=3,
        Retry=[{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    )
    definition["States"]["Caught"] = {"Type": "Pass", "End": True}
    execution, events = drive(definition, {}, {"S": [NEVER, NEVER]})
    assert outcome(execution) == ("SUCCEEDED", {"Error": "States.Timeout", "Cause": ""})
    assert history(events)[-1]["timestamp"] == 7.0  # 3 s, a second of backoff, 3 s


def test_a_result_path_that_cannot_be_applied_can_be_caught() -> None:
    definition = task(
        ResultPath="$.a.b", Catch=[{"ErrorEquals": ["States.ResultPathMatchFailure"], "Next": "Caught"}]
    )
    definition["States"]["Caught"] = {"Type": "Pass", "OutputPath": "$.Error", "End": True}
    execution, _ = drive(definition, {"a": "text"}, {"S": [1]})
    assert outcome(execution) == ("SUCCEEDED", "States.ReferencePathConflict")


def test_a_catcher_that_cannot_be_followed_fails_the_execution() -> None:
    definition = task(Catch=[{"ErrorEquals": ["E"], "ResultPath": "$.a.b", "Next": "S"}])
    execution, _ = drive(definition, {"a": 1}, {"S": [StatesError("E", "C")]})
    assert outcome(execution)[0] == "FAILED"
    assert execution.error == "States.ReferencePathConflict"


# -- limits ----------------------------------------------------------------------------------------

BIG = "x" * 262_143  # with its quotes one byte more than the limit
TOO_LARGE = (
    "States.DataLimitExceeded",
    "The state/task 'S' returned a result with a size exceeding the maximum number of bytes service limit.",
)


def test_a_result_that_is_too_large() -> None:
    assert outcome(drive(alone(Type="Pass", Result=BIG))[0]) == ("FAILED", TOO_LARGE)
    assert outcome(drive(alone(Type="Pass", Result=BIG[1:]))[0]) == ("SUCCEEDED", BIG[1:])
    assert outcome(drive(alone(Type="Pass", Result="é" * 131_072))[0]) == ("FAILED", TOO_LARGE)
    assert outcome(drive(alone(Type="Pass", Result=BIG), limits=Limits(payload_bytes=None))[0])[0] == "SUCCEEDED"


def test_a_task_result_that_is_too_large_fails_the_attempt() -> None:
    execution, events = drive(task(), {}, {"S": [BIG]})
    assert outcome(execution) == ("FAILED", TOO_LARGE)
    assert history(events)[-2]["type"] == "LambdaFunctionFailed"


LOOP = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    },
}


def test_a_loop_without_end_fills_the_history() -> None:
    import json

    from asl_engine.core.execution import Execution
    from asl_engine.core.interpreter import advance
    from asl_engine.core.stimuli import Resumed, Started
    from asl_engine.language.loader import load
    from asl_engine.payload import Payload

    machine, execution = load(json.dumps(LOOP)), Execution(IDENTITY)
    events = advance(machine, execution, Started(NOW, Payload({})))
    while execution.status == "RUNNING":
        more = advance(machine, execution, Resumed(NOW))
        assert 0 < len(more) <= 5_001
        events += more
    assert len(events) == 25_000
    assert events[-1].id == 25_000
    expected = ("States.Runtime", "The execution reached the maximum number of history events (25000).")
    assert outcome(execution) == ("FAILED", expected)
