"""Definitions in YAML: what they are in JSON, where things stand, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.errors import DefinitionError
from asl_engine.language.yaml import read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: yes", {"a": "yes"}),  # a string since YAML 1.2
        ("on: 2024-01-31", {"on": "2024-01-31"}),
        ("a: 2024-01-31T00:00:00Z", {"a": "2024-01-31T00:00:00Z"}),
        ("a: 1:30", {"a": "1:30"}),
        ("a: [1, -2, 0x1f, 0o17, 007]", {"a": [1, -2, 31, 15, 7]}),
        ("a: [1.5, .5, 1e3, 1., -0.0]", {"a": [1.5, 0.5, 1000.0, 1.0, -0.0]}),
        ("a: [~, null, true, FALSE]", {"a": [None, None, True, False]}),
        ("a:", {"a": None}),
        ("a: '1'", {"a": "1"}),
        ("a: !!str 1", {"a": "1"}),
        ("1: x", {"1": "x"}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        (
            "b: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\nd: *b",
            {"b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}, "d": {"x": 1, "y": 2}},
        ),
        (
            "b: &b {x: 1}\nc: &c {<<: *b, x: 2}\nd: [*c, *c]",
            {"b": {"x": 1}, "c": {"x": 2}, "d": [{"x": 2}, {"x": 2}]},
        ),
        ('{"a": ["{% $x %}"]}', {"a": ["{% $x %}"]}),
    ],
)
def test_values(text: str, value: object) -> None:
    assert json.loads(read_yaml(text, "m.yaml").text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Queue", "${Queue}"),
        ("!GetAtt Fn.Arn", "${Fn.Arn}"),
        ("!GetAtt [Fn, Arn]", "${Fn.Arn}"),
        ("!Sub arn:${AWS::Partition}:states:::x", "arn:${AWS::Partition}:states:::x"),
        ("!Sub 'arn:${Known}'", "arn:aws"),
        ("!Ref Known", "aws"),
    ],
)
def test_short_forms_of_references_are_placeholders(text: str, value: str) -> None:
    assert json.loads(read_yaml(f"a: {text}", "m.yaml", {"Known": "aws"}).text) == {"a": value}


def test_in_a_template_every_tag_is_read() -> None:
    text = 'a: !Sub ["x", {y: !GetAtt b.c}]\nb: !Condition D\nc: !If [e, !Ref f, 1]'
    assert json.loads(read_yaml(text, "t.yaml", template=True).text) == {
        "a": {"Fn::Sub": ["x", {"y": {"Fn::GetAtt": "b.c"}}]},
        "b": {"Condition": "D"},
        "c": {"Fn::If": ["e", {"Ref": "f"}, 1]},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", ":2:1: This is not YAML: "),
        ("a: 1\n b: 2", ":2:3: This is not YAML: "),
        ("a: 1\na: 2", ":2:1: The key 'a' is given twice"),
        ("a: !Join x", ":1:4: The tag !Join is not part of a definition; write ${Name}"),
        ("a: !Sub [x, {y: z}]", ":1:4: The tag !Sub is not part"),
        ("a: !GetAtt [[x]]", ":1:4: The tag !GetAtt is not part"),
        ("a: !Ref [x]", ":1:4: The tag !Ref is not part"),
        ("a: !!binary x", ":1:4: The tag binary is not part of a definition"),
        ("a: &x [*x]", ":1:"),
        ("? [1]\n: 2", ":1:3: A key has to be a string"),
        ("a: .nan", ":1:4: JSON has no number .nan"),
        ("a: 1e999", ":1:4: JSON has no number 1e999"),
        ("a: \x00", ": This is not YAML: "),
        ("--- 1\n--- 2", ":2:1: This is not YAML: "),
        ("a: *b", ":1:4: This is not YAML: "),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_yaml(text, "m.yaml")
    assert str(refused.value).startswith(f"m.yaml{message}")


def test_aliases_cannot_grow_without_end() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(DefinitionError, match="The aliases of this document make more of it"):
        read_yaml("\n".join(rows), "m.yaml")


@pytest.mark.parametrize("opening", ["[", "- ", "{a: "])
def test_what_is_nested_too_deeply(opening: str) -> None:
    with pytest.raises(DefinitionError):
        read_yaml(opening * 20_000, "m.yaml")


def test_positions() -> None:
    source = read_yaml(
        "StartAt: A\nStates:\n  A:\n    Type: Task\n    Retry:\n      - x: 1\n      - y: 2\n", "m.yaml"
    )
    assert source.locate("/States/A/Type") == (4, 5)
    assert source.locate("/States/A/Retry[1]/y") == (7, 9)
    assert source.locate("/States/A/Catch[0]/Next") == (3, 3)  # what is missing is missing there
    assert source.locate("/Nowhere") == (1, 1)


def test_nothing() -> None:
    assert read_yaml("# only a comment\n", "m.yaml").text == ""


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_what_a_writer_of_yaml_writes_is_read_as_the_same(value: Any) -> None:
    text = yaml.safe_dump({"value": value})
    assert json.loads(read_yaml(text, "m.yaml").text) == {"value": value}
