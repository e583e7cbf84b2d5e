"""Paths as AWS writes them, in every field that takes one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.driver import drive, outcome

TABLE: Any = {"t": [{"k": "es", "v": "hola"}, {"k": "fr", "v": "salut"}]}
ITEM: Any = {"ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}}


def alone(**fields: Any) -> dict[str, Any]:
    """A machine of the state S, and of E, which says so, where a Choice leads there."""
    if fields["Type"] == "Choice":
        return {"StartAt": "S", "States": {"S": fields, "E": {"Type": "Pass", "Result": "E", "End": True}}}
    return {"StartAt": "S", "States": {"S": {**fields, "End": True}}}


FIELDS: list[tuple[dict[str, Any], Any, Any]] = [
    ({"Type": "Pass", "InputPath": "$.abc.['def ghi']"}, {"abc": {"def ghi": 7}}, 7),
    ({"Type": "Pass", "OutputPath": "$.a.[0]"}, {"a": [1, 2]}, 1),
    ({"Type": "Pass", "Result": 1, "ResultPath": "$.a.['b c']"}, {}, {"a": {"b c": 1}}),
    ({"Type": "Pass", "Result": 1, "ResultPath": "$.a.[0]"}, {"a": [0, 2]}, {"a": [1, 2]}),
    ({"Type": "Pass", "Parameters": {"x.$": "$.a.[*].k"}}, {"a": [{"k": 1}]}, {"x": [1]}),
    ({"Type": "Pass", "InputPath": "$.[?(@.n > 0)]"}, [{"n": 0}, {"n": 1}], [{"n": 1}]),
    ({"Type": "Pass", "InputPath": "$[?(@.['n m'] > 0)]"}, [{"n m": 1}], [{"n m": 1}]),
    ({"Type": "Pass", "InputPath": "$.a.[*].['x','y']"}, {"a": [{"x": 1, "y": 2, "z": 3}]}, [{"x": 1, "y": 2}]),
    ({"Type": "Pass", "Parameters": {"n.$": "$$.Execution.['Name']"}}, {}, {"n": "name"}),
    (
        {"Type": "Pass", "Parameters": {"n.$": "States.StringToJson($.[0].body)"}},
        [{"body": '{"a":1}'}],
        {"n": {"a": 1}},
    ),
    ({"Type": "Map", "ItemsPath": "$.a.['b c']", **ITEM}, {"a": {"b c": [1, 2]}}, [1, 2]),
    ({"Type": "Wait", "SecondsPath": "$.a.['b c']"}, {"a": {"b c": 1}}, {"a": {"b c": 1}}),
    (
        {"Type": "Choice", "Choices": [{"Variable": "$.a.['b c']", "NumericEquals": 1, "Next": "E"}]},
        {"a": {"b c": 1}},
        "E",
    ),
    (
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEqualsPath": "$.b.[0]", "Next": "E"}]},
        {"a": 1, "b": [1]},
        "E",
    ),
    ({"Type": "Pass", "InputPath": "$.t[?(@.k==es)].v"}, TABLE, ["hola"]),
    ({"Type": "Pass", "InputPath": "$.t[(@.length-1)].v"}, TABLE, "salut"),
    ({"Type": "Pass", "Parameters": {"n.$": "States.ArrayLength($.t[?(@.k==es || @.k == fr)])"}}, TABLE, {"n": 2}),
    ({"Type": "Pass", "Parameters": {"n.$": "States.Format('{}', $.t[(@.length-1)].v)"}}, TABLE, {"n": "salut"}),
]


@pytest.mark.parametrize(("fields", "data", "output"), FIELDS)
def test_a_path_in_a_field(fields: dict[str, Any], data: Any, output: Any) -> None:
    execution, _ = drive(alone(**fields), data)
    assert outcome(execution) == ("SUCCEEDED", output)


def test_a_path_in_assign() -> None:
    first = {"Type": "Pass", "Assign": {"x.$": "$.a.['b c']"}, "Next": "E"}
    second = {"Type": "Pass", "Parameters": {"x.$": "$x.[0]"}, "End": True}
    machine = {"StartAt": "S", "States": {"S": first, "E": second}}
    execution, _ = drive(machine, {"a": {"b c": [5]}})
    assert outcome(execution) == ("SUCCEEDED", {"x": 5})


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        (
            {"InputPath": "$.list.length()"},
            "Invalid path '$.list.length()' : Property ['length()'] not found in path $['list']",
        ),
        (
            {"Parameters": {"x.$": "$.list.sum()"}},
            "specified for the field 'x.$' could not be found in the input '{\"list\":[1,2]}'",
        ),
    ],
)
def test_a_function_at_the_end_of_a_path_finds_nothing(fields: dict[str, Any], detail: str) -> None:
    execution, _ = drive(alone(Type="Pass", **fields), {"list": [1, 2]})
    status, error = outcome(execution)
    assert (status, error[0]) == ("FAILED", "States.Runtime")
    assert error[1].endswith(detail)
