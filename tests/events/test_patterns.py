"""Event patterns: AWS's documented examples and what follows from them, the index, and what is refused."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from asl_engine.events.language.faults import InvalidEventPattern
from asl_engine.events.language.patterns import compile_pattern
from asl_engine.events.language.rule_index import RuleIndex

CASES = json.loads(Path(__file__).with_name("pattern_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_documented_patterns(case: dict[str, Any]) -> None:
    pattern = compile_pattern(json.dumps(case["pattern"]))
    assert [event for event in case["matches"] if not pattern.matches(event)] == []
    assert [event for event in case["others"] if pattern.matches(event)] == []


def test_the_index_finds_what_each_pattern_matches() -> None:
    patterns = {case["name"]: compile_pattern(json.dumps(case["pattern"])) for case in CASES}
    index = RuleIndex(patterns)
    for case in CASES:
        for event in case["matches"] + case["others"]:
            wanted = [name for name, pattern in patterns.items() if pattern.matches(event)]
            assert index.matching(event) == wanted


def test_the_index_with_arrays_and_repeated_texts() -> None:
    texts = {
        "array": '{"a": {"b": ["x"]}}',
        "both": '{"a": {"b": ["x", "y"]}}',
        "two fields": '{"a": {"b": ["x"], "c": ["z"]}}',
        "always": '{"q": [{"exists": false}]}',
    }
    index = RuleIndex({name: compile_pattern(text) for name, text in texts.items()})
    assert index.matching({"a": {"b": ["x", "y"]}}) == ["array", "both", "always"]
    assert index.matching({"a": [{"b": "x"}, {"b": "y", "c": "z"}]}) == ["array", "both", "always"]
    assert index.matching({"a": [{"b": ["w", ["x"]], "c": "z"}], "q": 1}) == ["array", "both", "two fields"]
    assert index.matching({"a": 5}) == ["always"]
    assert index.matching({}) == ["always"]


# The pattern, and of each finding: its place, its line and column, and how its reason begins.
REFUSED: list[tuple[str, list[tuple[str | None, int, int, str]]]] = [
    ("[1]", [("", 1, 1, "Filter is not an object")]),
    ("{}", [("", 1, 1, "Empty objects are not allowed")]),
    ('{"a": "b"}', [("/a", 1, 2, '"a" must be an object or an array')]),
    ('{"a": []}', [("/a", 1, 2, "Empty arrays are not allowed")]),
    ('{"a": {}}', [("/a", 1, 2, "Empty objects are not allowed")]),
    ('{"a": [["b"]]}', [("/a[0]", 1, 8, "Match value must be String, number, true, false, or null")]),
    ('{"a": [{"prefx": "b"}]}', [("/a[0]", 1, 8, "Unrecognized match type prefx; did you mean 'prefix'?")]),
    ('{"a": [{"prefix": "b", "suffix": "c"}]}', [("/a[0]", 1, 8, "Only one key allowed in match expression")]),
    ('{"a": [{"prefix": 5}]}', [("/a[0]", 1, 8, "prefix match pattern must be a string")]),
    ('{"a": [{"prefix": {"x": "y"}}]}', [("/a[0]", 1, 8, "Unsupported prefix pattern")]),
    ('{"a": [{"wildcard": "**"}]}', [("/a[0]", 1, 8, "Consecutive wildcard characters at pos 0")]),
    ('{"a": [{"wildcard": "\\\\n"}]}', [("/a[0]", 1, 8, "Invalid escape character at pos 0")]),
    ('{"a": [{"numeric": []}]}', [("/a[0]", 1, 8, "Invalid numeric match")]),
    ('{"a": [{"numeric": ["!", 1]}]}', [("/a[0]", 1, 8, "Unrecognized numeric range operator: !")]),
    ('{"a": [{"numeric": ["<", "1"]}]}', [("/a[0]", 1, 8, "Value of < must be numeric")]),
    ('{"a": [{"numeric": ["<", 6e9]}]}', [("/a[0]", 1, 8, "Value must be between -5.0E9 and 5.0E9")]),
    ('{"a": [{"numeric": [">", 5, "<", 1]}]}', [("/a[0]", 1, 8, "Bottom must be less than top")]),
    ('{"a": [{"numeric": ["<", 5, ">", 1]}]}', [("/a[0]", 1, 8, "Invalid numeric match: a range has a lower")]),
    ('{"a": [{"exists": "yes"}]}', [("/a[0]", 1, 8, "exists match pattern must be either true or false.")]),
    ('{"a": [{"cidr": "10.0.0.0"}]}', [("/a[0]", 1, 8, "Malformed CIDR: 10.0.0.0; one '/' required")]),
    ('{"a": [{"cidr": "10.0.0.0/33"}]}', [("/a[0]", 1, 8, "Malformed CIDR: 10.0.0.0/33")]),
    ('{"a": [{"anything-but": []}]}', [("/a[0]", 1, 8, "Empty arrays are not allowed")]),
    ('{"a": [{"anything-but": ["x", 1]}]}', [("/a[0]", 1, 8, "Inside anything-but list, either all")]),
    ('{"a": [{"anything-but": null}]}', [("/a[0]", 1, 8, "Inside anything-but list, values must be")]),
    ('{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', [("/a[0]", 1, 8, "Unsupported anything-but pattern")]),
    ('{"a": [{"anything-but": {"prefix": ""}}]}', [("/a[0]", 1, 8, "Null prefix not allowed")]),
    ('{"a": ["b",]}', [(None, 1, 12, "Expecting value")]),
    (
        '{\n  "a": [{"suffix": null}],\n  "b": {"c": 1}\n}',
        [("/a[0]", 2, 9, "suffix match pattern"), ("/b/c", 3, 9, '"c" must be an object or an array')],
    ),
]


@pytest.mark.parametrize(("text", "wanted"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_no_pattern_is_refused_with_every_reason_at_its_place(
    text: str, wanted: list[tuple[str | None, int, int, str]]
) -> None:
    with pytest.raises(InvalidEventPattern) as caught:
        compile_pattern(text)
    found = [(one.location, one.line, one.column) for one in caught.value.findings]
    assert found == [one[:3] for one in wanted]
    for finding, (_, line, column, reason) in zip(caught.value.findings, wanted, strict=True):
        assert finding.message.startswith(reason)
        assert (finding.line, finding.column) == (line, column)
    assert str(caught.value).startswith(f"Event pattern is not valid. Reason: {wanted[0][3]}")
    assert '[Source: (String)"' in str(caught.value)


def test_too_many_combinations_are_refused() -> None:
    alternatives = [{"a": [n]} for n in range(11)]
    pattern = json.dumps({name: {"$or": alternatives} for name in "xyz"})
    with pytest.raises(InvalidEventPattern, match="more than 1000 combinations"):
        compile_pattern(pattern)


def test_a_large_array_takes_time_in_proportion_to_its_length() -> None:
    """Each item asks whether the field is absent in all of them: answered once, else this takes minutes."""
    pattern = compile_pattern('{"a": {"b": [{"exists": false}], "c": {"d": [{"exists": false}]}}}')
    event: Any = {"a": [{"x": n} for n in range(50_000)] + [{"b": 1}]}
    assert not pattern.matches(event)
    assert pattern.matches({"a": event["a"][:-1]})


def test_wildcards_do_not_backtrack() -> None:
    pattern = compile_pattern(json.dumps({"a": [{"wildcard": "*a" * 20 + "*b"}]}))
    assert not pattern.matches({"a": "a" * 100_000})


def test_deep_events_are_matched() -> None:
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    assert compile_pattern('{"a": ["x"]}').matches({"a": deep})


def test_what_the_index_finds_does_not_depend_on_the_order_of_events() -> None:
    rng = random.Random(7)
    texts = {f"r{n}": json.dumps({"source": [f"s{n % 10}"], "detail": {"id": [f"i{n}"]}}) for n in range(200)}
    index = RuleIndex({name: compile_pattern(text) for name, text in texts.items()})
    numbers = [*range(200)]
    rng.shuffle(numbers)
    for n in numbers:
        assert index.matching({"source": f"s{n % 10}", "detail": {"id": f"i{n}"}}) == [f"r{n}"]
