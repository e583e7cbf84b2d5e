"""JSONata, held against two other implementations on generated expressions.

jsonata2py is in Python, and translates where this engine compiles to closures: an independent reading of the
language.  jsonata-js 2.0.6 is the reference implementation, in the version that Step Functions speaks; it is
asked where Node finds it.  Error codes are not compared: an expression fails in both, or in neither.

Both depart from what is right somewhere.  ``jsonata_departures.json`` has each departure that was found, with its
reason; each is tried, so that one that is mended does not stay excused.  The grammar generates what all agree
on, and so leaves out:

- members named like numbers, or twice in one object; arrays of one item, and empty ones, in the data;
- ranges, and what predicates leave, as items of an array constructor; predicates after a name;
- steps and operators after a grouping or an order-by; groupings and order-by of anything but rows and lists;
- calls on the sides of ``and`` and ``or``; regular expressions as functions; calls at the end of functions;
- transforms of what is no object; ``$0`` in a replacement of texts; decoding URLs;
- division by zero, texts that are no integer or begin like a hexadecimal number, and pictures for numbers that
  JavaScript writes with an exponent; exponents in pictures, with which jsonata-js does not end.

The features by themselves are tested in ``tests/expressions``.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.oracles.jsonata_answers import (
    FAILED,
    NOTHING,
    Answer,
    JsonataJs,
    agree,
    jsonata2py_answer,
    jsonata_js_problem,
    our_answer,
)
from tests.oracles.jsonata_expressions import document, expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

DEPARTURES = json.loads((Path(__file__).parent / "jsonata_departures.json").read_text(encoding="utf-8"))
DATA = DEPARTURES["data"]

# The seeds are fixed: what comes out here is a matter of the code, and not of chance.
QUESTIONS = [(expression(random), document(random)) for random in map(Random, range(1500))]
SHOWN = 5


def departures(name: str) -> list[Any]:
    return [pytest.param(departure, id=departure["reason"]) for departure in DEPARTURES[name]]


def answer_of(departure: dict[str, Any], whose: str) -> Answer:
    answer = departure[whose]
    return FAILED if "failed" in answer else Answer("value", answer["value"]) if "value" in answer else NOTHING


@pytest.fixture(scope="module")
def jsonata2py() -> ModuleType:
    module: ModuleType = pytest.importorskip("jsonata2py", reason="jsonata2py is not installed")
    return module


@pytest.fixture(scope="module")
def jsonata_js() -> Iterator[JsonataJs]:
    if problem := jsonata_js_problem():
        pytest.skip(problem)
    with JsonataJs() as reference:
        yield reference


def differences(theirs: Callable[[str, Any], Answer]) -> list[str]:
    """The shortest of the questions that are answered differently."""
    found = [
        f"{text}\n  data: {json.dumps(data)}\n  here: {ours}\n  theirs: {answer}"
        for text, data in sorted(QUESTIONS, key=lambda question: len(question[0]))
        if not agree(ours := our_answer(text, data), answer := theirs(text, data))
    ]
    return found[:SHOWN]


def test_jsonata2py_agrees(jsonata2py: ModuleType) -> None:
    found = differences(partial(jsonata2py_answer, jsonata2py))
    assert not found, "\n".join(found)


def test_the_reference_implementation_agrees(jsonata_js: JsonataJs) -> None:
    found = differences(jsonata_js.answer)
    assert not found, "\n".join(found)


def test_most_questions_have_an_answer() -> None:
    """The grammar means something: a change that makes it ask for errors only would be seen here."""
    kinds = Counter(our_answer(text, data).kind for text, data in QUESTIONS)
    assert kinds["value"] > len(QUESTIONS) / 3
    assert min(kinds["nothing"], kinds["failed"]) > 50


@pytest.mark.parametrize("departure", departures("jsonata2py"))
def test_where_jsonata2py_departs(jsonata2py: ModuleType, departure: dict[str, Any]) -> None:
    theirs = jsonata2py_answer(jsonata2py, departure["expression"], DATA)
    assert agree(theirs, answer_of(departure, "theirs"))
    assert not agree(theirs, our_answer(departure["expression"], DATA)), "it departs no longer"


@pytest.mark.parametrize("departure", departures("jsonata-js"))
def test_where_the_reference_implementation_departs(jsonata_js: JsonataJs, departure: dict[str, Any]) -> None:
    theirs = jsonata_js.answer(departure["expression"], DATA)
    assert agree(theirs, answer_of(departure, "theirs"))
    assert not agree(theirs, our_answer(departure["expression"], DATA)), "it departs no longer"


@pytest.mark.parametrize("departure", departures("jsonata2py"))
def test_the_reference_implementation_is_with_us(jsonata_js: JsonataJs, departure: dict[str, Any]) -> None:
    assert agree(jsonata_js.answer(departure["expression"], DATA), answer_of(departure, "right"))


@pytest.mark.parametrize("departure", [*departures("jsonata2py"), *departures("jsonata-js")])
def test_what_is_right(departure: dict[str, Any]) -> None:
    assert agree(our_answer(departure["expression"], DATA), answer_of(departure, "right"))
