"""From a location in a definition to the line and column in its text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asl_engine.json_text import JsonSyntaxError, loads_strict
from asl_engine.language.positions import locate

MACHINE = """\
{
  "StartAt": "Pay",
  "States": {
    "Pay": {
      "Type": "Task",
      "Retry": [
        {"ErrorEquals": ["E"], "BackoffRate": 2}, {"ErrorEquals": []}
      ],
      "Catch": [[1, [2]], 3]
    },
    "Pay/Retry": {"Type": "Pass"},
    "Pay[0]": {"Type":
      "Fail"},
    "Payment": 1, "a/b": 2, "a": {"b/c": {"d": 3}, "b": 4},
    "x": {"y/z": 5}, "x/y": {"w": 6},
    "\\u00e9\\"": {"\\uD83D\\uDE00": 7}, "\U0001f600": 8, "": {"": 9}
  }
}
"""

FOUND = {
    "": (1, 1),
    "/StartAt": (2, 3),
    "/States": (3, 3),
    "/States/Pay": (4, 5),
    "/States/Pay/Type": (5, 7),
    "/States/Pay/Retry[0]": (7, 9),
    "/States/Pay/Retry[0]/BackoffRate": (7, 32),
    "/States/Pay/Retry[0]/ErrorEquals[0]": (7, 26),
    "/States/Pay/Retry[1]/ErrorEquals": (7, 52),
    "/States/Pay/Catch[0][1][0]": (9, 22),
    "/States/Pay/Catch[1]": (9, 27),
    # keys that look like steps
    "/States/Pay/Retry": (11, 5),
    "/States/Pay/Retry/Type": (11, 19),
    "/States/Pay[0]": (12, 5),
    "/States/Pay[0]/Type": (12, 16),
    "/States/Payment": (14, 5),
    "/States/a/b": (14, 19),
    "/States/a/b/c": (14, 35),
    "/States/a/b/c/d": (14, 43),
    "/States/x/y/z": (15, 11),
    "/States/x/y/w": (15, 30),
    # escapes in keys; a character is one column, however many bytes it has
    '/States/é"': (16, 5),
    '/States/é"/\U0001f600': (16, 18),
    "/States/\U0001f600": (16, 38),
    "/States/": (16, 46),
    "/States//": (16, 51),
}
MISSING = {
    "nothing like it": ("nonsense", (1, 1)),
    "a missing field at the top": ("/Comment", (1, 1)),
    "a missing field": ("/States/Pay/Next", (4, 5)),
    "two missing steps": ("/States/Pay/Parameters/a", (4, 5)),
    "a missing field of an element": ("/States/Pay/Retry[1]/BackoffRate", (7, 51)),
    "a missing element": ("/States/Pay/Retry[7]", (11, 5)),
    "an element of what is no array": ("/States/Payment[0]", (14, 5)),
    "a member of what is no object": ("/States/Payment/Type", (14, 5)),
    "a member of a string": ("/StartAt/Type", (2, 3)),
    "only part of a key": ("/Start", (1, 1)),
    "more than a key": ("/StartAtOnce", (1, 1)),
}


@pytest.mark.parametrize(("location", "position"), FOUND.items())
def test_what_exists_is_found(location: str, position: tuple[int, int]) -> None:
    assert locate(MACHINE, location) == position


@pytest.mark.parametrize(("location", "position"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_put_down_to_its_nearest_ancestor(location: str, position: tuple[int, int]) -> None:
    assert locate(MACHINE, location) == position


@pytest.mark.parametrize("text", ["", "{", '{"a": 1,}', "NaN", "[" * 100_000, "{} {}", '\ufeff{"a": 1}'])
def test_what_is_not_json_has_no_places(text: str) -> None:
    assert locate(text, "/a") is None


TEXTS = {
    "blank lines before": ("\n \n  [1]", "", (3, 3)),
    "nothing to go into": ("null", "/a", (1, 1)),
    "empty object": ("{ }", "/a", (1, 1)),
    "empty array": ("[\n]", "[0]", (1, 1)),
    "no white space": ('{"a":[1,{"b":2}]}', "/a[1]/b", (1, 10)),
    "white space everywhere": ('{\t"a" :\r\n[ 1\n,\n { "b" :2 } ] }', "/a[1]/b", (4, 4)),
    "carriage returns": ('{\r\n"a": 1,\r\n"b": 2}', "/b", (3, 1)),
    "a key given twice": ('{"a": 1, "a": {"b": 2}}', "/a", (1, 10)),
    "brackets in strings": ('{"}]": "{[", "a": 1}', "/a", (1, 14)),
}


@pytest.mark.parametrize(("text", "location", "position"), TEXTS.values(), ids=TEXTS)
def test_any_layout_will_do(text: str, location: str, position: tuple[int, int]) -> None:
    assert locate(text, location) == position


def test_every_place_of_the_order_machine_is_found() -> None:
    text = (Path(__file__).parents[2] / "statemachines" / "order.json").read_text(encoding="utf-8")
    lines = text.splitlines()
    places = list(_places(json.loads(text), ""))
    assert len(places) > 40
    for location, name in places:
        position = locate(text, location)
        assert position is not None
        line, column = position
        assert lines[line - 1][column - 1 :].startswith(name), location


def _places(value: object, location: str) -> list[tuple[str, str]]:
    """Every location in ``value`` with how the text begins there."""
    places: list[tuple[str, str]] = []
    if isinstance(value, dict):
        for key, child in value.items():
            places += [(f"{location}/{key}", f'"{key}": '), *_places(child, f"{location}/{key}")]
    elif isinstance(value, list):
        for index, child in enumerate(value):
            begin = "{" if isinstance(child, dict) else json.dumps(child)
            places += [(f"{location}[{index}]", begin), *_places(child, f"{location}[{index}]")]
    return places


REPEATED = {
    "in the first line": ('{"a": 1, "a": 2}', (1, 10)),
    "in another line, of another spelling": ('{\n  "é": {"b": 1},\n  "\\u00e9" : 2\n}', (3, 3)),
    "in an inner object": ('{"a": {"b": 1},\n "b": [{}, {"b": 1,\t"b": 2}]}', (2, 21)),
    "after the same key in others": ('[{"a": 1}, {"a": {"a": "a"}},\n{"a": "{", "b": ["a"], "a": 1}]', (2, 24)),
    "before what is no JSON": ('{"s": {"a": "\\"a\\":", "a": 1},\n nothing}', (1, 23)),
    "in a key with quotes": ('{"\\"": 1, "\\"": 2}', (1, 11)),
}


@pytest.mark.parametrize(("text", "position"), REPEATED.values(), ids=REPEATED)
def test_a_key_that_is_given_twice(text: str, position: tuple[int, int]) -> None:
    with pytest.raises(JsonSyntaxError, match="is given twice in one object") as refused:
        loads_strict(text)
    assert (refused.value.line, refused.value.column) == position
