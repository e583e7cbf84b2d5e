"""Variables of the Serverless Framework, each with the value that it has here, or what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.templates.serverless_variables import Outside, Variables

DOCUMENT: dict[str, Any] = {
    "service": "shop",
    "provider": {"name": "aws", "stage": "${opt:stage, 'dev'}", "region": "eu-west-1"},
    "params": {"default": {"url": "http://default"}, "prod": {"url": "http://prod"}},
    "custom": {
        "table": "${self:service}-${self:custom.tables.${sls:stage}}",
        "tables": {"dev": "small", "prod": "large"},
        "list": ["a", "${self:service}"],
        "size": 3,
        "on": True,
        "file": "${file(config.yml)}",
        "a": "${self:custom.b}",
        "b": "${self:custom.a}",
    },
}
FILES: dict[str, Any] = {"config.yml": {"deep": {"er": "${self:service}!", "list": [1, 2]}}, "note.txt": "hello"}
VALUES: list[tuple[Any, Any]] = [
    ("plain", "plain"),
    ("${self:service}", "shop"),
    ("${self:custom.size}", 3),
    ("${self:custom.on}", True),
    ("n-${self:custom.size}", "n-3"),
    ("${self:custom.table}", "shop-small"),
    ("${self:custom.list}", ["a", "shop"]),
    ("${self:custom.list.1}", "shop"),
    ("${self:custom.tables.${sls:stage}}", "small"),
    ("${self:custom.nothing, 'else'}", "else"),
    ('${self:custom.nothing, self:custom.neither, "else"}', "else"),
    ("${self:custom.nothing, 5}", 5),
    ("${self:custom.nothing, 2.5}", 2.5),
    ("${self:custom.nothing, true}", True),
    ("${self:custom.nothing, null}", ""),
    ("${self:custom.nothing, ''}", ""),
    ("${self:custom.nothing, 'a, b'}", "a, b"),
    ("${opt:stage, 'x'}", "x"),
    ("${env:HOME_TOWN}", "Oslo"),
    ("${env:NOWHERE, 'Rome'}", "Rome"),
    ("${sls:stage}", "dev"),
    ("${sls:instanceId}", "local"),
    ("${aws:region}:${aws:accountId}", "us-east-1:123456789012"),
    ("${param:url}", "http://default"),
    ("${file(config.yml):deep.er}", "shop!"),
    ("${file(config.yml):deep.list}", [1, 2]),
    ("${file(note.txt)}", "hello"),
    ("${file(nowhere.yml):a, 'none'}", "none"),
    ("${self:custom.file.deep.er}", "shop!"),
    ("${strToBool(true)}", True),
    ("${strToBool(0)}", False),
    ("${AWS::Region} ${Fn.Arn} ${orderId}", "${AWS::Region} ${Fn.Arn} ${orderId}"),
    ("${self:service}-${AWS::Region}", "shop-${AWS::Region}"),
    ({"a": ["${self:service}"], "${self:service}": 1}, {"a": ["shop"], "shop": 1}),
]
TOLD: list[tuple[str, str, str]] = [
    (
        "${self:custom.a}",
        "BROKEN_TEMPLATE",
        "This variable depends on itself: self:custom.a -> self:custom.b -> self",
    ),
    ("${self:custm.a}", "BROKEN_TEMPLATE", "There is no custm.a in this file; did you mean 'custom'?"),
    ("${self:custom.nope}", "BROKEN_TEMPLATE", "There is no custom.nope in this file"),
    ("${file(nowhere.yml)}", "BROKEN_TEMPLATE", "There is no file(nowhere.yml)"),
    (
        "${file(x.js):a}",
        "UNFILLED_PLACEHOLDER",
        "${file(x.js):a} has no value here: substitute a value for file(x.js)",
    ),
    (
        "${env:NOWHERE}",
        "UNFILLED_PLACEHOLDER",
        "${env:NOWHERE} has no value here: substitute a value for env:NOWHERE",
    ),
    ("${opt:size}", "UNFILLED_PLACEHOLDER", "${opt:size} has no value here"),
    ("${cf:other.Table}", "UNFILLED_PLACEHOLDER", "substitute a value for cf:other.Table"),
    ("${ssm:/a/b}", "UNFILLED_PLACEHOLDER", "substitute a value for ssm:/a/b"),
    ("${param:nope}", "UNFILLED_PLACEHOLDER", "substitute a value for param:nope"),
]


def variables(**given: str) -> Variables:
    names = {name.replace("_", ":", 1): value for name, value in given.items()}
    outside = Outside("us-east-1", "123456789012", {"HOME_TOWN": "Oslo"}, names, FILES.get)
    return Variables(DOCUMENT, lambda _: (7, 3), outside)


@pytest.mark.parametrize(("given", "value"), VALUES, ids=str)
def test_what_a_variable_stands_for(given: Any, value: Any) -> None:
    found = variables()
    assert (found.filled(given, "/x"), found.findings) == (value, [])


@pytest.mark.parametrize(("given", "code", "message"), TOLD, ids=str)
def test_what_has_no_value_is_told_with_its_place(given: str, code: str, message: str) -> None:
    found = variables()
    found.filled(given, "/x")
    [finding] = found.findings
    assert message in finding.message
    assert (finding.code, finding.location, finding.line, finding.column) == (code, "/x", 7, 3)


def test_options_decide_on_the_stage() -> None:
    found = variables(opt_stage="prod")
    assert found.stage == "prod"
    assert found.filled("${self:custom.table} ${param:url} ${sls:stage}", "/x") == "shop-large http://prod prod"


@pytest.mark.parametrize("name", ["cf:other.Table", "ssm:/a/b", "env:NOWHERE", "self:custom.nope"])
def test_a_given_value_comes_first(name: str) -> None:
    outside = Outside("us-east-1", "123456789012", {}, {name: "mine"}, FILES.get)
    found = Variables(DOCUMENT, lambda _: None, outside)
    assert (found.filled(f"${{{name}}}", "/x"), found.findings) == ("mine", [])
    assert name in found.asked
