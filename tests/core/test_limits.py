"""Every limit that the core minds: just below, at, and just above; set otherwise, and off."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.core.execution import Execution
from asl_engine.core.interpreter import lifetime_end
from asl_engine.errors import InvalidInput, StatesError
from asl_engine.language.loader import check
from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits
from asl_engine.project.limits import overridden, parse_limits
from tests.core.driver import EXPRESS, IDENTITY, NOW, drive, history, outcome
from tests.core.steps import FUNCTION, Steps, each, parallel, scope, state, task

LARGE = "States.DataLimitExceeded"
LONG = "x" * 250_000
KIB = 262_144


# -- payloads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "fits"), [(KIB - 1, True), (KIB, True), (KIB + 1, False)])
def test_the_result_of_a_task(length: int, fits: bool) -> None:
    result = "x" * (length - 2)  # the quotes count
    execution, _ = drive(scope(T=task()), {}, {"T": [result]})
    assert (execution.status, execution.error) == (("SUCCEEDED", None) if fits else ("FAILED", LARGE))
    free, _ = drive(scope(T=task()), {}, {"T": [result]}, Limits(payload_bytes=None))
    assert free.status == "SUCCEEDED"


def test_bytes_are_counted_not_characters() -> None:
    for text, status in (("é" * 49, "SUCCEEDED"), ("é" * 50, "FAILED")):
        assert drive(scope(T=task()), {}, {"T": [text]}, Limits(payload_bytes=100))[0].status == status


ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:a"
MIB = 1_048_576


@pytest.mark.parametrize(
    ("resource", "length", "status"),
    [
        (ACTIVITY, MIB, "RUNNING"),
        (ACTIVITY, MIB + 1, "FAILED"),
        (FUNCTION, KIB, "RUNNING"),
        (FUNCTION, KIB + 1, "FAILED"),
    ],
)
def test_the_input_of_an_activitys_task_may_be_larger(resource: str, length: int, status: str) -> None:
    # An array of texts, for no expression makes more than 256 KiB.
    chunks = [200_000] * (length // 200_003)
    last = length - len("[]") - sum(size + len('"",') for size in chunks) - len('""')
    arguments = [f"{{% $pad('', {size}, 'x') %}}" for size in (*chunks, last)]
    steps = Steps({"QueryLanguage": "JSONata", **scope(T=state("Task", Resource=resource, Arguments=arguments))})
    assert (steps.execution.status, steps.execution.error) == (status, None if status == "RUNNING" else LARGE)
    if status == "RUNNING":
        assert len(steps.tasks()[0].parameters.text) == length


# -- history -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "status"), [(6, "FAILED"), (7, "SUCCEEDED"), (8, "SUCCEEDED"), (None, "SUCCEEDED")]
)
def test_the_history_of_seven_events(limit: int | None, status: str) -> None:
    """At one event less than there may be, only the end of the execution has room."""
    execution, events = drive(scope(T=task()), {}, {"T": [1]}, Limits(history_events=limit))
    assert execution.status == status
    shown = history(events)
    assert len(shown) == (limit if status == "FAILED" else 7)
    if status == "FAILED":
        assert outcome(execution)[1] == (
            "States.Runtime",
            f"The execution reached the maximum number of history events ({limit}).",
        )


def test_an_express_history_has_no_limit() -> None:
    """Neither as it goes on, nor where the execution waits with no room left."""
    items = list(range(7_000))
    passing = scope(M=each(scope(P=state("Pass"))))
    execution, events = drive(passing, items, identity=EXPRESS)
    assert outcome(execution) == ("SUCCEEDED", items)
    assert len(history(events)) > 25_000
    assert drive(passing, items)[0].error == "States.Runtime"
    waiting, _ = drive(scope(T=task()), {}, {"T": [1]}, Limits(history_events=3), EXPRESS)
    assert outcome(waiting) == ("SUCCEEDED", 1)


# -- errors and causes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [AWS_LIMITS, Limits(error_length=5, cause_length=7), NO_LIMITS])
def test_errors_and_causes_are_cut(limits: Limits) -> None:
    for length in (4, 5, 6, 255, 256, 257, 32_767, 32_768, 32_769):
        error, cause = "E" * length, "C" * length
        execution, _ = drive(scope(T=task()), {}, {"T": [StatesError(error, cause)]}, limits)
        assert execution.error == error[: limits.error_length]
        assert execution.cause == cause[: limits.cause_length]


# -- names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "fits"), [(79, True), (80, True), (81, False)])
def test_names_of_states_and_variables(length: int, fits: bool) -> None:
    name = "n" * length
    for definition in (scope(**{name: state("Pass")}), scope(S=state("Pass", Assign={name: 1}))):
        machine, findings = check(json.dumps(definition))
        assert (machine is not None) == fits == (findings == [])
        assert check(json.dumps(definition), limits=Limits(name_length=None))[0] is not None
        assert check(json.dumps(definition), limits=Limits(name_length=length - 1))[0] is None


def test_the_length_of_names_in_maps_and_branches() -> None:
    inner = scope(**{"n" * 81: state("Pass", Assign={"v" * 81: 1})})
    for outer in (parallel(inner), each(inner)):
        text = json.dumps(scope(S=outer))
        assert len(check(text)[1]) == 2
        assert check(text, limits=NO_LIMITS)[1] == []


# -- definitions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "fits"), [(1_048_575, True), (1_048_576, True), (1_048_577, False)])
def test_the_size_of_a_definition(length: int, fits: bool) -> None:
    text = json.dumps(scope(S=state("Pass")))
    text = text[:-1] + " " * (length - len(text)) + "}"
    machine, findings = check(text)
    assert (machine is not None) == fits
    assert [finding.message for finding in findings] == (
        [] if fits else ["The definition has more than 1048576 bytes"]
    )
    assert check(text, limits=Limits(definition_bytes=None))[0] is not None


# -- variables -----------------------------------------------------------------------------------------


def pad(length: int) -> str:
    return f"{{% $pad('', {length}, 'x') %}}"


# Length of each string that is assigned, and the cause; those of AWS_LIMITS are recorded from AWS.
ASSIGNED: dict[str, tuple[dict[str, int], Limits, str | None]] = {
    "one that fits": ({"x": 262_142}, AWS_LIMITS, None),
    "one that is too large": (
        {"x": 262_143},
        AWS_LIMITS,
        "Variable size limit exceeded. Variable 'x' in state 'S' was assigned 262145 bytes.",
    ),
    "two that fit": ({"x": 131_070, "y": 131_070}, AWS_LIMITS, None),
    "two that are too large together": (
        {"x": 131_071, "y": 131_071},
        AWS_LIMITS,
        (
            "State total variable size limit exceeded. Variable 'y' in state 'S' was assigned 131073 bytes, which "
            "caused the size of variables assigned in the state to exceed its limit by 2 bytes."
        ),
    ),
    "a limit of one's own": (
        {"x": 9},
        Limits(variable_bytes=10),
        "Variable size limit exceeded. Variable 'x' in state 'S' was assigned 11 bytes.",
    ),
    "no limit": ({"x": 262_143}, Limits(variable_bytes=None), None),
    "the whole execution": (
        {"x": 9},
        Limits(variables_bytes=10),
        (
            "Execution total variable size limit exceeded. State 'S' assigned variables that exceed the total "
            "execution limit by 1 bytes."
        ),
    ),
    "exactly all": ({"x": 8}, Limits(variables_bytes=10), None),
}


@pytest.mark.parametrize("name", ASSIGNED)
def test_what_one_assign_may_set(name: str) -> None:
    lengths, limits, cause = ASSIGNED[name]
    jsonata = state("Pass", QueryLanguage="JSONata", Assign={key: pad(length) for key, length in lengths.items()})
    limits = limits._replace(payload_bytes=None)
    execution, events = drive(scope(S=jsonata), {}, limits=limits)
    if cause is None:
        assert execution.status == "SUCCEEDED"
        return
    assert outcome(execution) == ("FAILED", (LARGE, cause))
    failed = next(event for event in history(events) if event["type"] == "EvaluationFailed")
    assert failed["evaluationFailedEventDetails"] == {
        "error": LARGE,
        "cause": cause,
        "location": "Assign",
        "state": "S",
    }
    paths = state("Pass", Assign={key: "x" * length for key, length in lengths.items()})
    execution, events = drive(scope(S=paths), {}, limits=limits)
    assert outcome(execution) == ("FAILED", (LARGE, cause))
    assert "EvaluationFailed" not in [event["type"] for event in history(events)]


def assigning(count: int, *, same: bool = False) -> dict[str, Any]:
    states = {
        f"S{n}": state("Pass", Assign={"v.$" if same else f"v{n}.$": "$"}, Next=f"S{n + 1}") for n in range(count)
    }
    return scope(**states, **{f"S{count}": state("Pass")})


def test_all_variables_of_an_execution() -> None:
    """Recorded from AWS: the 42nd string of 250,000 characters is 14,324 bytes too much."""
    execution, _ = drive(assigning(43), LONG)
    assert outcome(execution) == (
        "FAILED",
        (
            LARGE,
            (
                "Execution total variable size limit exceeded. State 'S41' assigned variables that exceed the "
                "total execution limit by 14324 bytes."
            ),
        ),
    )
    assert drive(assigning(41), LONG)[0].status == "SUCCEEDED"
    assert drive(assigning(43), LONG, limits=Limits(variables_bytes=None))[0].status == "SUCCEEDED"


def test_what_is_overwritten_does_not_count() -> None:
    execution, _ = drive(assigning(100, same=True), LONG)
    assert execution.status == "SUCCEEDED"


def test_scopes_count_together_while_they_are_there() -> None:
    limits = Limits(variables_bytes=100)
    inner = scope(A=state("Pass", Assign={"a": "x" * 58}, Next="T"), T=task())
    outer = state("Pass", Assign={"o": "x" * 28}, Next="P")
    alone = scope(O=outer, P=parallel(inner))
    assert drive(alone, {}, {"T": [1]}, limits)[0].status == "SUCCEEDED"  # 30 + 60
    second = scope(B=state("Pass", Assign={"b": "x" * 9}))
    execution, _ = drive(scope(O=outer, P=parallel(inner, second)), {}, {"T": [1]}, limits)  # and 11 more
    assert (execution.status, execution.error) == ("FAILED", LARGE)
    # One after the other there is room: what an iteration had is gone with it.
    rows = each(inner, MaxConcurrency=1, ItemsPath="$$.Execution.Input")
    assert drive(scope(O=outer, P=rows), [1, 2, 3], {"T": [1, 1, 1]}, limits)[0].status == "SUCCEEDED"


# -- time ----------------------------------------------------------------------------------------------


def test_how_long_an_execution_may_take() -> None:
    express = Execution(IDENTITY._replace(arn="arn:aws:states:r:1:express:m:n:u"))
    standard = Execution(IDENTITY)
    assert lifetime_end(standard, AWS_LIMITS) == NOW + 31_536_000_000
    assert lifetime_end(express, AWS_LIMITS) == NOW + 300_000
    assert lifetime_end(express, Limits(express_seconds=5)) == NOW + 5_000
    assert lifetime_end(express, NO_LIMITS) is lifetime_end(standard, NO_LIMITS) is None


# -- how they are set ----------------------------------------------------------------------------------


def test_each_limit_has_a_switch() -> None:
    for name in Limits._fields:
        assert parse_limits([f"{name}=none"]) == AWS_LIMITS._replace(**{name: None})
        assert parse_limits([f"{name}=7"]) == AWS_LIMITS._replace(**{name: 7})
        assert parse_limits([f"{name}=7"], NO_LIMITS) == NO_LIMITS._replace(**{name: 7})
        assert overridden(AWS_LIMITS, {name.replace("_", "-"): None}) == parse_limits([f"{name}=none"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("history_event=3", "there is no such limit; did you mean 'history_events'?"),
        ("nothing", "there is no such limit"),
        ("history_events", "a limit is a number above 0, or none"),
        ("history_events=0", "a limit is a number above 0"),
        ("history_events=-1", "a limit is a number above 0"),
        ("history_events=1.5", "a limit is a number above 0"),
        ("history_events=²", "a limit is a number above 0"),
    ],
)
def test_a_limit_that_is_refused(given: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_limits([given])
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"limit={given.partition('=')[0]}")
