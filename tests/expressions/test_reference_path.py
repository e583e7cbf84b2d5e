"""ResultPath: where a value is put, and where it cannot be."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from asl_engine.expressions.errors import ExpressionSyntaxError, ResultPathError
from asl_engine.expressions.jsonpath.path import compile_reference_path

CASES: list[tuple[str, Any, Any]] = [
    ("$", {"a": 1}, "new"),
    ("$", None, "new"),
    ("$.a", {}, {"a": "new"}),
    ("$.a", {"a": {"b": 1}}, {"a": "new"}),
    ("$.a.b", {}, {"a": {"b": "new"}}),
    ("$.a.b", {"a": {"c": 1}, "d": 2}, {"a": {"c": 1, "b": "new"}, "d": 2}),
    ("$['a b']['c.d']", {}, {"a b": {"c.d": "new"}}),
    ("$['a:b']", {}, {"a:b": "new"}),
    ("$.a\\:b", {}, {"a:b": "new"}),
    ("$[1]", [1, 2], [1, "new"]),
    ("$[-1]", [1, 2], [1, "new"]),
    ("$.a[0]", {"a": [1, 2]}, {"a": ["new", 2]}),
    ("$.a[0].b", {"a": [{"c": 1}]}, {"a": [{"c": 1, "b": "new"}]}),
    ("$.a[1][0]", {"a": [0, [1]]}, {"a": [0, ["new"]]}),
    ("$.a.['b c']", {}, {"a": {"b c": "new"}}),
    ("$.a.[0].['b']", {"a": [{"c": 1}]}, {"a": [{"c": 1, "b": "new"}]}),
]


@pytest.mark.parametrize(("text", "document", "expected"), CASES)
def test_put(text: str, document: Any, expected: Any) -> None:
    before = copy.deepcopy(document)
    assert compile_reference_path(text).put(document, "new") == expected
    assert document == before


def test_put_keeps_the_order_of_members_and_shares_what_is_beside_the_path() -> None:
    beside: Any = {"x": [1]}
    result = compile_reference_path("$.b.c").put({"a": beside, "b": {"c": 0}, "d": 1}, None)
    assert isinstance(result, dict)
    assert list(result) == ["a", "b", "d"]
    assert result["a"] is beside
    assert result["b"] == {"c": None}


@pytest.mark.parametrize(
    ("text", "document", "shown"),
    [
        ("$.a", "text", '"text"'),
        ("$.a", 1, "1"),
        ("$.a", None, "null"),
        ("$.a", [1], "[1]"),
        ("$.a.b", {"a": None}, '{"a":null}'),
        ("$.a.b", {"a": "é"}, '{"a":"é"}'),
        ("$[0]", {}, "{}"),
        ("$[0]", [], "[]"),
        ("$.a[2]", {"a": [1, 2]}, '{"a":[1,2]}'),
        ("$.a[0]", {}, "{}"),
        ("$.a[0].b", {"a": {"0": 1}}, '{"a":{"0":1}}'),
    ],
)
def test_where_a_path_cannot_be_applied(text: str, document: Any, shown: str) -> None:
    with pytest.raises(ResultPathError) as caught:
        compile_reference_path(text).put(document, "new")
    assert caught.value.detail == f"Unable to apply ReferencePath {text} to input {shown}"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a", 0),
        ("$$.a", 0),
        ("$name.a", 0),
        ("$.a[*]", 3),
        ("$.a.*", 3),
        ("$..a", 1),
        ("$.a[0,1]", 3),
        ("$.a[0:1]", 3),
        ("$.a['b','c']", 3),
        ("$.a[?(@.b)]", 3),
        ("$.a.length()", 3),
        ("$.a.[*]", 3),
        ("$.a[(@.length-1)]", 3),
        ("$.a.b:c", 5),
        ("$['x:y'].a@b", 10),
        ("$.a\\:b.c?", 8),
    ],
)
def test_texts_that_are_no_reference_path(text: str, position: int) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_reference_path(text)
    assert caught.value.position == position
