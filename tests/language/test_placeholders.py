"""Placeholders, and what a definition's text is once they are filled."""

from __future__ import annotations

import json

import pytest

import asl_engine
from asl_engine.errors import DefinitionError
from asl_engine.language.document import load_source, read_source
from asl_engine.language.placeholders import placeholders, substitute


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("a ${B} c", {"B": "x"}, "a x c"),
        ("${B}${B}", {"B": "x"}, "xx"),
        ("${A}${B}", {"A": "${B}", "B": "x"}, "${B}x"),  # what was filled in is not looked at again
        ("${A} ${C}", {"A": "1"}, "1 ${C}"),
        ("$${A}", {"A": "1"}, "$1"),
        ("${ A } {A} $A", {"A": "1"}, "${ A } {A} $A"),
        ('{"Seconds": ${S}}', {"S": "5"}, '{"Seconds": 5}'),
        ("${AWS::Region} ${Fn.Arn}", {"AWS::Region": "eu-west-1", "Fn.Arn": "arn"}, "eu-west-1 arn"),
    ],
)
def test_filling(text: str, values: dict[str, str], result: str) -> None:
    assert substitute(text, values) == result


def test_placeholders_are_named_once_in_their_order() -> None:
    assert placeholders("${B} ${A} ${B}") == ["B", "A"]


def test_a_json_definition_is_kept_to_the_letter() -> None:
    text = '{ "StartAt":"A",\n  "States": {"A": {"Type": "Pass", "Result": "${R}",   "End": true}}}\n'
    assert read_source(text, "m.json", {"R": "r"}).text == text.replace("${R}", "r")


def test_yaml_is_told_from_json_by_its_name_or_its_beginning() -> None:
    assert read_source("a: 1", "standard input").text == '{\n  "a": 1\n}'
    assert read_source('{"a": 1}', "standard input").origin is None
    assert read_source('{"a": 1}', "m.yml").origin is not None
    with pytest.raises(DefinitionError, match=r"m\.json:1:1: .*INVALID_JSON_DESCRIPTION"):
        load_source(read_source("a: 1", "m.json"))


def test_from_python() -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${R}", "End": True}}})
    assert asl_engine.run(definition, substitutions={"R": "filled"}).output == "filled"
    task = definition.replace('"Pass", "Result"', '"Task", "Resource"')
    assert [finding.location for finding in asl_engine.validate(task)] == ["/States/A/Resource"]


def test_a_payload_that_looks_like_a_task_may_keep_its_placeholder() -> None:
    result = {"Type": "Task", "Resource": "${X}"}
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": result, "End": True}}}
    assert asl_engine.run(json.dumps(definition)).output == result


def test_the_placeholder_of_an_inner_task_is_refused_at_its_place() -> None:
    inner = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "${X}", "End": True}}}
    parallel = {"Type": "Parallel", "Branches": [inner], "End": True}
    with pytest.raises(DefinitionError) as refused:
        asl_engine.run(json.dumps({"StartAt": "P", "States": {"P": parallel}}))
    assert [one.location for one in refused.value.findings] == ["/States/P/Branches[0]/States/T/Resource"]
