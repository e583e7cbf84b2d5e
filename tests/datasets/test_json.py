"""JSON and JSON Lines: what is an item, what is none, and where it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.datasets.json_text import json_items
from asl_engine.datasets.jsonl import json_lines, lines
from asl_engine.errors import StatesError

if TYPE_CHECKING:
    from tests.datasets.conftest import Items, Lay

ARRAYS: dict[str, tuple[str, list[Any]]] = {
    "items that are false or empty": ('[0, false, "", null, [], {}]', [0, False, "", None, [], {}]),
    "no items": (" [ \n ] ", []),
    "numbers at the end": ("[1,-2.5e3,12345]", [1, -2500.0, 12345]),
    "a name given twice": ('[{"a":1,"a":2}]', [{"a": 2}]),
    "a byte order mark": ("\ufeff[1]", [1]),
    "escapes": (r'["\u00e9\ud83d\ude00\\\"]"]', ['é😀\\"]']),
    "brackets in text": ('["]", "[", "}"]', ["]", "[", "}"]),
}


@pytest.mark.parametrize(("text", "expected"), ARRAYS.values(), ids=ARRAYS)
def test_the_elements_of_an_array_are_the_items(lay: Lay, items: Items, text: str, expected: list[Any]) -> None:
    found = items(lay("a.json", text), InputType="JSON")
    assert [item.value for item in found] == expected
    assert all(item.key is None and item.source == "s3://data/a.json" for item in found)


def test_the_members_of_an_object_are_items_with_keys(lay: Lay, items: Items) -> None:
    found = items(lay("o.json", '{"a": 1, "b": null}'), InputType="JSON")
    assert [(item.key, item.value) for item in found] == [("a", 1), ("b", None)]
    assert found[0].input == {"Key": "a", "Value": 1}


NESTED = '{"x": {"]": "}", "deep": [{"a": [0]}, {"a": [1, 2]}]}, "a/b": {"~": [7]}, "": [8], "n": 1}'
POINTERS: dict[str, tuple[str, list[Any]]] = {
    "a member of an element": ("/x/deep/1/a", [1, 2]),
    "an array": ("/x/deep", [{"a": [0]}, {"a": [1, 2]}]),
    "escaped names": ("/a~1b/~0", [7]),
    "an empty name": ("/", [8]),
    "an object": ("/x", ["}", [{"a": [0]}, {"a": [1, 2]}]]),
}


@pytest.mark.parametrize(("pointer", "expected"), POINTERS.values(), ids=POINTERS)
def test_items_pointer_selects_the_items(lay: Lay, items: Items, pointer: str, expected: list[Any]) -> None:
    found = items(lay("n.json", NESTED), InputType="JSON", ItemsPointer=pointer)
    assert [item.value for item in found] == expected


BAD: dict[str, tuple[str, dict[str, str], str]] = {
    "a cut text": ('[1,\n {"a": "b', {}, "(line 2, column 8, byte 11)"),
    "a missing bracket": ("[1, 2", {}, "expected a comma or ] (line 1, column 6, byte 5)"),
    "a second comma": ("[1,,2]", {}, "line 1, column 4"),
    "a last comma": ("[1,]", {}, "line 1, column 4"),
    "NaN": ("[1, NaN]", {}, "NaN is not a JSON value"),
    "an infinite number": ("[1e999]", {}, "too large"),
    "half a character": (r'["\ud800"]', {}, "half of a surrogate pair"),
    "nothing": ("", {}, "it ends where an array or an object has to begin (line 1, column 1, byte 0)"),
    "two scalars": ("5 6", {}, "more text behind the end of the JSON value (line 1, column 3, byte 2)"),
    "two values": ("[1]\n[2]", {}, "more text behind the end of the JSON value (line 2, column 1, byte 4)"),
    "not JSON": ("a,b\n1,2", {}, "Expecting value (line 1, column 1, byte 0)"),
    "half a literal": ("tru", {}, "Expecting value (line 1, column 1, byte 0)"),
    "a name without quotes": ("{a: 1}", {}, "expected the name of a member"),
    "no colon": ('{"a" 1}', {}, "expected a colon"),
    "too deep": ("[" * 100_000, {}, "nested too deeply"),
    "an item that is too deep": (f"[{'[' * 600}{']' * 600}]", {}, "nested too deeply (line 1, column 2, byte 1)"),
    "a pointer to nothing": (NESTED, {"ItemsPointer": "/x/y"}, "ItemsPointer /x/y selects nothing"),
    "a pointer behind the end": (NESTED, {"ItemsPointer": "/x/deep/2"}, "selects nothing"),
    "a pointer through a scalar": (NESTED, {"ItemsPointer": "/n/1"}, "selects nothing"),
    "a pointer without a slash": (NESTED, {"ItemsPointer": "x"}, "has to begin with /"),
    "a pointer into an empty object": ("{}", {"ItemsPointer": "/x"}, "selects nothing"),
    "a pointer in a cut text": ('{"a": [[', {"ItemsPointer": "/b"}, "line 1"),
}


@pytest.mark.parametrize(("text", "config", "cause"), BAD.values(), ids=BAD)
def test_what_is_not_json_is_located(
    lay: Lay, items: Items, text: str, config: dict[str, str], cause: str
) -> None:
    with pytest.raises(StatesError) as caught:
        items(lay("a.json", text), InputType="JSON", **config)
    assert caught.value.error == "States.ItemReaderFailed"
    assert caught.value.cause is not None
    assert caught.value.cause.startswith("s3://data/a.json cannot be read: ")
    assert cause in caught.value.cause


@pytest.mark.parametrize("scalar", ["12", '"text"', "null", "true", " 1.5e3 ", '""'])
@pytest.mark.parametrize("pointer", [None, "/n", "/list/1"])
def test_json_without_items_fails_in_the_words_of_aws(
    lay: Lay, items: Items, scalar: str, pointer: str | None
) -> None:
    text = scalar if pointer is None else f'{{"n": {scalar}, "list": [[], {scalar}]}}'
    with pytest.raises(StatesError) as caught:
        items(lay("a.json", text), InputType="JSON", **({} if pointer is None else {"ItemsPointer": pointer}))
    assert (caught.value.error, caught.value.cause) == (
        "States.ItemReaderFailed",
        "Attempting to map over non-iterable node.",
    )


def test_what_is_not_utf8_is_located(lay: Lay, items: Items) -> None:
    with pytest.raises(StatesError, match=r"not UTF-8 text at byte 3 \(e9 22 5d\)"):
        items(lay("a.json", b'["x\xe9"]'), InputType="JSON")


def test_items_before_a_fault_are_read(lay: Lay, items: Items) -> None:
    assert [item.value for item in items(lay("a.json", "[1, 2, x"), 2, InputType="JSON")] == [1, 2]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(values=st.lists(values), ascii_only=st.booleans(), indent=st.none() | st.just(2), size=st.integers(1, 9))
def test_pieces_of_any_size_give_the_same_items(
    values: list[Any], ascii_only: bool, indent: int | None, size: int
) -> None:
    text = json.dumps(values, ensure_ascii=ascii_only, indent=indent)
    text = text.encode("utf-8", "replace").decode()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert [value for _, value in json_items(pieces)] == json.loads(text)


@settings(deadline=None)
@given(values=st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers()), size=st.integers(1, 5))
def test_a_pointer_finds_every_member(values: dict[str, int], size: int) -> None:
    text = json.dumps({"before": {"x": "]}"}, "it": {key: [value] for key, value in values.items()}})
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    for key, value in values.items():
        pointer = "/it/" + key.replace("~", "~0").replace("/", "~1")
        assert list(json_items(pieces, pointer)) == [(None, value)]


def test_json_lines(lay: Lay, items: Items) -> None:
    found = items(lay("l.jsonl", '\ufeff{"a":1}\r\n\n  \n"\u2028"\nnull\n3'), InputType="JSONL")
    assert [item.value for item in found] == [{"a": 1}, "\u2028", None, 3]


BAD_LINES = {
    "not JSON": ("1\n\n{'a'}", "line 3 is not JSON"),
    "two values": ("1\n2 3", "line 2 is not JSON: Extra data (column 3)"),
    "NaN": ("NaN", "line 1 is not JSON: NaN is not a JSON value"),
    "too deep": ("[" * 600 + "]" * 600, "line 1 is not JSON: the value is nested too deeply"),
}


@pytest.mark.parametrize(("text", "cause"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_line_that_is_not_json_is_located(lay: Lay, items: Items, text: str, cause: str) -> None:
    with pytest.raises(StatesError) as caught:
        items(lay("l.jsonl", text), InputType="JSONL")
    assert caught.value.cause is not None
    assert cause in caught.value.cause


@settings(deadline=None)
@given(text=st.text("ab\n\r", max_size=40), size=st.integers(1, 5))
def test_lines_of_pieces_are_the_lines(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    expected = text.split("\n")
    assert list(lines(pieces)) == (expected if expected[-1] else expected[:-1])


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.datasets.jsonl.MAX_ITEM_BYTES", 10)
    with pytest.raises(Exception, match="line 2 has more than 10 bytes"):
        list(json_lines(["1\n", "22222", "22222", "2"]))


def test_an_item_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.datasets.json_text.MAX_ITEM_BYTES", 10)
    with pytest.raises(Exception, match=r"an item has more than 10 bytes \(line 1, column 4, byte 3\)"):
        list(json_items(["[1,", '"aaaaa', "aaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaa"]))
