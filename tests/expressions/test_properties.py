"""Laws of paths and templates over arbitrary documents, against models written the plain way."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.expressions.errors import ExpressionSyntaxError, PathNotFound, ResultPathError
from asl_engine.expressions.jsonpath.path import Path, compile_path, compile_reference_path
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.template import compile_template
from asl_engine.json_values import MISSING

quick = settings(max_examples=80, deadline=None)

KEYS = st.sampled_from(["a", "b", "c-d", "ключ", "7", "x y", "it's", 'q"t', "b\\s", "d.t", "[0]", "*", "@", ""])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.text(max_size=3)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
STEPS = st.lists(KEYS | st.integers(-3, 3), max_size=4)


def scope(data: Any) -> Scope:
    return Scope(data, {"v": data}, lambda: {"here": data})


def step_text(step: str | int, form: int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if form == 0 and step and not set(step) & set(" .[]*\\()|`@"):
        return f".{step}"
    if form == 1:
        escaped = step.replace("\\", "\\\\").replace('"', '\\"')
        return f'["{escaped}"]'
    escaped = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"[ '{escaped}' ]"


@st.composite
def paths(draw: st.DrawFn) -> tuple[str, list[str | int]]:
    """The steps of a reference path, and they as text after the root, each in one of its forms."""
    steps = draw(STEPS)
    return "".join(step_text(step, draw(st.integers(0, 2))) for step in steps), steps


@st.composite
def documents_and_paths(draw: st.DrawFn) -> tuple[Any, str, list[str | int]]:
    """A document, and a path that as often as not leads somewhere in it."""
    document = draw(DOCUMENTS)
    if draw(st.booleans()):
        return document, *draw(paths())
    steps: list[str | int] = []
    node: Any = document
    while node and isinstance(node, list | dict) and draw(st.integers(0, 4)):
        step: Any = draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
        steps.append(step)
        node = node[step]
    return document, "".join(step_text(step, draw(st.integers(0, 2))) for step in steps), steps


def naive_walk(node: Any, steps: list[str | int]) -> Any:
    for step in steps:
        if isinstance(step, str):
            there = isinstance(node, dict) and step in node
        else:
            there = isinstance(node, list) and -len(node) <= step < len(node)
        if not there:
            return MISSING
        node = node[step]
    return node


def naive_descendants(node: Any) -> list[Any]:
    children = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    return [node, *(inner for child in children for inner in naive_descendants(child))]


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from true, and 1 from 1.0."""
    return left == right and repr(left) == repr(right)


@quick
@given(documents_and_paths())
def test_a_reference_path_is_a_plain_walk(case: tuple[Any, str, list[str | int]]) -> None:
    document, text, steps = case
    expected = naive_walk(document, steps)
    for root in ("$", "$v", "$$.here"):
        path = compile_path(root + text)
        assert path.is_reference
        found = path.find(scope(document))
        assert found is expected or same(found, expected)


@quick
@given(documents_and_paths())
def test_get_fails_exactly_where_find_finds_nothing(case: tuple[Any, str, list[str | int]]) -> None:
    document, text, _ = case
    path = compile_path(f"${text}")
    found = path.find(scope(document))
    if found is not MISSING:
        assert path.get(scope(document)) is found
        return
    with pytest.raises(PathNotFound) as caught:
        path.get(scope(document))
    assert caught.value.reason.startswith(
        ("No results", "Missing property", "Index out of bounds", "Filter: [", "Expected to find an object")
    )


@quick
@given(documents_and_paths(), SCALARS, SCALARS)
def test_what_is_put_is_found_there(case: tuple[Any, str, list[str | int]], value: Any, later: Any) -> None:
    document, text, _ = case
    before = copy.deepcopy(document)
    put = compile_reference_path(f"${text}").put
    try:
        result = put(document, value)
    except ResultPathError:
        assert naive_walk(document, case[2]) is MISSING
        return
    finally:
        assert same(document, before)
    assert compile_path(f"${text}").find(scope(result)) is value
    assert same(put(result, later), put(document, later))


@quick
@given(documents_and_paths())
def test_putting_back_what_is_there_changes_nothing(case: tuple[Any, str, list[str | int]]) -> None:
    document, text, _ = case
    found = compile_path(f"${text}").find(scope(document))
    if found is not MISSING:
        assert same(compile_reference_path(f"${text}").put(document, found), document)


@quick
@given(DOCUMENTS)
def test_wildcards_and_descent(document: Any) -> None:
    nodes = naive_descendants(document)
    children = [
        child
        for node in nodes
        for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else [])
    ]
    data = scope(document)
    assert same(compile_path("$..*").find(data), children)
    members = [node["a"] for node in nodes if isinstance(node, dict) and "a" in node]
    assert same(compile_path("$..a").find(data), members)
    items = [item for node in nodes if isinstance(node, list) for item in node[1:-1]]
    assert same(compile_path("$..[1:-1]").find(data), items)


@quick
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), SCALARS)), st.integers(-3, 3))
def test_filters(items: list[dict[str, Any]], limit: int) -> None:
    def number(item: dict[str, Any]) -> bool:
        return "a" in item and isinstance(item["a"], int | float) and not isinstance(item["a"], bool)

    data = scope({"items": items, "limit": limit})
    equal = [item for item in items if number(item) and item["a"] == limit]
    assert same(compile_path(f"$.items[?(@.a == {limit})]").find(data), equal)
    assert same(compile_path("$.items[?($.limit == @.a)]").find(data), equal)
    rest = [item for item in items if not any(item is chosen for chosen in equal)]
    assert same(compile_path(f"$.items[?(!(@.a == {limit}))]").find(data), rest)
    above = [item for item in items if (number(item) and item["a"] > limit) or "b" not in item]
    assert same(compile_path(f"$.items[?(@.a > {limit} || !@.b)]").find(data), above)


WORDS = ["$", "@", ".", "..", "[", "]", "?(", "(", ")", "'", '"', "*", ",", ":", "!", "&&", "||", "==", "=~", "/"]
MORE = [
    "a",
    "b",
    " ",
    "0",
    "-1",
    "1.5",
    "true",
    "null",
    "in",
    "length()",
    "\\",
    "`",
    "|",
    "<",
    ">=",
    "'a'",
    "é",
    "\n",
]
FRAGMENTS = ["[?(", ")]", "@.a", "$.b", "@.a == 1", "[*]", "[1:2]", "['a','b']", "[1, 'x']", "/a+/i", "contains"]


def compiled(text: str) -> Path | ExpressionSyntaxError:
    try:
        return compile_path(text)
    except ExpressionSyntaxError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS + MORE + FRAGMENTS), max_size=12).map("".join), DOCUMENTS)
def test_every_text_is_a_path_or_is_refused_with_its_place(text: str, document: Any) -> None:
    for source in (f"${text}", f"$.a[?({text})].b"):
        path = compiled(source)
        if isinstance(path, ExpressionSyntaxError):
            assert path.position is not None
            assert 0 <= path.position <= len(source)
        else:
            found = path.find(scope(document))
            assert path.definite or found is MISSING or isinstance(found, list)


def no_finding(place: str, message: str) -> None:
    raise AssertionError(f"{place}: {message}")


def no_intrinsic(text: str) -> Any:
    raise AssertionError(text)


@quick
@given(DOCUMENTS)
def test_a_template_without_paths_is_itself(document: Any) -> None:
    template = compile_template(document, no_finding, no_intrinsic)
    assert template.static
    assert template.evaluate(scope(None)) is document


def by_paths(node: Any, path: str) -> Any:
    """A template that fetches each scalar of a document by its path, and has its structure otherwise."""
    if isinstance(node, list):
        return [by_paths(item, f"{path}[{index}]") for index, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    template = {}
    for key, value in node.items():
        place = path + step_text(key, 2)
        scalar = not isinstance(value, list | dict)
        template[f"{key}.$" if scalar else key] = place if scalar else by_paths(value, place)
    return template


@quick
@given(DOCUMENTS)
def test_a_template_of_a_documents_own_paths_gives_the_document(document: Any) -> None:
    template = compile_template(by_paths(document, "$"), no_finding, no_intrinsic)
    assert same(template.evaluate(scope(document)), document)
