"""Batches: in order, within both limits, and no smaller than need be."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.datasets import batches
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.json_values import Json, Missing

CASES: dict[str, tuple[list[Any], int | None, int | None, Any, list[Any]]] = {
    "by number": ([1, 2, 3], 2, None, MISSING, [{"Items": [1, 2]}, {"Items": [3]}]),
    "empty items": ([None, 0, "", False], 4, None, MISSING, [{"Items": [None, 0, "", False]}]),
    "no items": ([], 4, None, {"a": 1}, []),
    "with a batch input": ([1], 9, None, {"a": 1}, [{"BatchInput": {"a": 1}, "Items": [1]}]),
    "with a null batch input": ([1], 9, None, None, [{"BatchInput": None, "Items": [1]}]),
    "exactly the bytes": ([11, 22], None, len('{"Items":[11,22]}'), MISSING, [{"Items": [11, 22]}]),
    "a byte too many": ([11, 22], None, len('{"Items":[11,22]}') - 1, MISSING, [{"Items": [11]}, {"Items": [22]}]),
    "bytes of UTF-8": (["é", 1], None, len('{"Items":["é",1]}'), MISSING, [{"Items": ["é"]}, {"Items": [1]}]),
    "an item that alone is too large": (
        [1, "x" * 99, 2],
        None,
        50,
        MISSING,
        [{"Items": [1]}, {"Items": ["x" * 99]}, {"Items": [2]}],
    ),
}


@pytest.mark.parametrize(("items", "number", "size", "batch_input", "expected"), CASES.values(), ids=CASES)
def test_batches(
    items: list[Any], number: int | None, size: int | None, batch_input: Json | Missing, expected: list[Any]
) -> None:
    made = list(batches(items, number, size, batch_input))
    assert [json.loads(batch.input.text) for batch in made] == expected
    assert [batch.input.value for batch in made] == expected
    assert [batch.items for batch in made] == [len(batch["Items"]) for batch in expected]


def test_the_batch_input_comes_first() -> None:
    (batch,) = batches([1], 1, None, {"b": 1})
    assert batch.input.text == '{"BatchInput":{"b":1},"Items":[1]}'


def test_no_batch_is_larger_than_an_input_may_be() -> None:
    made = list(batches(["x" * 10_000] * 40, 100))
    assert [batch.items for batch in made] == [26, 14]
    assert len(next(iter(batches(["x" * 10_000] * 40, 100, limit=None))).input.text) > 262_144


def test_batches_are_made_lazily() -> None:
    def endless() -> Any:
        while True:
            yield 1

    assert next(iter(batches(endless(), 3))).items == 3


@settings(deadline=None)
@given(
    items=st.lists(st.text(max_size=9) | st.integers() | st.none(), max_size=30),
    number=st.none() | st.integers(1, 5),
    size=st.none() | st.integers(1, 120),
    batch_input=st.just(MISSING) | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
def test_batches_are_full_and_within_the_limits(
    items: list[Any], number: int | None, size: int | None, batch_input: Any
) -> None:
    made = list(batches(items, number, size, batch_input))
    values: list[Any] = [batch.input.value for batch in made]
    assert [item for value in values for item in value["Items"]] == items

    def fits(value: Any) -> bool:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return (number is None or len(value["Items"]) <= number) and (size is None or len(text.encode()) <= size)

    assert all(fits(value) or len(value["Items"]) == 1 for value in values)
    for value, following in pairwise(values):
        assert not fits({**value, "Items": [*value["Items"], following["Items"][0]]})
