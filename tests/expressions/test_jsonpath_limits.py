"""What no path can do: hold up the engine, or fill the memory, whatever it selects, compares and matches."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine import json_text
from asl_engine.errors import EvaluationError
from asl_engine.expressions import regex_limits
from asl_engine.expressions.effort import Effort, EffortSpent
from asl_engine.expressions.errors import ExpressionSyntaxError, PathNotFound
from asl_engine.expressions.jsonpath import query, search
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.regex_limits import is_linear
from asl_engine.expressions.scope import Scope

MOST = 20_000


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_STEPS", MOST)
    monkeypatch.setattr(query, "SECONDS", 0.01)
    monkeypatch.setattr(regex_limits, "SLOW_SECONDS", 0.01)


def find(text: str, data: Any, effort: Effort | None = None) -> Any:
    return compile_path(text).find(Scope(data, {}, dict, effort=effort))


def nested(levels: int) -> Any:
    value: Any = {"a": 1}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


NUMBERS = {"a": list(range(200)), "b": list(range(200, 400)), "c": ["x" * 6_400] * 250}
TOO_MUCH: dict[str, tuple[str, Any]] = {
    "descendants of descendants": ("$..a..a..a", nested(100)),
    "children of descendants": ("$..[*]..[*]..[*]", nested(100)),
    "members": ("$..['a','b']..['a','b']..a", nested(100)),
    "indexes": ("$..[0,0,0,0,0,0][0,0,0,0,0,0][0,0,0,0,0,0][0,0,0,0,0,0][0,0,0,0,0,0]", {"a": [[[[[1]]]]]}),
    "slices": ("$.a[*][0:]", {"a": [[1] * 150] * 150}),
    "filters": ("$..a..[?(@.a)]..[?(@.a)]..[?(@.a)]", nested(100)),
    "a filter of many tests": (f"$.a[?({' || '.join(['@.x'] * 101)})]", NUMBERS),
    "a filter within a filter": ("$.a[?($.b[?(@ > 1)])]", NUMBERS),
    "an array searched for each item": ("$.a[?(@ in $.b)]", NUMBERS),
    "arrays that are compared item by item": ("$.a[?($.a anyof $.b)]", NUMBERS),
    "values that are compared in depth": ("$.a[?($.a == $.b)]", NUMBERS),
    "an array that contains nothing": ("$.a[?($.b contains 1000)]", NUMBERS),
    "texts that contain nothing": ("$.c[?(@ contains 'y')]", NUMBERS),
    "texts that are compared": ("$.c[?(@ == $.c[0])]", NUMBERS),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_a_path_of_too_many_steps_fails(case: str) -> None:
    text, data = TOO_MUCH[case]
    with pytest.raises(EvaluationError) as caught:
        find(text, data)
    assert caught.value.error == "States.Runtime"
    assert caught.value.detail == (
        f"Invalid path '{text}' : Its evaluation takes more than {MOST} steps: it selects, or compares, "
        "too many values"
    )


@pytest.mark.parametrize("text", ["$..a..a", "$..[?(@.a)]..a"])
def test_values_that_take_too_long_to_write_fail(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found takes no memory, as it is all within the document; its text would."""
    assert len(find(text, nested(100))) > 1_000
    monkeypatch.setattr(json_text, "ENORMOUS", 200_000)
    with pytest.raises(EvaluationError, match="it selects, or compares, too many values"):
        find(text, nested(100))
    assert len(find(text, nested(20))) > 100


def test_what_is_selected_may_be_large() -> None:
    rows = {"rows": [{"id": number, "tags": ["x", "y"]} for number in range(1_000)]}
    assert find("$.rows[?(@.id >= 10 && 'x' in @.tags)].id", rows) == list(range(10, 1_000))
    assert len(find("$..id", rows)) == 1_000


def test_a_reference_path_takes_no_steps() -> None:
    effort = Effort(0)
    assert find("$.a.a", nested(3), effort) == {"a": 1}
    assert effort.left == 0


def test_the_paths_of_a_decision_share_its_effort() -> None:
    effort = Effort(1_000)
    find("$..a", nested(100), effort)
    assert 500 < effort.left < 900
    effort.left = 100
    with pytest.raises(EffortSpent):
        find("$..a", nested(100), effort)


def test_a_large_effort_does_not_raise_the_bound_of_one_path() -> None:
    with pytest.raises(EvaluationError, match="more than 20000 steps"):
        find("$..a..a..a", nested(100), Effort(10 * MOST))


# Each takes longer than the age of the universe without a bound.
HOPELESS = [r"(([a-z])+.)+[A-Z]([a-z])+$", r"(a+)+\1b"]


@pytest.mark.parametrize("pattern", HOPELESS)
def test_a_match_without_end_fails(pattern: str) -> None:
    with pytest.raises(EvaluationError, match=r"^Invalid path '.*' : Its evaluation takes more than 20000 steps"):
        find(f"$[?(@ =~ /{pattern}/)]", ["a" * 5_000])


def test_a_long_match_costs_steps() -> None:
    with pytest.raises(EffortSpent):
        find(f"$[?(@ =~ /{HOPELESS[0]}/)]", ["a" * 5_000], Effort(3_000))


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"[a-z]+@[a-z]+\.com", "ab@cd.com", True),
        (r"[a-z]+@[a-z]+\.com", "ab@cd.org", False),
        (r"(a|b)*c", "ababc", True),
        (r"\w+\W+", "é!", False),  # without U, word characters are ASCII
        (r"(?:.x)+", "\nx", False),
    ],
)
def test_a_pattern_with_a_bound_matches_the_same(pattern: str, text: str, *, matches: bool) -> None:
    assert not is_linear(pattern)
    assert find(f"$[?(@ =~ /{pattern}/)]", [text]) == ([text] if matches else [])


def test_flags_of_a_pattern_with_a_bound() -> None:
    assert find("$[?(@ =~ /(a.b)+/is)]", ["A\nBa\nb"]) == ["A\nBa\nb"]
    assert find("$[?(@ =~ /(é)+/iU)]", ["É"]) == ["É"]
    assert find("$[?(@ =~ /( a )+/x)]", ["aa"]) == ["aa"]


@pytest.mark.parametrize("pattern", ["abc", "n[0-9]+", r"\d{3}", "a|b|c*", ".*"])
def test_simple_patterns_need_no_bound(pattern: str) -> None:
    assert is_linear(pattern)


@pytest.mark.parametrize("pattern", ["(a|a)*", "a*a*", r"a?b?", "(a)", "a{1,9}b{1,9}"])
def test_other_patterns_do(pattern: str) -> None:
    assert not is_linear(pattern)


def test_a_pattern_that_is_too_large_is_refused() -> None:
    with pytest.raises(ExpressionSyntaxError, match="its counted repetitions are too many"):
        compile_path("$[?(@ =~ /((a{1,1000}){1,1000}){1,1000}/)]")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$..a..a..a.length()", "Property ['length()'] not found in path $..a..a..a"),
        ("$['a','b']..a..a..a.length()", "Property ['length()'] not found in path $['a','b']..a..a..a"),
        ("$[0:]..a.size()", "Filter: [0:] can only be applied to arrays. Current context is: "),
    ],
)
def test_why_a_function_has_no_result_is_told_without_much_search(text: str, reason: str) -> None:
    """AWS takes it for the name of a member that is not there, whatever the path selects."""
    with pytest.raises(PathNotFound) as caught:
        compile_path(text).get(Scope(nested(100), {}, dict))
    assert caught.value.reason.startswith(reason)
