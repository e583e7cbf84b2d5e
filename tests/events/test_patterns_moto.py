"""Patterns agree with moto's matcher, for what both know, over generated pairs of a pattern and an event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.events.models import EventPattern as MotoPattern

from asl_engine.events.language.patterns import compile_pattern

# Where moto departs from AWS's documentation, each with a pattern and an event that show it.
# None is generated below.
DEPARTURES: list[tuple[str, str, Any]] = [
    ("1 and true are one value in Python; EventBridge compares the texts", '{"a": [1]}', {"a": True}),
    ("300 and 300.0 are equal in Python; their texts differ", '{"a": [300]}', {"a": 300.0}),
    ("a boolean is a number in Python; numeric is of JSON numbers", '{"a": [{"numeric": ["<", 5]}]}', {"a": True}),
    ("moto looks for no fields in the objects of an array", '{"a": {"b": ["x"]}}', {"a": [{"b": "x"}]}),
    ("moto looks for no values in an array within an array", '{"a": ["x"]}', {"a": [["x"]]}),
    ("an empty array has no leaf, so nothing exists", '{"a": [{"exists": true}]}', {"a": []}),
    ("an empty array has no leaf, so it is absent", '{"a": [{"exists": false}]}', {"a": []}),
    ("an empty object has no leaf, so it is absent", '{"a": [{"exists": false}]}', {"a": {}}),
]

WORDS = st.sampled_from(["", "a", "ab", "b", "ba", "aB", "Ab", "abc", "x.png", "10.0.0.7", "10.1.0.7"])
NUMBERS = st.integers(2, 9)
SCALARS = st.one_of(WORDS, NUMBERS, st.none())
NAMES = st.sampled_from(["p", "q", "r"])


def matches() -> st.SearchStrategy[Any]:
    affix = st.sampled_from(["a", "ab", "b", ".png"])
    several = st.one_of(affix, st.lists(affix, min_size=1, max_size=2))
    folded = st.builds(lambda text: {"equals-ignore-case": text}, affix)
    wild = st.sampled_from(["*", "a*", "*b", "a*b", "*a*", "*.png"])
    bound = st.tuples(
        st.sampled_from([">", ">="]), st.integers(2, 5), st.sampled_from(["<", "<="]), st.integers(6, 9)
    )
    relation = st.sampled_from(["=", "<", "<=", ">", ">="])
    return st.one_of(
        SCALARS,
        st.builds(lambda text: {"prefix": text}, st.one_of(affix, folded)),
        st.builds(lambda text: {"suffix": text}, st.one_of(affix, folded)),
        folded,
        st.builds(lambda text: {"wildcard": text}, wild),
        st.builds(lambda net: {"cidr": net}, st.sampled_from(["10.0.0.0/16", "10.0.0.0/8", "11.0.0.0/8"])),
        st.builds(lambda span: {"numeric": [*span]}, bound),
        st.builds(lambda how, number: {"numeric": [how, number]}, relation, NUMBERS),
        st.builds(lambda there: {"exists": there}, st.booleans()),
        st.builds(lambda texts: {"anything-but": texts}, several),
        st.builds(lambda number: {"anything-but": [number]}, NUMBERS),
        st.builds(
            lambda how, texts: {"anything-but": {how: texts}}, st.sampled_from(["prefix", "suffix"]), several
        ),
        st.builds(lambda texts: {"anything-but": {"equals-ignore-case": texts}}, several),
        st.builds(lambda text: {"anything-but": {"wildcard": text}}, wild),
    )


def patterns() -> st.SearchStrategy[Any]:
    leaf = st.lists(matches(), min_size=1, max_size=2)
    field = st.one_of(leaf, st.dictionaries(NAMES, leaf, min_size=1, max_size=2))
    plain = st.dictionaries(NAMES, field, min_size=1, max_size=3)
    either = st.lists(st.dictionaries(NAMES, leaf, min_size=1, max_size=2), min_size=2, max_size=3)
    return st.one_of(plain, st.builds(lambda fields, ways: {**fields, "$or": ways}, plain, either))


EVENTS = st.dictionaries(
    NAMES,
    st.one_of(
        SCALARS,
        st.lists(SCALARS, min_size=1, max_size=3),
        st.dictionaries(
            NAMES, st.one_of(SCALARS, st.lists(SCALARS, min_size=1, max_size=2)), min_size=1, max_size=3
        ),
    ),
    max_size=3,
)


@settings(max_examples=4000, deadline=None, derandomize=True, database=None)
@given(patterns(), EVENTS)
def test_patterns_agree_with_moto(pattern: Any, event: Any) -> None:
    text = json.dumps(pattern)
    assert compile_pattern(text).matches(event) == MotoPattern.load(text).matches_event(event)


@pytest.mark.parametrize(("reason", "pattern", "event"), DEPARTURES, ids=[reason for reason, _, _ in DEPARTURES])
def test_moto_departs_from_aws(reason: str, pattern: str, event: Any) -> None:
    assert reason
    assert compile_pattern(pattern).matches(event) != MotoPattern.load(pattern).matches_event(event)
