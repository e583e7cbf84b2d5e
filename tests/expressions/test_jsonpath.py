"""Paths: what they find, why they find nothing, and which texts are none."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from asl_engine.expressions.errors import ExpressionSyntaxError, PathNotFound
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.scope import Scope
from asl_engine.json_values import MISSING

DOCUMENT: Any = {
    "a": {"b": {"c": 1}, "none": None, "no": False, "zero": 0, "empty": ""},
    "list": [10, 11, 12, 13, 14],
    "deep": [[1, 2], [3, [4]]],
    "items": [{"price": 1, "tag": "x"}, {"price": 2.5}, {"tag": "y"}],
    "with-dash": 1,
    "with_underscore": 2,
    "7": "seven",
    "ключ": {"é": "non-ASCII"},
    "it's": "quoted",
    "dotted.name": "dots",
    "blank name": "blanks",
    'Test\\""Name"': "recorded",
    "back\\slash": "one backslash",
    "a*b": "star",
    "&Ж中\U00010346": "specification",
    "text": "abc",
}
CONTEXT: Any = {"Execution": {"Id": "arn", "Input": {"input-value": 1}}}
VARIABLES: dict[str, Any] = {"order": {"lines": [{"sku": "A"}, {"sku": "B"}]}, "nothing": None, "größe": 1}


def scope(data: Any = DOCUMENT) -> Scope:
    return Scope(data, VARIABLES, lambda: CONTEXT)


REFERENCE_PATHS: dict[str, Any] = {
    "$": DOCUMENT,
    "$.a": DOCUMENT["a"],
    "$.a.b": {"c": 1},
    "$.a.b.c": 1,
    "$.a.none": None,
    "$.a.no": False,
    "$.a.zero": 0,
    "$.a.empty": "",
    "$.list[0]": 10,
    "$.list[-1]": 14,
    "$.list[ 2 ]": 12,
    "$.deep[1][1][0]": 4,
    "$.items[0].price": 1,
    "$['a']['b']": {"c": 1},
    '$["a"].b["c"]': 1,
    "$[ 'a' ]": DOCUMENT["a"],
    "$.with-dash": 1,
    "$.with_underscore": 2,
    "$.7": "seven",
    "$.ключ.é": "non-ASCII",
    "$['ключ']['é']": "non-ASCII",
    "$['it\\'s']": "quoted",
    "$.it's": "quoted",
    '$["it\'s"]': "quoted",
    "$['dotted.name']": "dots",
    "$.dotted\\.name": "dots",
    "$['blank name']": "blanks",
    # Recorded from AWS: a backslash before another quote stands for itself.
    '$[\'Test\\""Name"\']': "recorded",
    "$['back\\\\slash']": "one backslash",
    "$['back\\slash']": "one backslash",
    "$.a\\*b": "star",
    # Examples of the specification, section "Reference Paths".
    "$.\\a.\\b": {"c": 1},
    "$.&Ж中.\\uD800\\uDF46": MISSING,
    "$.&Ж中\\uD800\\uDF46": "specification",
    "$.\\u0061": DOCUMENT["a"],
    # A dot before a bracket means nothing (AWS documentation, "Paths").
    "$.['blank name']": "blanks",
    "$.a.['b'].['c']": 1,
    "$.list.[0]": 10,
    "$.items.[0].price": 1,
    "$$.Execution.['Id']": "arn",
    "$order.['lines'].[1].sku": "B",
    "$$": CONTEXT,
    "$$.Execution.Id": "arn",
    "$$.Execution.Input.input-value": 1,
    "$$['Execution']": CONTEXT["Execution"],
    "$order.lines[1].sku": "B",
    "$order['lines'][0]": {"sku": "A"},
    "$nothing": None,
    "$größe": 1,
    "$.absent": MISSING,
    "$.a.absent": MISSING,
    "$.a.absent.c": MISSING,
    "$.a.none.c": MISSING,
    "$.text.c": MISSING,
    "$.text[0]": MISSING,
    "$.list.c": MISSING,
    "$.list[5]": MISSING,
    "$.list[-6]": MISSING,
    "$.a[0]": MISSING,
    "$.a.b.c.d": MISSING,
    "$$.Absent": MISSING,
    "$order.absent": MISSING,
    "$absent": MISSING,
}


@pytest.mark.parametrize(("text", "expected"), REFERENCE_PATHS.items())
def test_reference_paths_find_one_value(text: str, expected: Any) -> None:
    path = compile_path(text)
    assert path.is_reference
    assert path.definite
    assert path.find(scope()) == expected
    assert path.text == text


@pytest.mark.parametrize(
    ("text", "root"), [("$", "$"), ("$.a", "$"), ("$$.a", "$$"), ("$data", "$data"), ("$x[*]", "$x")]
)
def test_the_root_of_a_path(text: str, root: str) -> None:
    assert compile_path(text).root == root


@pytest.mark.parametrize("data", [None, 1, "text", ["a"], True])
def test_a_name_leads_nowhere_in_what_is_no_object(data: Any) -> None:
    for text in ("$.a", "$.a.b", "$.a.b.c", "$.a[0]"):
        assert compile_path(text).find(scope(data)) is MISSING


def test_what_is_found_is_the_value_itself() -> None:
    assert compile_path("$.a.b").find(scope()) is DOCUMENT["a"]["b"]


QUERIES: dict[str, Any] = {
    "$.items[*]": DOCUMENT["items"],
    "$.items[*].price": [1, 2.5],
    "$.items.*.tag": ["x", "y"],
    "$.items[ * ].tag": ["x", "y"],
    "$.a.*": [{"c": 1}, None, False, 0, ""],
    "$.text[*]": [],
    "$.deep[*][0]": [1, 3],
    "$.deep[*][-1]": [2, [4]],
    "$.deep[*][5]": [],
    "$.list[1:3]": [11, 12],
    "$.list[1:]": [11, 12, 13, 14],
    "$.list[:2]": [10, 11],
    "$.list[:-3]": [10, 11],
    "$.list[-2:]": [13, 14],
    "$.list[ 1 : 3 ]": [11, 12],
    "$.list[7:]": [],
    "$.deep[1:].x": [],
    "$.list[0,2,9]": [10, 12],
    "$.list[0, -1]": [10, 14],
    "$..price": [1, 2.5],
    "$..b": [{"c": 1}],
    "$.deep..[0]": [[1, 2], 1, 3, 4],
    "$.deep..*": [[1, 2], [3, [4]], 1, 2, 3, [4], 4],
    "$..['price']": [1, 2.5],
    "$.a..c": [1],
    "$..b.c": [1],
    "$.items[0]..price": [1],
    "$.items[*]['price','tag']": [{"price": 1, "tag": "x"}, {"price": 2.5}, {"tag": "y"}],
    "$['a','nested'].zero": [0],
    "$.ключ.*": ["non-ASCII"],
    "$['it\\'s','absent']": {"it's": "quoted"},
    "$.a['zero','absent','none']": {"zero": 0, "none": None},
    "$.text['a','b']": MISSING,
    "$.items.[*].price": [1, 2.5],
    "$.items.[*].['price','tag']": [{"price": 1, "tag": "x"}, {"price": 2.5}, {"tag": "y"}],
    "$.list.[1:3]": [11, 12],
    "$.list.[0,2]": [10, 12],
    "$.items.[?(@.price > 1)].price": [2.5],
    "$$.Execution.[*].['input-value']": [1],
    # The one script: an index that counts from the end.
    "$.list[(@.length-1)]": 14,
    "$.list[(@.length - 5)]": 10,
    "$.list[(@.length-6)]": MISSING,
    "$.list[ ( @.length() - 2 ) ]": 13,
    "$.list.[(@.size-1)]": 14,
    "$.items[(@.length-1)].tag": "y",
    "$.deep[*][(@.length-1)]": [2, [4]],
    "$.a[(@.length-1)]": MISSING,
    # AWS knows no function: whatever there is, the path is not found (reported of sum and length).
    "$.list.length()": MISSING,
    "$.list.sum()": MISSING,
    "$.a.b.size()": MISSING,
    "$.a.keys()": MISSING,
    "$.list.first()": MISSING,
    "$.list.last()": MISSING,
    "$.list.min()": MISSING,
    "$.list.max()": MISSING,
    "$.list[0:2].stddev()": MISSING,
    "$.items[*].price.avg()": MISSING,
    "$.absent[*].length()": MISSING,
    "$.absent.length()": MISSING,
    "$$.Execution.*.input-value": [1],
    "$order.lines[*].sku": ["A", "B"],
    "$absent[*]": MISSING,
    # An indefinite path that leads nowhere finds nothing, which is no failure (recorded from AWS).
    "$.absent[*]": [],
    "$.absent.items[1:5].itemValue": [],
    "$.absent[1:]": [],
    "$.a.none[*]": [],
    # Where there is something, and it is not an array, Jayway refuses slices and unions of indexes.
    "$.a[1:2]": MISSING,
    "$.text[0,1]": MISSING,
    "$[1:5]": MISSING,
}
DEFINITE_QUERIES = {text for text in QUERIES if text.endswith("()")} | {
    "$.list[(@.length-1)]",
    "$.list[(@.length - 5)]",
    "$.list[(@.length-6)]",
    "$.list[ ( @.length() - 2 ) ]",
    "$.list.[(@.size-1)]",
    "$.items[(@.length-1)].tag",
    "$.a[(@.length-1)]",
    "$['it\\'s','absent']",
    "$.a['zero','absent','none']",
    "$.text['a','b']",
}


@pytest.mark.parametrize(("text", "expected"), QUERIES.items())
def test_queries(text: str, expected: Any) -> None:
    path = compile_path(text)
    assert not path.is_reference
    assert path.definite == (text in DEFINITE_QUERIES)
    assert path.find(scope()) == expected


def test_a_wildcard_over_an_empty_root() -> None:
    assert compile_path("$[*]").find(scope({})) == []


REASONS: dict[str, str] = {
    # These two were recorded from AWS.
    "$.NoSuchInputPath": "No results for path: $['NoSuchInputPath']",
    "$.no.such.result.path": "Missing property in path $['no']",
    "$.a.absent": "No results for path: $['a']['absent']",
    "$.a.absent.c": "Missing property in path $['a']['absent']",
    "$.list[5]": "Index out of bounds when evaluating path $['list'][5]",
    "$.list[5].x": "Index out of bounds when evaluating path $['list'][5]",
    "$.text[0]": 'Filter: [0] can only be applied to arrays. Current context is: "abc"',
    "$.a.b[0].x": "Filter: [0]['x'] can only be applied to arrays. Current context is: {\"c\":1}",
    "$.text[0,1]": 'Filter: [0,1] can only be applied to arrays. Current context is: "abc"',
    "$.text[1:]": 'Filter: [1:] can only be applied to arrays. Current context is: "abc"',
    "$.a['absent'].length()": "No results for path: $['a']['absent']",
    "$.list.length()": "Property ['length()'] not found in path $['list']",
    "$.items[*].price.sum()": "Property ['sum()'] not found in path $.items[*].price",
    "$.absent.length()": "No results for path: $['absent']",
    "$.list[(@.length-9)].x": "Index out of bounds when evaluating path $['list'][-9]",
    "$.absent['a','b']": "Missing property in path $['absent']",
    "$absent.a": "The variable $absent is not assigned",
    "$$.Absent": "No results for path: $['Absent']",
}


@pytest.mark.parametrize(("text", "reason"), REASONS.items())
def test_why_nothing_is_found(text: str, reason: str) -> None:
    with pytest.raises(PathNotFound) as caught:
        compile_path(text).get(scope())
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("value", "node"),
    [
        ("text", "TextNode"),
        (True, "BooleanNode"),
        (1, "IntNode"),
        (-(2**31), "LongNode"),
        (2**31, "LongNode"),
        (2**63, "BigIntegerNode"),
        (1.5, "DoubleNode"),
        (None, "NullNode"),
        ([], "ArrayNode"),
    ],
)
def test_a_name_in_what_is_no_object(value: Any, node: str) -> None:
    with pytest.raises(PathNotFound) as caught:
        compile_path("$.a.b.c").get(scope({"a": value}))
    assert caught.value.reason == (
        "Expected to find an object with property ['b'] in path $['a'] but found "
        f"'com.fasterxml.jackson.databind.node.{node}'. This is not a json object according to the JsonProvider: "
        "'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."
    )


def test_get_gives_what_find_does() -> None:
    assert compile_path("$.a.none").get(scope()) is None
    assert compile_path("$.items[*].price").get(scope()) == [1, 2.5]


SYNTAX_ERRORS: dict[str, int] = {
    "": 0,
    "a": 0,
    " $.a": 0,
    "@.a": 0,
    "$a b": 2,
    "$$x": 2,
    "$ .a": 1,
    "$.": 2,
    "$..": 3,
    "$.a.": 4,
    "$.a..": 5,
    "$.a b": 3,
    "$.a*": 3,
    "$.a]": 3,
    "$[": 2,
    "$[]": 2,
    "$[a]": 2,
    "$['a": 2,
    "$['a'": 5,
    "$['a' 'b']": 5,
    "$['a',]": 6,
    "$['a',1]": 6,
    "$[1,]": 2,
    "$[1.5]": 2,
    "$[:]": 2,
    "$[1:2:3]": 2,
    "$.[": 3,
    "$.a.[b]": 5,
    "$.a...[0]": 5,
    "$.a[(@.length)]": 4,
    "$.a[(@.length-0)]": 4,
    "$.a[(@.length+1)]": 4,
    # What jsonpath-ng has and Jayway JsonPath has not.
    "$.a.`parent`": 4,
    "$.a.`sorted`": 4,
    "$.a|$.b": 3,
    "$.a & $.b": 3,
    "$.a where b": 3,
    "$.(a)": 2,
    "$[/a]": 2,
    "$.a[\\b]": 4,
    # Functions.
    "$.a.concat('x')": 4,
    "$.a.nosuch()": 4,
    "$.a.length().b": 12,
    "$.a.length()[0]": 12,
    "$.a.length(": 4,
}


@pytest.mark.parametrize(("text", "position"), SYNTAX_ERRORS.items())
def test_texts_that_are_no_path(text: str, position: int) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_path(text)
    assert caught.value.text == text
    assert caught.value.position == position


def test_an_error_shows_where_it_is() -> None:
    error = ExpressionSyntaxError("Expected ']'", "$.a[0\n.b", 5)
    assert str(error) == "Expected ']'\n  $.a[0 .b\n       ^"
    assert str(ExpressionSyntaxError("Not a path", "$(")) == "Not a path: $("


def test_jsonpath_ng_is_imported_by_none_but_the_paths_that_need_it() -> None:
    program = (
        "import sys; import asl_engine.expressions.choice_rule\n"
        "from asl_engine.expressions.jsonpath.path import compile_path\n"
        "compile_path('$.a[0].b'); compile_path('$$'); compile_path('$x')\n"
        "assert not any('jsonpath_ng' in name.split('.') for name in sys.modules)\n"
        "compile_path('$.a[*]')\n"
        "assert 'jsonpath_ng' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
