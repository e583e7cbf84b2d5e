"""Which points a definition has, and which of them an execution took."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.core import events as ev
from asl_engine.errors import StatesError
from asl_engine.language.loader import load
from asl_engine.testing.coverage import NotOfDefinition, coverage_points, points_taken
from tests.core.driver import IDENTITY, drive
from tests.core.steps import parallel, scope, state, task

DONE = {"Done": {"Type": "Succeed"}}


def taken(definition: dict[str, Any], data: Any = None, answers: Any = None) -> dict[str, int]:
    """The points that are no states and were taken, by their places; an exhausted retrier has a mark."""
    _, events = drive(definition, data, answers)
    counts = points_taken(load(json.dumps(definition)), events, IDENTITY)
    points = {point.key: point for point in coverage_points(definition)}
    assert set(counts) <= set(points)
    return {
        points[key].place + ("!" if points[key].kind == "exhausted" else ""): count
        for key, count in counts.items()
        if points[key].kind != "state"
    }


def test_the_points_of_a_definition() -> None:
    inner = scope(In=state("Pass"))
    definition = scope(
        Fork=parallel(inner, scope(Other=state("Fail")), Next="Each"),
        Each=state(
            "Map",
            ItemProcessor=scope(
                Item=task(Retry=[{"ErrorEquals": ["A"]}, {"ErrorEquals": ["B"], "MaxAttempts": 0}])
            ),
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Pick"}],
            Next="Pick",
        ),
        Pick=state("Choice", Choices=[{"Variable": "$.a", "IsNull": True, "Next": "Done"}], Default="Done"),
        Done=state("Succeed"),
    )
    points = coverage_points(definition)
    assert [(point.kind, point.place) for point in points] == [
        ("state", "States.Fork"),
        ("branch", "States.Fork.Branches[0]"),
        ("branch", "States.Fork.Branches[1]"),
        ("transition", "States.Fork.Next"),
        ("state", "States.Fork.Branches[0].States.In"),
        ("transition", "States.Fork.Branches[0].States.In.End"),
        ("state", "States.Fork.Branches[1].States.Other"),
        ("state", "States.Each"),
        ("iteration", "States.Each.ItemProcessor"),
        ("transition", "States.Each.Next"),
        ("catch", "States.Each.Catch[0]"),
        ("state", "States.Each.ItemProcessor.States.Item"),
        ("transition", "States.Each.ItemProcessor.States.Item.End"),
        ("retry", "States.Each.ItemProcessor.States.Item.Retry[0]"),
        ("exhausted", "States.Each.ItemProcessor.States.Item.Retry[0]"),
        ("exhausted", "States.Each.ItemProcessor.States.Item.Retry[1]"),
        ("state", "States.Pick"),
        ("rule", "States.Pick.Choices[0]"),
        ("rule", "States.Pick.Default"),
        ("state", "States.Done"),
    ]
    assert len({point.key for point in points}) == len(points)
    assert points[5].location == "/States/Fork/Branches[0]/States/In/End"
    assert [point.target for point in points[1:4]] == ["In", "Other", "Each"]


def test_a_payload_that_looks_like_a_state_has_no_points() -> None:
    definition = scope(Only=state("Pass", Result={"Type": "Map", "ItemProcessor": scope(X=state("Pass"))}))
    assert [point.place for point in coverage_points(definition)] == ["States.Only", "States.Only.End"]


# -- Choice -------------------------------------------------------------------------------------------


def choice(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return scope(Pick=state("Choice", Choices=list(rules), **fields), **DONE)


def rule(variable: str, **test: Any) -> dict[str, Any]:
    return {"Variable": variable, **test, "Next": "Done"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"n": 1}, "States.Pick.Choices[0]"),
        ({"n": 2}, "States.Pick.Choices[1]"),
        ({"n": 3}, "States.Pick.Default"),
    ],
)
def test_rules_with_one_target_are_told_apart(data: Any, expected: str) -> None:
    definition = choice(rule("$.n", NumericEquals=1), rule("$.n", NumericEquals=2), Default="Done")
    assert taken(definition, data) == {expected: 1}


def test_the_first_of_two_matching_rules_is_taken() -> None:
    definition = choice(rule("$.n", NumericLessThan=9), rule("$.n", NumericEquals=1), Default="Done")
    assert taken(definition, {"n": 1}) == {"States.Pick.Choices[0]": 1}


def test_rules_see_the_input_path_and_the_variables() -> None:
    definition = scope(
        Set=state("Pass", Assign={"limit.$": "$.limit"}, Next="Pick"),
        Pick=state(
            "Choice",
            InputPath="$.inner",
            Choices=[
                {"Variable": "$.n", "NumericGreaterThanPath": "$limit", "Next": "Done"},
                {"Variable": "$.n", "NumericLessThanEqualsPath": "$limit", "Next": "Done"},
            ],
        ),
        **DONE,
    )
    low, high = {"limit": 5, "inner": {"n": 5}}, {"limit": 5, "inner": {"n": 6}}
    assert taken(definition, low) == {"States.Set.Next": 1, "States.Pick.Choices[1]": 1}
    assert taken(definition, high) == {"States.Set.Next": 1, "States.Pick.Choices[0]": 1}


def test_conditions_in_jsonata_see_variables_context_and_randomness() -> None:
    """Half of the executions take the one rule, half the other: the state decides as it did when it ran."""
    definition = {
        "QueryLanguage": "JSONata",
        **scope(
            Set=state("Pass", Assign={"half": 0.5}, Next="Pick"),
            Pick=state(
                "Choice",
                Choices=[
                    {
                        "Condition": "{% $random() < $half and $states.context.Execution.Name != '' %}",
                        "Next": "Done",
                        "Assign": {"which": 0},
                    },
                    {"Condition": "{% $states.input.n > 0 %}", "Next": "Done", "Assign": {"which": 1}},
                ],
            ),
            **DONE,
        ),
    }
    machine = load(json.dumps(definition))
    seen = set()
    for number in range(12):
        who = IDENTITY._replace(arn=f"{IDENTITY.arn}-{number}", name=f"name-{number}")
        _, events = drive(definition, {"n": 1}, identity=who)
        assigned = next(one for one in events if isinstance(one, ev.StateExited) and one.name == "Pick").assigned
        assert assigned is not None
        which: Any = assigned.value
        assert points_taken(machine, events, who)[f"rule /States/Pick/Choices[{which['which']}]"] == 1
        seen.add(which["which"])
    assert seen == {0, 1}


@pytest.mark.parametrize(
    ("condition", "is_told"),
    [
        ("{% $contains($states.context.Execution.Name, 'name') %}", False),
        ("{% $random() < 2 %}", False),
        ("{% $limit > 1 and $exists($states.input) %}", True),
    ],
)
def test_without_the_name_of_the_execution_nothing_is_guessed(condition: str, is_told: bool) -> None:
    rules = [{"Condition": condition, "Next": "Done"}, {"Condition": True, "Next": "Done"}]
    definition = {
        "QueryLanguage": "JSONata",
        **scope(Set=state("Pass", Assign={"limit": 2}, Next="Pick"), Pick=state("Choice", Choices=rules), **DONE),
    }
    machine = load(json.dumps(definition))
    _, events = drive(definition)
    assert points_taken(machine, events, IDENTITY)["rule /States/Pick/Choices[0]"] == 1
    if is_told:
        assert points_taken(machine, events)["rule /States/Pick/Choices[0]"] == 1
    else:
        with pytest.raises(NotOfDefinition, match="the state 'Pick' reads the context object or takes random"):
            points_taken(machine, events)


def test_a_loop_counts_each_time_around() -> None:
    definition = scope(
        Next=state("Pass", Parameters={"n.$": "States.MathAdd($.n, 1)"}, Next="Pick"),
        Pick=state("Choice", Choices=[{"Variable": "$.n", "NumericLessThan": 3, "Next": "Next"}], Default="Done"),
        **DONE,
    )
    assert taken(definition, {"n": 0}) == {
        "States.Next.Next": 3,
        "States.Pick.Choices[0]": 2,
        "States.Pick.Default": 1,
    }


def test_a_choice_that_nothing_matches_takes_no_rule() -> None:
    definition = choice(rule("$.n", NumericEquals=1), rule("$.n", NumericEquals=2))
    assert taken(definition, {"n": 3}) == {}


# -- Retry and Catch ----------------------------------------------------------------------------------

RETRY = [{"ErrorEquals": ["Slow"], "MaxAttempts": 2}, {"ErrorEquals": ["Never"], "MaxAttempts": 0}]
CATCH = [
    {"ErrorEquals": ["Slow"], "Next": "Done"},
    {"ErrorEquals": ["Never"], "Next": "Done"},
    {"ErrorEquals": ["States.ALL"], "Next": "Done"},
]
SLOW, NEVER, OTHER = StatesError("Slow"), StatesError("Never"), StatesError("Other")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([{}], {"Next": 1}),
        ([SLOW, {}], {"Retry[0]": 1, "Next": 1}),
        ([SLOW, SLOW, SLOW], {"Retry[0]": 2, "Retry[0]!": 1, "Catch[0]": 1}),
        ([NEVER], {"Retry[1]!": 1, "Catch[1]": 1}),
        ([SLOW, OTHER], {"Retry[0]": 1, "Catch[2]": 1}),
    ],
)
def test_retriers_and_catchers_that_all_lead_to_one_state(answers: Any, expected: dict[str, int]) -> None:
    definition = scope(Do=task(Retry=RETRY, Catch=CATCH, Next="Done"), **DONE)
    assert taken(definition, {}, {"Do": answers}) == {f"States.Do.{name}": n for name, n in expected.items()}


def test_a_failure_that_nothing_catches_exhausts_a_retrier_too() -> None:
    definition = scope(Do=task(Retry=RETRY))
    assert taken(definition, {}, {"Do": [SLOW, SLOW, SLOW]}) == {"States.Do.Retry[0]": 2, "States.Do.Retry[0]!": 1}
    assert taken(definition, {}, {"Do": [OTHER]}) == {}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"Parameters": {"a.$": "$.s", "b.$": "$.s"}}, "States.DataLimitExceeded"),
        ({"ResultPath": "$.s.t"}, "States.ResultPathMatchFailure"),
    ],
)
def test_a_state_that_fails_before_or_after_its_work_is_caught(fields: dict[str, Any], error: str) -> None:
    """No event of its own shows such a failure, and the catcher leads where the state leads anyway."""
    catch = [
        {"ErrorEquals": ["Other"], "Next": "Done"},
        {"ErrorEquals": [error], "ResultPath": None, "Next": "Done"},
    ]
    retry = [{"ErrorEquals": [error], "MaxAttempts": 1}]
    definition = scope(Do=task(Retry=retry, Catch=catch, Next="Done", **fields), **DONE)
    found = taken(definition, {"s": "x" * 140_000}, {"Do": [{}, {}]})
    assert found == {"States.Do.Retry[0]": 1, "States.Do.Retry[0]!": 1, "States.Do.Catch[1]": 1}


def test_a_task_that_succeeds_is_not_caught_where_the_catcher_leads_to_its_next() -> None:
    definition = scope(Do=task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}], Next="Done"), **DONE)
    assert taken(definition, {}, {"Do": [{}]}) == {"States.Do.Next": 1}


# -- Parallel and Map ---------------------------------------------------------------------------------


def test_branches_and_iterations() -> None:
    catch = [{"ErrorEquals": ["Other"], "Next": "Done"}]
    definition = scope(
        Fork=parallel(scope(A=state("Pass")), scope(B=state("Pass")), Next="Each"),
        Each=state(
            "Map",
            ItemsPath="$[0].items",
            ItemProcessor=scope(Item=task(Retry=[{"ErrorEquals": ["Slow"], "MaxAttempts": 1}])),
            Catch=catch,
            Next="Done",
        ),
        **DONE,
    )
    fork = "States.Fork.Branches"
    item = "States.Each.ItemProcessor.States.Item"
    started = {
        f"{fork}[0]": 1,
        f"{fork}[1]": 1,
        f"{fork}[0].States.A.End": 1,
        f"{fork}[1].States.B.End": 1,
        "States.Fork.Next": 1,
    }
    assert taken(definition, {"items": [1, 2]}, {"Item": [{}, SLOW, {}]}) == {
        **started,
        "States.Each.ItemProcessor": 2,
        f"{item}.End": 2,
        f"{item}.Retry[0]": 1,
        "States.Each.Next": 1,
    }
    assert taken(definition, {"items": [1]}, {"Item": [OTHER]}) == {
        **started,
        "States.Each.ItemProcessor": 1,
        "States.Each.Catch[0]": 1,
    }
    assert taken(definition, {"items": []}) == {**started, "States.Each.Next": 1}


def test_the_child_of_a_map_run_is_an_iteration() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **scope(In=state("Pass")),
    }
    machine = load(json.dumps(scope(Each=state("Map", Label="all", ItemProcessor=processor))))
    _, events = drive(scope(In=state("Pass")))  # the child, by itself
    assert points_taken(machine, events, IDENTITY) == {
        "state /States/Each/ItemProcessor/States/In": 1,
        "iteration /States/Each/ItemProcessor": 1,
        "transition /States/Each/ItemProcessor/States/In/End": 1,
    }


# -- what is not of the definition --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (scope(Other=state("Pass")), "the state 'Do', which is not in the definition"),
        (scope(Do=state("Pass")), "enters the Task state 'Do', which is a Pass state in the definition"),
        (scope(Do=task(Next="Done", Catch=CATCH[:1]), **DONE), "no rule of the definition makes the state 'Do'"),
    ],
)
def test_events_of_another_definition_are_refused(other: dict[str, Any], message: str) -> None:
    _, events = drive(scope(Do=task(Catch=[{**CATCH[0], "Next": "Far"}]), Far=state("Pass")), {}, {"Do": [SLOW]})
    with pytest.raises(NotOfDefinition, match=message):
        points_taken(load(json.dumps(other)), events, IDENTITY)


def test_a_log_with_a_gap_is_refused() -> None:
    definition = scope(Do=task())
    _, events = drive(definition, {}, {"Do": [{}]})
    with pytest.raises(NotOfDefinition, match="the log lacks what was before event 3"):
        points_taken(load(json.dumps(definition)), [events[0], *events[2:]], IDENTITY)
