"""Texts that are put together read as the text that is written for the value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine import json_places, splicing
from asl_engine.expressions.errors import ResultPathError
from asl_engine.expressions.jsonpath.reference import ReferencePath
from asl_engine.json_text import TooDeep, dumps, loads, rewritten
from asl_engine.json_values import MAX_DEPTH
from asl_engine.payload import Payload
from asl_engine.splicing import Extract, Spliced, array, made_from, part, put

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
        node = node[steps[-1]]  # type: ignore[index]
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
        patch.setattr(json_places, "BRIEF", brief)
        patch.setattr(json_places, "FEW", few)
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
        patch.setattr(splicing, "is_brief", lambda value: isinstance(value, list) and len(value) > 3)
        steps = data.draw(steps_in(document))
        try:
            value = document
            for step in steps:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            return
        if isinstance(value, str) and isinstance(steps[-1], int):
            return  # a character is no part
        found = part(base, steps, value)
        assert found.text == dumps(value)
        assert found.length == len(dumps(value))


@given(st.data(), st.lists(DOCUMENTS, min_size=1, max_size=4))
@quick
def test_an_array_reads_as_it_would_be_written(data: st.DataObject, documents: list[Any]) -> None:
    items = [shaped(dumps(document), data.draw(FORMS)) for document in documents]
    assert array(items).text == dumps(documents)
    nested = array([array(items), items[0]])
    assert nested.text == dumps([documents, documents[0]])
    assert array([]).text == "[]"


@given(st.data(), st.lists(DOCUMENTS, min_size=1, max_size=2))
@quick
def test_what_is_made_from_others_reads_as_it_would_be_written(data: st.DataObject, documents: list[Any]) -> None:
    """Parts of them stand in it, wherever they do."""
    bases = [shaped(dumps(document), data.draw(FORMS)) for document in documents]
    assert all(base.text for base in bases)
    parts = [node for base in bases for node in _nodes(base.value)]
    value = data.draw(
        st.recursive(
            st.sampled_from(parts) | SCALARS,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
            max_leaves=6,
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splicing, "is_brief", lambda value: not isinstance(value, list | dict))
        assert made_from(value, *bases).text == dumps(value)


def _nodes(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize("wide", [0, MAX_DEPTH])
@pytest.mark.parametrize("levels", [MAX_DEPTH - 3, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH])
@pytest.mark.parametrize("steps", [["new"], ["in", "new"], ["new", "er"]])
def test_what_is_too_deep_together_is_told_when_its_text_is_wanted(
    levels: int, wide: int, steps: list[str | int]
) -> None:
    """As it is told of what is written anew; many brackets alone are no depth."""
    document: Any = {"wide": [[]] * wide, "in": {}}
    base, inserted = Payload.of_text(dumps(document)), Payload.of_text(dumps(nested(levels)))
    value = ReferencePath("$", tuple(steps)).put(base.value, inserted.value)
    attempts = (
        (put(base, steps, inserted, value, kept=True), levels + len(steps)),
        (array([inserted, base]), levels + 1),
        (made_from({"a": {"b": inserted.value}}, base, inserted), levels + 2),
    )
    for payload, depth in attempts:
        if depth > MAX_DEPTH:
            with pytest.raises(TooDeep):
                payload.length  # noqa: B018  it has to be found out
            with pytest.raises(TooDeep):
                payload.text  # noqa: B018  likewise
        else:
            assert payload.text == dumps(payload.value)


def test_a_large_text_is_referred_to_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splicing, "LARGE", 1024)
    monkeypatch.setattr(splicing, "SHORT", 128)
    monkeypatch.setattr(splicing, "MOST_PARTS", 4)
    document: dict[str, Any] = {"meta": 1, "body": ["x" * 60] * 40}
    base, small = Payload.of_text(json.dumps(document)), Payload({"n": 1})
    once = put(base, ["r"], small, {**document, "r": {"n": 1}}, kept=False)
    twice = put(once, ["meta"], small, {**document, "meta": {"n": 1}, "r": {"n": 1}}, kept=False)
    length = len(dumps(document))
    assert isinstance(twice, Spliced)
    assert twice.pieces == (
        '{"meta":{"n":1}',
        Extract(base, len('{"meta":1'), length - 1),
        ',"r":{"n":1}}',
    )
    assert isinstance(part(twice, ["body"], document["body"]), Spliced)
    assert not isinstance(part(twice, ["r"], {"n": 1}), Spliced)
    large = Payload.of_text(dumps(document["body"]))
    unkept = put(base, ["r"], large, {**document, "r": large.value}, kept=False)
    assert not isinstance(unkept, Spliced)  # nobody could refer to half of it
    kept = put(base, ["r"], large, {**document, "r": large.value}, kept=True)
    assert isinstance(kept, Spliced)
    assert [piece.source for piece in kept.pieces if isinstance(piece, Extract)] == [base, large]


@given(
    st.recursive(
        SCALARS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1e-5, 1e-7]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    )
)
@quick
def test_what_was_read_is_written_as_anything_is(value: Any) -> None:
    """Whichever encoder does it."""
    text = json.dumps(value)
    assert rewritten(loads(text)) == dumps(loads(text))


def test_the_fast_encoder_is_used_only_where_it_writes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from asl_engine import json_text

    monkeypatch.setattr(json_text, "_fast_encoder", lambda: None)
    assert rewritten([1e-5, {"a": 1e22}]) == '[1e-05,{"a":1e+22}]'
    with pytest.raises(TooDeep):
        rewritten(nested(MAX_DEPTH + 1))
    assert rewritten(nested(MAX_DEPTH)) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


@pytest.mark.parametrize("other", [{"i": 5}, {"i": 57}, {"j": 5}])
def test_between_large_values_a_member_is_found_if_its_text_is_there_once(other: dict[str, int]) -> None:
    rows = [{"k": "x" * 90, "n": n} for n in range(40)]
    document: dict[str, Any] = {"before": [other, *rows], "i": 5, "after": rows}
    value = {**document, "i": {"new": 1}}
    payload = put(Payload.of_text(dumps(document)), ["i"], Payload({"new": 1}), value, kept=True)
    assert payload.text == dumps(value)
    assert isinstance(payload, Spliced) == ("j" in other)
