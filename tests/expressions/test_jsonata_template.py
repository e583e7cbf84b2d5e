"""Fields of JSONata states: which strings are expressions, and what AWS says where one fails."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from asl_engine.errors import QueryFailure
from asl_engine.expressions.delimiters import is_expression
from asl_engine.expressions.jsonata import Bindings, compile_template_jsonata

STATES: Any = {"input": {"x": 1, "list": [1, 2], "s": "a"}, "context": {"State": {"Name": "S"}}}


def bindings(**variables: Any) -> Bindings:
    return Bindings(STATES, variables, Random(1))


def compiled(source: Any, where: str = "Output", *expected: str) -> Any:
    found: list[tuple[str, str]] = []
    template = compile_template_jsonata(source, where, lambda *finding: found.append(finding), *expected)
    assert found == []
    return template


VALUES = [
    ("{% $states.input.x %}", 1),
    ("{%$states.input.x%}", 1),
    ("{%\n  $states.input.x\t%}", 1),
    ({"a": "{% 1 + 1 %}", "b": ["{% 'x' %}", "y", 2]}, {"a": 2, "b": ["x", "y", 2]}),
    ({"n": None, "deep": {"er": [[{"x": "{% null %}"}]]}}, {"n": None, "deep": {"er": [[{"x": None}]]}}),
    ("{% $v %}", "variable"),
    (["{% $states.context.State.Name %}"], ["S"]),
]
LITERALS = [
    " {% 1 %}", "{% 1 %} ", "{% 1 }", "% 1 %", "{%}", "{% 1 %}.", "", "$states.input", "$.x", None, 0, 0.5, True,
    [], {}, [None, "a"], {"a.$": "$.b"},
]  # fmt: skip


@pytest.mark.parametrize(("source", "value"), VALUES, ids=str)
def test_expressions_are_evaluated(source: Any, value: Any) -> None:
    template = compiled(source)
    assert not template.static
    assert template.evaluate(bindings(v="variable")) == value


@pytest.mark.parametrize("source", LITERALS, ids=repr)
def test_everything_else_stands_for_itself(source: Any) -> None:
    template = compiled(source)
    assert template.static
    assert template.evaluate(bindings()) is source
    assert not is_expression(source)


def test_parts_without_expressions_are_shared() -> None:
    source: Any = {"static": {"a": [1, 2]}, "dynamic": {"x": "{% 1 %}", "kept": [3]}}
    before = json.dumps(source)
    template = compiled(source)
    value = template.evaluate(bindings())
    assert value["static"] is source["static"]
    assert value["dynamic"]["kept"] is source["dynamic"]["kept"]
    assert value is not template.evaluate(bindings())
    assert json.dumps(source) == before


def test_variables_are_known_beforehand() -> None:
    assert compiled({"a": "{% $x %}", "b": ["{% $states.input & $y %}"]}).variables == {"x", "y", "states"}
    assert compiled({"a": 1}).variables == frozenset()


def test_all_syntax_errors_are_reported_with_their_places() -> None:
    source: Any = {"a": "{% 1 + %}", "b": [{"c": "{% ) %}"}], "ok": "{% 1 %}"}
    assert refused(source) == [
        ("/a", "S0207: Unexpected end of expression", "INVALID_JSONATA_EXPRESSION"),
        ("/b[0]/c", 'S0211: The symbol ")" cannot be used as a unary operator', "INVALID_JSONATA_EXPRESSION"),
    ]


def refused(source: Any, where: str = "Output") -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []

    def report(place: str, message: str, code: str) -> None:
        found.append((place, message.partition("\n")[0], code))

    compile_template_jsonata(source, where, report)
    return found


def test_references_to_nothing_are_refused() -> None:
    assert refused({"v": "{% phone & $$.mobile %}"}) == [
        ("/v", "Reference to 'phone' at the top level is not supported.", "UNSUPPORTED_JSONATA_EXPRESSION"),
        ("/v", "There is no $$: the state's input is $states.input", "INVALID_JSONATA_EXPRESSION"),
    ]


def test_the_error_output_is_there_in_a_catch_only() -> None:
    source = "{% $states.errorOutput.Cause %}"
    assert refused(source, "Catch[0]/Output") == []
    assert refused(source) == [
        ("", "$states.errorOutput can only be read in the fields of a Catch", "INVALID_JSONATA_EXPRESSION"),
    ]


# source, field, types that are expected, location, the rest of the text
FAILURES: list[tuple[Any, str, tuple[str, ...], str, str]] = [
    ("{% $doesNotExist %}", "Output", (), "Output", "returned nothing (undefined)."),
    ({"result": "{% $doesNotExist %}"}, "Output", (), "Output/result", "returned nothing (undefined)."),
    ({"a": [1, "{% $doesNotExist %}"]}, "Output", (), "Output/a[1]", "returned nothing (undefined)."),
    (["{% $doesNotExist %}"], "Items", (), "Items[0]", "returned nothing (undefined)."),
    (
        "{% $randomSeeded(1) %}",
        "Assign/x",
        (),
        "Assign/x",
        "threw an error during evaluation. T1006: Attempted to invoke a non-function",
    ),
    (
        "{% 'a' + 1 %}",
        "Output",
        (),
        "Output",
        'threw an error during evaluation. T2001: The left side of the "+" operator must evaluate to a number',
    ),
    ("{% $fn := function($x){$x} %}", "Items", ("array",), "Items", "returned an unsupported result type."),
    *(
        (
            f"{{% {text} %}}",
            "Items",
            ("array",),
            "Items",
            f"returned an unexpected result type. Expected 'array', but was '{kind}' for value: {shown}",
        )
        for text, kind, shown in [
            ("true", "boolean", "true"),
            ("1", "number", "1"),
            ("0.5", "number", "0.5"),
            ("{'foo': 'bar'}", "object", '{"foo":"bar"}'),
            ("'string'", "string", '"string"'),
            ("null", "null", "null"),
        ]
    ),
    (
        "{% [] %}",
        "TimeoutSeconds",
        ("number", "string"),
        "TimeoutSeconds",
        "returned an unexpected result type. Expected 'number' or 'string', but was 'array' for value: []",
    ),
]


@pytest.mark.parametrize(("source", "where", "expected", "location", "text"), FAILURES, ids=str)
def test_failures(source: Any, where: str, expected: tuple[str, ...], location: str, text: str) -> None:
    with pytest.raises(QueryFailure) as caught:
        compiled(source, where, *expected).evaluate(bindings())
    assert caught.value.error == "States.QueryEvaluationError"
    assert caught.value.location == location
    assert caught.value.detail.endswith(f"' specified for the field '{location}' {text}")
    assert caught.value.detail.startswith("The JSONata expression '")


def test_the_expected_type_is_that_of_the_whole_field() -> None:
    assert compiled(["{% 1 %}"], "Items", "array").evaluate(bindings()) == [1]
    assert compiled("{% [1] %}", "Items", "array").evaluate(bindings()) == [1]
