"""Expressions and conditions, as they are asked while an execution is held."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.core.apply import fold
from asl_engine.core.events import ExecutionStarted
from asl_engine.debugging.places import Standpoint, View
from asl_engine.debugging.questions import compile_question, is_true
from asl_engine.errors import InvalidInput
from asl_engine.json_values import MISSING
from asl_engine.payload import Payload
from tests.core.driver import IDENTITY, NOW
from tests.debugging.machines import MACHINES
from tests.debugging.sessions import setup_of

DATA: dict[str, Any] = {"n": 7, "text": "a > b", "list": [1, 2], "none": None, "odd name": {"==": 1}}


def view() -> View:
    """Before the first state of a machine, with a variable."""
    execution = fold(IDENTITY, [ExecutionStarted(1, 1, 0, NOW, 0, Payload(DATA))])
    execution.frames[0].variables = {"v": 5}
    return View(setup_of(MACHINES["row"]).machine, execution, Standpoint(IDENTITY.arn, 1, 0, "before"), live=True)


ANSWERS: list[tuple[str, str, Any]] = [
    ("JSONPath", "$.n", 7),
    ("JSONPath", "$", DATA),
    ("JSONPath", "$.nothing", MISSING),
    ("JSONPath", "$.list[*]", [1, 2]),
    ("JSONPath", "$v", 5),
    ("JSONPath", "$$.State.Name", "Double"),
    ("JSONPath", "States.MathAdd($.n, $v)", 12),
    ("JSONPath", "$.n > 6", True),
    ("JSONPath", "$.n>=8", False),
    ("JSONPath", "$.n == $v", False),
    ("JSONPath", "$.n != $v", True),
    ("JSONPath", "$.text == 'a > b'", True),
    ("JSONPath", '$.text == "a > b"', True),
    ("JSONPath", "$.text > 5", False),
    ("JSONPath", "$.n == '7'", False),
    ("JSONPath", "$.n != '7'", True),
    ("JSONPath", "$.none == null", True),
    ("JSONPath", "$.nothing == null", False),
    ("JSONPath", "$.nothing != null", True),
    ("JSONPath", "$.n == true", False),
    ("JSONPath", "$['odd name']['=='] <= 1", True),
    ("JSONPath", "States.ArrayLength($.list) == 2", True),
    ("JSONPath", '{"Variable": "$.n", "NumericGreaterThan": 6}', True),
    ("JSONPath", '{"Not": {"Variable": "$.n", "IsString": true}}', True),
    ("JSONPath", "$sum($states.input.list)", 3),
    ("JSONPath", "{% $v * 2 %}", 10),
    ("JSONata", "$states.input.n > 6 and $v = 5", True),
    ("JSONata", "$states.context.State.Name", "Double"),
    ("JSONata", "$states.input.nothing", MISSING),
]


@pytest.mark.parametrize(("language", "text", "value"), ANSWERS, ids=[case[1] for case in ANSWERS])
def test_what_an_expression_is(language: str, text: str, value: Any) -> None:
    found = compile_question(text, language).ask(view())
    assert found is value if value is MISSING else (found, type(found)) == (value, type(value))


REFUSED: list[tuple[str, str, str]] = [
    ("JSONPath", "", "an expression is needed"),
    ("JSONPath", "$.[", "this is no expression"),
    ("JSONPath", "$.n > x", "'x' cannot be compared with"),
    ("JSONPath", "{", "this is no Choice rule, as it is no JSON"),
    ("JSONPath", '{"Variable": "$.n"}', "this is no Choice rule: A Choice rule must have exactly one operator"),
    ("JSONPath", "States.Nothing($)", "this is no expression"),
    ("JSONPath", "{% $v", "ends with %}"),
    ("JSONata", "$v +", "this is no expression"),
    ("JSONata", "total > 5", "'total' refers to nothing"),
]


@pytest.mark.parametrize(("language", "text", "message"), REFUSED, ids=[case[1] for case in REFUSED])
def test_what_is_no_expression(language: str, text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compile_question(text, language)
    assert message in str(refused.value)


FAILING: list[tuple[str, str, str]] = [
    ("JSONPath", "States.MathAdd($.text, 1)", "States.MathAdd($.text, 1): "),
    ("JSONPath", '{"Variable": "$.nothing", "IsString": true}', "Invalid path '$.nothing'"),
    ("JSONata", "$states.input.text + 1", "$states.input.text + 1: T2001"),
    ("JSONata", "function($x) {$x}", "its value is not JSON"),
    ("JSONata", "($f := function($x) {$f($x)}; $f(1))", "$f"),
]


@pytest.mark.parametrize(("language", "text", "message"), FAILING, ids=[case[1] for case in FAILING])
def test_what_cannot_be_evaluated(language: str, text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compile_question(text, language).ask(view())
    assert message in str(refused.value)


def test_what_is_true() -> None:
    true: tuple[Any, ...] = (True, 1, -0.5, "x", [0], {"a": None})
    false: tuple[Any, ...] = (MISSING, None, False, 0, 0.0, "", [], {})
    assert all(is_true(value) for value in true)
    assert not any(is_true(value) for value in false)


def test_a_defect_is_told_as_what_it_is() -> None:
    def broken(_: View) -> Any:
        raise LookupError("nobody")

    question = compile_question("$.n", "JSONPath")._replace(answer=broken)
    with pytest.raises(InvalidInput, match=r"\$\.n: LookupError: nobody"):
        question.ask(view())
