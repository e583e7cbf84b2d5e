"""Texts that are put together read as the text that is written for the value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine import splicing
from asl_engine.errors import StatesError
from asl_engine.expressions.errors import ResultPathError
from asl_engine.expressions.jsonpath.reference import ReferencePath
from asl_engine.json_text import TooDeep, dumps
from asl_engine.json_values import MAX_DEPTH
from asl_engine.payload import Payload
from asl_engine.splicing import Slice, Spliced, part, put

if TYPE_CHECKING:
    from collections.abc import Iterator

quick = settings(max_examples=150, deadline=None)
KEYS = st.sampled_from(["a", "b", "ab", 'q"a', "b\\", "ключ", "", "x\ny", '"a":1'])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.sampled_from([0.5, 1e22, -0.0, 10**30])
    | st.text(max_size=3)
    | st.sampled_from(['{"a":1}', "😀", "\u2028", "\\"])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)
STEPS = st.lists(KEYS | st.integers(-3, 3), min_size=1, max_size=4)


@pytest.fixture(autouse=True, scope="module")
def _of_any_length() -> Iterator[None]:
    """Short texts are treated as long ones are, and nearly nothing as brief."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splicing, "LARGE", 0)
        patch.setattr(splicing, "SHORT", 1)
        patch.setattr(splicing, "MOST_PARTS", 0)
        yield


@st.composite
def steps_in(draw: st.DrawFn, document: Any) -> list[str | int]:
    """Steps that as often as not lead somewhere, and then perhaps one further."""
    if draw(st.integers(0, 3)) == 0:
        return draw(STEPS)
    steps: list[str | int] = []
    node = document
    while node and isinstance(node, list | dict) and draw(st.integers(0, 3)):
        keys: list[Any] = list(node) if isinstance(node, dict) else list(range(-len(node), len(node)))
        steps.append(draw(st.sampled_from(keys)))
        node = node[steps[-1]]  # type: ignore[index, call-overload]
    return [*steps, *draw(st.lists(KEYS, min_size=not steps, max_size=2))]


def shaped(text: str, form: int) -> Payload:
    """The payload of a text as it comes: spaced, escaped, compact; known to be so or not."""
    value = json.loads(text)
    forms = (json.dumps(value), json.dumps(value, indent=1), f" {text}\n", text)
    if form < len(forms):
        return Payload.of_text(forms[form])
    return Payload(value)


FORMS = st.integers(0, 4)


@given(st.data(), DOCUMENTS, FORMS, st.sampled_from([0, 20, 5000]), st.sampled_from([0, 2, 64]))
@quick
def test_what_is_put_reads_as_it_would_be_written(
    data: st.DataObject, document: Any, form: int, brief: int, few: int
) -> None:
    """However often something is put, also into what has been put together."""
    payload, model = shaped(dumps(document), form), document
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splicing, "BRIEF", brief)
        patch.setattr(splicing, "FEW", few)
        for _ in range(data.draw(st.integers(1, 4))):
            steps = data.draw(steps_in(model))
            inserted = shaped(dumps(data.draw(DOCUMENTS)), data.draw(FORMS))
            if data.draw(st.booleans()) and data.draw(st.booleans()):
                inserted = payload  # into itself
            try:
                model = ReferencePath("$", tuple(steps)).put(payload.value, inserted.value)
            except ResultPathError:
                continue
            payload = put(payload, steps, inserted, model, kept=data.draw(st.booleans()))
            assert payload.length == len(dumps(model))
            assert payload.size == len(dumps(model).encode())
            if data.draw(st.booleans()):  # or it is not asked for
                assert payload.text == dumps(model)
            assert dumps(payload.value) == dumps(model)
        assert payload.compact.text == dumps(model)


@given(st.data(), DOCUMENTS, FORMS)
@quick
def test_a_part_reads_as_it_would_be_written(data: st.DataObject, document: Any, form: int) -> None:
    base = shaped(dumps(document), form)
    assert base.compact.text == dumps(document)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splicing, "_is_brief", lambda value: isinstance(value, list) and len(value) > 3)
        steps = data.draw(steps_in(document))
        try:
            value = document
            for step in steps:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            return
        if isinstance(value, str) and isinstance(steps[-1], int):
            return  # a character is no part
        found = part(base.compact, steps, value)
        assert found.text == dumps(value)
        assert found.length == len(dumps(value))
