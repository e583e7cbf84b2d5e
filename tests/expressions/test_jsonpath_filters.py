"""Filters: Jayway JsonPath's operators, over one small document."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.scope import Scope
from asl_engine.json_values import MISSING

ITEMS: Any = [
    {"id": 0, "n": 1, "s": "abc", "l": [1, 2], "o": {"x": 1}, "b": True},
    {"id": 1, "n": 1.0, "s": "ABC", "l": [], "o": {}, "b": False},
    {"id": 2, "n": -2.5, "s": "a/c", "l": ["1"], "b": None},
    {"id": 3, "n": "1", "s": "", "m": [[1, 2]]},
    {"id": 4, "it's": "it's", "with-dash": 1, "n m": 2},
]
DOCUMENT: Any = {"items": ITEMS, "limit": 0, "ids": [1, 3], "one": {"id": 9, "n": 5}}


def ids(condition: str) -> Any:
    return compile_path(f"$.items[?({condition})].id").find(Scope(DOCUMENT, {}, dict))


CONDITIONS: dict[str, list[int]] = {
    "@.n": [0, 1, 2, 3],
    "@.b": [0, 1, 2],  # null is something
    "!@.b": [3, 4],
    "! @.b": [3, 4],
    "@['n']": [0, 1, 2, 3],
    "@.l[0]": [0, 2],
    "@.l[*]": [0, 2],
    "@.o.x": [0],
    "@..x": [0],
    "@.with-dash": [4],
    "@.['n m'] == 2": [4],
    "@.l.[0]": [0, 2],
    "@.l[(@.length-1)] == 2": [0],
    "@.l[?(@ == 1)]": [0],
    "@.absent[1:]": [],
    "@.s[1:]": [],
    "@.n == 1": [0, 1],
    "@.n==1": [0, 1],
    "@.n === 1": [0, 1],
    "@.n == 1.0": [0, 1],
    "@.n == 1e0": [0, 1],
    "@.n == -2.5": [2],
    "@.n == '1'": [3],
    '@.n == "1"': [3],
    "@.n != 1": [2, 3, 4],
    "@.n !== 1": [2, 3, 4],
    "@.n > 0": [0, 1],
    "@.n >= 1": [0, 1],
    "@.n < 1": [2],
    "@.n <= 1": [0, 1, 2],
    "@.s > 'a/c'": [0],
    "@.s <= 'ABC'": [1, 3],
    "@.b == true": [0],
    "@.b == false": [1],
    "@.b == null": [2],
    "@.b != null": [0, 1, 3, 4],
    "@.b == 1": [],
    "@.n == true": [],
    "@['it\\'s'] == 'it\\'s'": [4],
    "@.absent == @.missing": [],
    "@.l == [1, 2]": [0],
    "@.l == [ ]": [1],
    "@.l == ['1']": [2],
    "@.m == [[1,2]]": [3],
    "@.l == [true, 2]": [],
    "@.l[*] == 1": [],  # an indefinite path stands for its list
    "@.l[*] == [1,2]": [0],
    "@.o == $.one": [],
    "@.id == @.id": [0, 1, 2, 3, 4],
    "@.n > $.limit": [0, 1],
    "$.limit < @.n": [0, 1],
    "$.limit == 0": [0, 1, 2, 3, 4],
    "1 == @.n": [0, 1],
    "0 < @.n": [0, 1],
    "1 >= @.n": [0, 1, 2],
    "'1' == @.n": [3],
    "2 in @.l": [0],
    "9 in $.ids": [],
    "@.id in [0, 3]": [0, 3],
    "@.id in []": [],
    "@.s in ['abc', \"a/c\"]": [0, 2],
    "@.b in [null, true]": [0, 2],
    "@.id in $.ids": [1, 3],
    "@.id in $.limit": [],
    "@.id nin $.ids": [0, 2, 4],
    "@.id nin [1, 3]": [0, 2, 4],
    "@.l subsetof [2, 1, 0]": [0, 1],
    "@.l anyof [2, '1']": [0, 2],
    "@.l noneof [2]": [1, 2],
    "@.l contains 2": [0],
    "@.s contains 'b'": [0],
    "@.l size 1": [2],
    "@.s size 3": [0, 1, 2],
    "@.o size 0": [1],
    "@.l size '1'": [],
    "@.l empty true": [1],
    "@.l empty false": [0, 2],
    "@.s empty true": [3],
    "@.n empty true": [],
    "@.l.length() == 2": [0],
    "@.l.size() > 0": [0, 2],
    "@.o.keys() == ['x']": [0],
    "@.s =~ /a.c/": [0, 2],
    "@.s =~ /b/": [],  # the whole text has to match, as in Java
    "@.s =~ /.*b.*/": [0],
    "@.s =~ /abc/i": [0, 1],
    "@.s =~ /a\\/c/": [2],
    "@.s =~ /a b c/x": [0],
    "@.s =~ /\\w+/U": [0, 1],
    "@.n =~ /1/": [3],
    "/a.c/ =~ @.s": [0, 2],
    # A text without quotes.
    "@.s == abc": [0],
    "@.s==abc": [0],
    "@.s != abc": [1, 2, 3, 4],
    "@.s >= abc": [0],
    "@.s==ABC || @.s == abc&&@.id == 0": [0, 1],
    "(@.s == abc)": [0],
    "@.n == 1 && @.b == true": [0],
    "@.n == 1 || @.id == 4": [0, 1, 4],
    "@.id == 4 || @.n == 1 && @.b == true": [0, 4],
    "(@.id == 4 || @.n == 1) && @.id > 0": [1, 4],
    "!(@.n == 1)": [2, 3, 4],
    "!( @.n == 1 || @.id == 4 ) && @.id != 2": [3],
    "!(!@.b)": [0, 1, 2],
    "@.id == 0||@.id == 1&&@.n": [0, 1],
    "@.id == 0 || @.id == 2 || @.id == 4": [0, 2, 4],
    "@.n && @.s && @.l && @.o && @.b == true": [0],
    " && ".join(["@.n == 1"] * 2000): [0, 1],
    " || ".join(["@.n == 1"] * 2000): [0, 1],
}


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS.items(), ids=[text[:60] for text in CONDITIONS])
def test_conditions(condition: str, expected: list[int]) -> None:
    assert ids(condition) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("@.k==es", ["hola"]),
        ("@.k == es", ["hola"]),
        ("@.k==es||@.k==fr", ["hola", "salut"]),
        ("(@.k == es) && @.v == hola", ["hola"]),
        ("@.k == es && @.v == salut", []),
        ("@.k == two words", ["words"]),
        ("@.k == two words && @.v", ["words"]),
        ("@.k == two  words", []),
        ("@.k == ann@example.com", ["mail"]),
        ("@.k == 2024-01-01", ["date"]),
        ("@.k == 01", ["zero"]),
        ("@.k == 1", []),
        ("@.k == true story", ["story"]),
        ("@.k == true", []),
        ("@.k == ключ", ["key"]),
        ("@.k > two", ["words", "key"]),
    ],
)
def test_a_text_without_quotes(condition: str, expected: list[str]) -> None:
    texts = {
        "es": "hola",
        "fr": "salut",
        "two words": "words",
        "ann@example.com": "mail",
        "2024-01-01": "date",
        "01": "zero",
        "true story": "story",
        "ключ": "key",
    }
    document: Any = {"t": [{"k": key, "v": value} for key, value in texts.items()]}
    assert compile_path(f"$.t[?({condition})].v").find(Scope(document, {}, dict)) == expected


def test_the_recorded_filter() -> None:
    users: Any = [{"year": 1997, "status": 0}, {"year": 1998, "status": 1}]
    path = compile_path("$.users[?(@.status == 0)]")
    assert not path.definite
    assert path.find(Scope({"users": users}, {}, dict)) == [users[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$.one[?(@.n == 5)].id", [9]),  # Jayway: a filter on an object takes or leaves the object
        ("$.one[?(@.n == 6)].id", []),
        ("$.limit[?(@.n)]", []),
        ("$.absent[?(@.n)]", []),
        ("$..[?(@.n == 5)].id", [9]),
        ("$..[?(@.x)]", [{"x": 1}]),
        ("$.items[ ? (@.id == 4) ].id", [4]),
        ("$.items[?(@.id > 2)][?(@.n)].id", [3]),
        ("$.items[?(@.l)].l[0]", [1, "1"]),
        ("$.items[?(@.id > 2)].length()", MISSING),
        ("$.items.[?(@.id > 2)].id", [3, 4]),
    ],
)
def test_filters_in_paths(text: str, expected: Any) -> None:
    assert compile_path(text).find(Scope(DOCUMENT, {}, dict)) == expected


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        ("", 0),
        ("@.x = 1", 4),
        ("@.x ==", 6),
        ("@.x == y(z)", 8),
        ("@.x == y'", 8),
        ("@.x in y", 7),
        ("@.x contains y", 13),
        ("y == @.x", 0),
        ("@.x == [y]", 8),
        ("@.x == 'y", 7),
        ("@.x == [1 2]", 9),
        ("@.x in [/a/]", 11),
        ("@.x == /a/", 10),
        ("@.x =~ 'a'", 10),
        ("@.x =~ /a(/", 7),
        ("@.x =~ @.y", 7),
        ("'a' =~ @.x", 7),
        ("/a/ == @.x", 7),
        ("@.x =~ /a/q", 7),
        ("1 == 2", 5),
        ("1", 1),
        ("@.x sorted", 4),
        ("@.x == 1 @.y", 9),
        ("@.x & @.y", 4),
        ("@.x && ", 7),
        ("!1", 1),
        ("@.x.min() == 1", 4),
        ("@.x | @.y", 4),
        ("@.x + 1 == 2", 4),
        ("(" * 60, 50),
        ("@.x in " + "[" * 60, 57),
    ],
)
def test_texts_that_are_no_filter(condition: str, position: int) -> None:
    opening = "$.a[?("
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_path(f"{opening}{condition})]")
    assert caught.value.position == len(opening) + position


@pytest.mark.parametrize(("text", "position"), [("$.a[?@.x]", 4), ("$.a[?(@.x]", 9), ("$.a[?(@.x)", 10)])
def test_the_brackets_of_a_filter(text: str, position: int) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_path(text)
    assert caught.value.position == position


@pytest.mark.parametrize("pattern", ["[[*]", "[a[bc]]", "[a&&b]"])
def test_sets_within_sets_are_refused_and_warn_nobody(pattern: str) -> None:
    with pytest.raises(ExpressionSyntaxError, match="a bracket or && within brackets needs a backslash"):
        compile_path(f"$.a[?(@ =~ /{pattern}/)]")


@pytest.mark.parametrize("pattern", [r"[\[a]+", "[a||b]+"])
def test_brackets_and_bars_in_a_set(pattern: str) -> None:
    path = compile_path(f"$.a[?(@ =~ /{pattern}/)]")
    assert path.find(Scope({"a": ["[a", "a|b"]}, {}, dict)) == (["[a"] if pattern.startswith(r"[\[") else ["a|b"])
