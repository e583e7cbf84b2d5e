"""Patterns agree with moto's matcher, for what both know, over generated pairs of a pattern and an event."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from moto.events.models import EventPattern as MotoPattern

from asl_engine.events.language.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

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

WORDS = ["", "a", "ab", "b", "ba", "aB", "Ab", "abc", "x.png", "10.0.0.7", "10.1.0.7"]
AFFIXES = ["a", "ab", "b", ".png"]
WILD = ["*", "a*", "*b", "a*b", "*a*", "*.png"]
NETWORKS = ["10.0.0.0/16", "10.0.0.0/8", "11.0.0.0/8"]
NAMES = ["p", "q", "r"]
PAIRS = 6000


class Making:
    """Patterns and events, the same for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._one_of = self._random.choice

    def _number(self) -> int:
        return self._random.randint(2, 9)

    def _scalar(self) -> Any:
        return self._one_of([self._one_of(WORDS), self._number(), None])

    def _some(self, make: Callable[[], Any], most: int, least: int = 1) -> list[Any]:
        return [make() for _ in range(self._random.randint(least, most))]

    def _fields(self, make: Callable[[], Any], most: int, least: int = 1) -> dict[str, Any]:
        return {name: make() for name in self._random.sample(NAMES, self._random.randint(least, most))}

    def _affixes(self) -> Any:
        return self._one_of([self._one_of(AFFIXES), self._some(lambda: self._one_of(AFFIXES), 2)])

    def _affix_or_folded(self) -> Any:
        return self._one_of([self._one_of(AFFIXES), {"equals-ignore-case": self._one_of(AFFIXES)}])

    def _bounds(self) -> list[Any]:
        low, high = self._random.randint(2, 5), self._random.randint(6, 9)
        return [self._one_of([">", ">="]), low, self._one_of(["<", "<="]), high]

    def _comparison(self) -> Any:
        makers: list[Callable[[], Any]] = [
            self._scalar,
            lambda: {"prefix": self._affix_or_folded()},
            lambda: {"suffix": self._affix_or_folded()},
            lambda: {"equals-ignore-case": self._one_of(AFFIXES)},
            lambda: {"wildcard": self._one_of(WILD)},
            lambda: {"cidr": self._one_of(NETWORKS)},
            lambda: {"numeric": self._bounds()},
            lambda: {"numeric": [self._one_of(["=", "<", "<=", ">", ">="]), self._number()]},
            lambda: {"exists": self._one_of([True, False])},
            lambda: {"anything-but": self._affixes()},
            lambda: {"anything-but": [self._number()]},
            lambda: {"anything-but": {self._one_of(["prefix", "suffix"]): self._affixes()}},
            lambda: {"anything-but": {"equals-ignore-case": self._affixes()}},
            lambda: {"anything-but": {"wildcard": self._one_of(WILD)}},
        ]
        return self._one_of(makers)()

    def _leaf(self) -> list[Any]:
        return self._some(self._comparison, 2)

    def pattern(self) -> dict[str, Any]:
        plain = self._fields(self._field, self._one_of([1, 1, 2, 3]))
        if self._one_of([True, True, False]):
            return plain
        return {**plain, "$or": self._some(lambda: self._fields(self._leaf, 2), 3, least=2)}

    def _field(self) -> Any:
        return self._fields(self._leaf, 2) if self._random.random() < 1 / 3 else self._leaf()

    def event(self) -> Any:
        return self._fields(self._value, 3, least=self._one_of([0, 2, 3]))

    def _value(self) -> Any:
        return self._fields(self._texts, 2) if self._random.random() < 1 / 3 else self._texts()

    def _texts(self) -> Any:
        return self._one_of([self._scalar(), self._some(self._scalar, 3)])


def test_patterns_agree_with_moto() -> None:
    matched = 0
    for seed in range(PAIRS):
        making = Making(seed)
        pattern, event = making.pattern(), making.event()
        text = json.dumps(pattern)
        ours = compile_pattern(text).matches(event)
        assert ours == MotoPattern.load(text).matches_event(event), (seed, pattern, event)
        matched += ours
    assert PAIRS // 20 < matched < PAIRS - PAIRS // 20, "there are pairs of both kinds"


@pytest.mark.parametrize(("reason", "pattern", "event"), DEPARTURES, ids=[reason for reason, _, _ in DEPARTURES])
def test_moto_departs_from_aws(reason: str, pattern: str, event: Any) -> None:
    assert reason
    assert compile_pattern(pattern).matches(event) != MotoPattern.load(pattern).matches_event(event)
