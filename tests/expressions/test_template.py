"""Payload templates: what they evaluate to, and what is wrong with those that cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import EvaluationError
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.template import Template, compile_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.json_values import Json

DATA: Any = {"a": {"b": 1}, "list": [1, 2, 3], "null": None}


def scope(data: Any = DATA) -> Scope:
    return Scope(data, {"v": {"x": "variable"}}, lambda: {"State": {"Name": "S"}})


def upper(text: str) -> Callable[[Scope], Json]:
    """An intrinsic function: it gives its own text in capitals."""
    if text.endswith("!"):
        raise ExpressionSyntaxError("Unexpected '!'", text, len(text) - 1)
    return lambda _: text.upper()


def compiled(source: Any) -> tuple[Template, list[tuple[str, str]]]:
    findings: list[tuple[str, str]] = []
    template = compile_template(source, lambda place, message: findings.append((place, message)), upper)
    return template, findings


CASES: list[tuple[Any, Any]] = [
    ({"x.$": "$.a.b"}, {"x": 1}),
    ({"x.$": "$"}, {"x": DATA}),
    ({"x.$": "$.null"}, {"x": None}),
    ({"x.$": "$$.State.Name"}, {"x": "S"}),
    ({"x.$": "$v.x"}, {"x": "variable"}),
    ({"x.$": "$.list[1:]"}, {"x": [2, 3]}),
    ({"x.$": "$.absent[*]"}, {"x": []}),
    ({"x.$": "States.UUID()"}, {"x": "STATES.UUID()"}),
    ({"x": {"y": {"z.$": "$.a.b", "w": 0}}}, {"x": {"y": {"z": 1, "w": 0}}}),
    ({"x": [0, {"y.$": "$.a.b"}, [{"z.$": "$.a"}]]}, {"x": [0, {"y": 1}, [{"z": {"b": 1}}]]}),
    ([{"y.$": "$.a.b"}], [{"y": 1}]),
    ({".$": "$.a.b"}, {"": 1}),
    ({"x.$.$": "$.a.b"}, {"x.$": 1}),
    # Strings that no ".$" stands before are themselves.
    ({"x": "$.a", "y": "States.UUID()", "z$": "$.a", "w": ["$.a"]}, None),
    ("$.a", None),
    ({}, None),
    ([], None),
    (None, None),
    (0, None),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_templates(source: Any, expected: Any) -> None:
    template, findings = compiled(source)
    assert not findings
    assert template.static == (expected is None)
    assert template.evaluate(scope()) == (source if expected is None else expected)


def test_the_order_of_members_is_that_of_the_source() -> None:
    template, _ = compiled({"z": 1, "a.$": "$.a.b", "m": {"q.$": "$.a.b"}, "b": 2})
    result = template.evaluate(scope())
    assert isinstance(result, dict)
    assert list(result) == ["z", "a", "m", "b"]


def test_what_does_not_change_is_shared() -> None:
    still = {"deep": [1, 2]}
    template, _ = compiled({"still": still, "moving.$": "$.a"})
    first, second = template.evaluate(scope()), template.evaluate(scope())
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first is not second
    assert first["still"] is second["still"] is still
    assert first["moving"] is DATA["a"]
    assert compiled(still)[0].evaluate(scope()) is still


@pytest.mark.parametrize(
    ("source", "path", "field"),
    [
        ({"value.$": "$.no_such_jsonpath"}, "$.no_such_jsonpath", "value.$"),  # recorded from AWS
        ({"deep": [{"value.$": "$.a.no"}]}, "$.a.no", "value.$"),
        ({"value.$": "$nosuchvar"}, "$nosuchvar", "value.$"),
    ],
)
def test_a_path_that_leads_nowhere(source: Any, path: str, field: str) -> None:
    template, findings = compiled(source)
    assert not findings
    with pytest.raises(EvaluationError) as caught:
        template.evaluate(scope({"int-literal": 0}))
    assert caught.value.error == "States.Runtime"
    assert caught.value.detail == (
        f"The JSONPath '{path}' specified for the field '{field}' "
        "could not be found in the input '{\"int-literal\":0}'"
    )


def test_a_path_into_the_context_object_that_leads_nowhere_shows_it() -> None:
    template, _ = compiled({"value.$": "$$.Task.Token"})
    with pytest.raises(EvaluationError) as caught:
        template.evaluate(scope({"int-literal": 0}))
    assert caught.value.detail.endswith('could not be found in the input \'{"State":{"Name":"S"}}\'')


INVALID = "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"x.$": "text"}, [("/x.$", INVALID.format("x.$"))]),
        ({"x.$": 1}, [("/x.$", INVALID.format("x.$"))]),
        ({"x.$": {"y.$": "$"}}, [("/x.$", INVALID.format("x.$"))]),
        ({"x.$": None}, [("/x.$", INVALID.format("x.$"))]),
        ({"x.$": ""}, [("/x.$", INVALID.format("x.$"))]),
        ({"x.$": "States.F(!"}, [("/x.$", "Unexpected '!'\n  States.F(!\n           ^")]),
        ({"x": 1, "x.$": "$"}, [("/x.$", "The field 'x' is given twice: as 'x' and as 'x.$'")]),
        (
            {"a": {"b": [{"c.$": "$["}, {"d.$": 0}]}, "e.$": "$."},
            [
                (
                    "/a/b[0]/c.$",
                    "Expected a name in quotes, an index, a slice, *, or a filter ?(...)\n  $[\n    ^",
                ),
                ("/a/b[1]/d.$", INVALID.format("d.$")),
                ("/e.$", "Expected a name (one with blanks or brackets goes into ['...'])\n  $.\n    ^"),
            ],
        ),
        ([[{"a.$": 0}]], [("[0][0]/a.$", INVALID.format("a.$"))]),
    ],
)
def test_everything_that_is_wrong_is_reported(source: Any, expected: list[tuple[str, str]]) -> None:
    assert compiled(source)[1] == expected


def test_a_value_that_is_taken_too_often_fails() -> None:
    """Before anybody writes its text: a few kilobytes of a definition can ask for gigabytes."""
    document: Any = {"text": "x" * 250_000}
    template, _ = compiled({f"m{number}.$": "$" for number in range(100)})
    with pytest.raises(EvaluationError, match="exceeding the maximum number of bytes") as caught:
        template.evaluate(scope(document))
    assert caught.value.error == "States.DataLimitExceeded"
    assert template.evaluate(scope({"text": "x"}))["m99"] == {"text": "x"}  # type: ignore[index,call-overload]  # an object
    array, _ = compiled({"all": [{"one.$": "$.text"} for _ in range(100)]})
    with pytest.raises(EvaluationError, match="exceeding the maximum number of bytes"):
        array.evaluate(scope(document))
