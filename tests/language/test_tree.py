"""The walk over a definition: every state, with its place, its language and what is around it, and no payload."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.language.tree import all_scopes, all_states, inner_states, tasks


def scope(*names: str, **states: Any) -> dict[str, Any]:
    return {"States": {name: {"Type": "Pass"} for name in names} | states}


NESTED = scope(
    "A",
    P={
        "Type": "Parallel",
        "QueryLanguage": "JSONata",
        "Branches": [
            scope("B"),
            scope(M={"Type": "Map", "ItemProcessor": scope("C", D={"Type": "Pass", "QueryLanguage": "JSONata"})}),
        ],
    },
    O={"Type": "Map", "Iterator": scope("E")},
    Z={"Type": "Succeed"},
)
MAP = "/States/P/Branches[1]/States/M"


def names(document: Any) -> list[str]:
    return [state.name for state in all_states(document)]


def test_each_state_is_followed_by_those_within_it() -> None:
    assert [(state.location, state.name, state.language) for state in all_states(NESTED)] == [
        ("/States/A", "A", "JSONPath"),
        ("/States/P", "P", "JSONata"),
        ("/States/P/Branches[0]/States/B", "B", "JSONPath"),  # a state's own language is not that of its branches
        (MAP, "M", "JSONPath"),
        (f"{MAP}/ItemProcessor/States/C", "C", "JSONPath"),
        (f"{MAP}/ItemProcessor/States/D", "D", "JSONata"),
        ("/States/O", "O", "JSONPath"),
        ("/States/O/Iterator/States/E", "E", "JSONPath"),
        ("/States/Z", "Z", "JSONPath"),
    ]


def test_the_language_of_the_machine_is_that_of_every_state_without_one() -> None:
    document = {**NESTED, "QueryLanguage": "JSONata"}
    assert {state.language for state in all_states(document)} == {"JSONata"}


def test_scopes_know_the_state_that_holds_them() -> None:
    found = [(one.location, one.holder and one.holder.name) for one in all_scopes(NESTED)]
    assert found == [
        ("", None),
        ("/States/P/Branches[0]", "P"),
        ("/States/P/Branches[1]", "P"),
        (f"{MAP}/ItemProcessor", "M"),
        ("/States/O/Iterator", "O"),
    ]


def test_a_state_knows_its_scope() -> None:
    found = {state.name: state.scope.location for state in all_states(NESTED)}
    assert (found["A"], found["C"]) == ("", f"{MAP}/ItemProcessor")


def test_the_states_within_a_state() -> None:
    parallel = next(state for state in all_states(NESTED) if state.name == "P")
    assert [state.name for state in inner_states(parallel)] == ["B", "M", "C", "D"]


PAYLOAD = {
    "Type": "Map",
    "ItemProcessor": scope(X={"Type": "Task", "Resource": "x"}),
    "States": {"X": {"Type": "Task", "Resource": "x"}},
}


@pytest.mark.parametrize("kind", ["Pass", "Task", "Parallel", "Map"])
@pytest.mark.parametrize(
    "field",
    [
        *("Result", "Parameters", "Arguments", "Output", "Assign", "ResultSelector", "ItemSelector", "Items"),
        *("ItemReader", "ItemBatcher", "ResultWriter", "Credentials", "Catch", "Comment", "States"),
    ],
)
def test_a_payload_is_not_looked_into(kind: str, field: str) -> None:
    assert names(scope(A={"Type": kind, field: PAYLOAD})) == ["A"]
    assert names(scope(A={"Type": kind, field: [PAYLOAD]})) == ["A"]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("Pass", "Branches"),
        ("Task", "ItemProcessor"),
        ("Map", "Branches"),
        ("Parallel", "Iterator"),
        ("M", "Iterator"),
    ],
)
def test_only_the_type_says_where_further_states_are(kind: str, field: str) -> None:
    assert names(scope(A={"Type": kind, field: [scope("X")]})) == ["A"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (None, []),
        ([], []),
        ({}, []),
        ({"States": None}, []),
        ({"States": ["A"]}, []),
        ({"States": {"A": None, "B": 1}}, ["A", "B"]),  # the loader reports them
        ({"States": {"A": {"Type": ["Map"], "QueryLanguage": {}}}}, ["A"]),
        ({"States": {"A": {"Type": "Parallel", "Branches": [None, 1, {"States": {"B": {}}}]}}}, ["A", "B"]),
        ({"States": {"A": {"Type": "Parallel", "Branches": "B"}}}, ["A"]),
        ({"States": {"A": {"Type": "Map", "ItemProcessor": None, "Iterator": 1}}}, ["A"]),
    ],
)
def test_what_is_ill_formed_is_passed_over(document: Any, found: list[str]) -> None:
    assert names(document) == found
    assert {state.language for state in all_states(document)} <= {"JSONPath"}


def test_tasks_are_those_with_a_resource_at_any_depth() -> None:
    task = {"Type": "Task", "Resource": "r"}
    inner = scope(
        T=task, U={"Type": "Task"}, V={"Type": "Task", "Resource": 1}, W={"Type": "Pass", "Resource": "r"}
    )
    document = scope(M={"Type": "Map", "ItemProcessor": inner}, A={"Type": "Pass", "Result": task})
    assert [state.location for state in tasks(document)] == ["/States/M/ItemProcessor/States/T"]


def test_depth_is_no_matter_of_the_stack() -> None:
    document = scope("A")
    for _ in range(5_000):
        document = scope(M={"Type": "Map", "ItemProcessor": document})
    assert sum(1 for _ in all_states(document)) == 5_001
    assert sum(1 for _ in all_scopes(document)) == 5_001
