"""Projects with a mistake in them: each is refused with its place before anything is stored."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import asl_engine
from asl_engine.cli import main
from asl_engine.errors import AslError
from tests.cli.project import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEFINITION = '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Fn}", "End": true}}}'


def sam(machine: str, function: str = "", rest: str = "", code: str = ".") -> str:
    """A template with a machine M and a function F, whose further properties these are."""
    lines = [
        "Transform: AWS::Serverless-2016-10-31",
        "Resources:",
        "  M:",
        "    Type: AWS::Serverless::StateMachine",
        f"    Properties: {{{machine}}}",
        "  F:",
        "    Type: AWS::Serverless::Function",
        f"    Properties: {{Runtime: python3.12, CodeUri: {code}, Handler: app.handler{function}}}",
        rest,
    ]
    return "\n".join(lines) + "\n"


CALLING = "DefinitionUri: m.json, DefinitionSubstitutions: {Fn: !GetAtt F.Arn}"
PLACE = "template.yaml:5:67: /Resources/M/Properties/DefinitionSubstitutions/Fn/Fn::"
HANDLER = {"app.py": "def handler(event, context):\n    return event\n", "m.json": DEFINITION}


class Mistake(NamedTuple):
    """``files`` are added to HANDLER; ``said`` are parts of the message."""

    files: dict[str, str]
    said: tuple[str, ...]
    machine: str = "template.yaml"


def serverless(definition: str = "${file(m.json)}", function: str = "", rest: str = "") -> dict[str, str]:
    lines = [
        "service: shop",
        "provider: {name: aws, runtime: python3.12}",
        "functions:",
        f"  f: {{handler: app.handler{function}}}",
        "stepFunctions:",
        "  stateMachines:",
        f"    m: {{definition: {json.dumps(definition)}}}",
        rest,
    ]
    calling = DEFINITION.replace('"${Fn}"', '{"Fn::GetAtt": ["f", "Arn"]}')
    return {"serverless.yml": "\n".join(lines) + "\n", "m.json": calling}


def plan(**function: Any) -> str:
    definition = DEFINITION.replace("${Fn}", "arn:aws:lambda:us-east-1:123456789012:function:f")
    values = {"function_name": "f", "runtime": "python3.12", "handler": "app.handler", "filename": "code.zip"}
    resources = [
        {
            "address": "aws_sfn_state_machine.m",
            "type": "aws_sfn_state_machine",
            "name": "m",
            "values": {"name": "m", "definition": definition},
        },
        {
            "address": "aws_lambda_function.f",
            "type": "aws_lambda_function",
            "name": "f",
            "values": {**values, **function},
        },
    ]
    unknown = {"environment": [{"variables": {"URL": True}}]} if function.get("environment") else {}
    changes = [{"address": "aws_lambda_function.f", "change": {"after_unknown": unknown}}]
    document = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
    }
    return json.dumps(document, indent=1)


MISTAKES = {
    "a machine that there is not": Mistake(
        {"template.yaml": sam(CALLING)},
        (
            "template.yaml has no state machine Mm; did you mean 'M'?; there are",
            "template.yaml:5: template.yaml#M",
        ),
        "template.yaml#Mm",
    ),
    "a machine of a definition": Mistake(
        {"one.json": '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'},
        ("one.json is no template that declares state machines: give it without #A",),
        "one.json#A",
    ),
    "no machine": Mistake(
        {"template.yaml": "Resources:\n  Q: {Type: AWS::SQS::Queue}\n"},
        ("template.yaml is a CloudFormation template, and it has no state machine",),
    ),
    "a machine whose condition does not hold": Mistake(
        {
            "template.yaml": sam(CALLING, rest="Conditions: {No: !Equals [a, b]}").replace(
                "    Type: AWS::Serverless::StateMachine",
                "    Condition: No\n    Type: AWS::Serverless::StateMachine",
            )
        },
        ("template.yaml is a SAM template, and it has no state machine",),
    ),
    "a definition that is not there": Mistake(
        {"template.yaml": sam("DefinitionUri: n.json")},
        (
            "template.yaml:5:18: /Resources/M/Properties/DefinitionUri: There is no file n.json",
            "did you mean 'm.json'?",
        ),
    ),
    "a definition in S3": Mistake(
        {"template.yaml": sam("DefinitionUri: s3://bucket/m.json")},
        (
            "template.yaml:5:18: /Resources/M/Properties/DefinitionUri: The definition is in S3 (s3://bucket/m.json",
        ),
    ),
    "no definition": Mistake(
        {"template.yaml": sam("Name: m")},
        ("template.yaml:3:3: /Resources/M: The state machine has no definition",),
    ),
    "a mistake in a definition": Mistake(
        {"template.yaml": sam(CALLING), "m.json": DEFINITION.replace('"End"', '"Edn"')},
        ("m.json:1:", "/States/A/Edn: The field 'Edn' is not supported here"),
    ),
    "a reference to what is not there": Mistake(
        {"template.yaml": sam(CALLING.replace("F.Arn", "G.Arn"))},
        (f"{PLACE}GetAtt: There is no parameter or resource G [BROKEN_TEMPLATE]",),
    ),
    "a tag that there is not": Mistake(
        {"template.yaml": sam(CALLING.replace("!GetAtt", "!GetAt"))},
        ("template.yaml:5:", "CloudFormation has no function Fn::GetAt; did you mean 'Fn::GetAtt'?"),
    ),
    "references in a circle": Mistake(
        {
            "template.yaml": sam(
                CALLING.replace("!GetAtt F.Arn", "!Ref A"),
                rest="  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}\n"
                "  B: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref A}}",
            )
        },
        ("This depends on itself: the name of A -> the name of B -> the name of A",),
    ),
    "a parameter without a value": Mistake(
        {
            "template.yaml": sam(
                CALLING.replace("!GetAtt F.Arn", "!Ref Arn"), rest="Parameters: {Arn: {Type: String}}"
            )
        },
        (f"{PLACE.removesuffix('Fn::')}Ref: The parameter Arn has no default: substitute a value for Arn",),
    ),
    "a function that needs a value": Mistake(
        {
            "template.yaml": sam(
                CALLING,
                ", Environment: {Variables: {KEY: !Ref Key}}",
                "Parameters: {Key: {Type: String, NoEcho: true}}",
            )
        },
        (
            "template.yaml:6: F: the function 'F' cannot be run as it is declared",
            "template.yaml:8:99: /Resources/F/Properties/Environment/Variables/KEY/Ref: The parameter Key has no",
        ),
    ),
    "a handler without a module": Mistake(
        {"template.yaml": sam(CALLING).replace("app.handler", "apps.handler")},
        ("template.yaml:6: F.handler: there is no module apps in ",),
    ),
    "a handler without its function": Mistake(
        {"template.yaml": sam(CALLING).replace("app.handler", "app.handle")},
        ("template.yaml:6: F.handler: ", "app.py has no handle; did you mean 'handler'?"),
    ),
    "a handler that is not Python": Mistake(
        {"template.yaml": sam(CALLING), "app.py": "def handler(:\n"},
        ("template.yaml:6: F.handler: ", "app.py:1 is not Python: invalid syntax"),
    ),
    "no handler": Mistake(
        {"template.yaml": sam(CALLING).replace(", Handler: app.handler", "")},
        ("template.yaml:6: F.handler: '' is no handler: it is MODULE.FUNCTION",),
    ),
    "code that is not there": Mistake(
        {"template.yaml": sam(CALLING, code="src")},
        ("template.yaml:6: F: there is no ", "src, where its code should be"),
    ),
    "code in S3": Mistake(
        {"template.yaml": sam(CALLING, code="s3://bucket/code.zip")},
        ("template.yaml:6: F: the function 'F' has its code in S3: give it an endpoint, [functions.F]",),
    ),
    "a container image": Mistake(
        {"template.yaml": sam(CALLING, ", PackageType: Image")},
        ("template.yaml:6: F: the function 'F' is a container image: give it an endpoint",),
    ),
    "another runtime": Mistake(
        {"template.yaml": sam(CALLING).replace("python3.12", "java21")},
        (
            "named at:\n  m.json:1:51: /States/A/Resource",
            "the function 'F' has the runtime java21, and only Python runs here: give it an endpoint",
        ),
    ),
    "an assembly without its template": Mistake(
        {
            "cdk.out/manifest.json": '{"artifacts": {"S": {"type": "aws:cloudformation:stack", '
            '"properties": {"templateFile": "S.template.json"}}}}'
        },
        ("there is no file cdk.out/S.template.json (the template)",),
        "cdk.out",
    ),
    "a variable of Serverless that there is not": Mistake(
        serverless(function=', name: "${self:custom.name}"'),
        ("serverless.yml:4:", "/functions/f/name: There is no custom.name in this file"),
        "serverless.yml",
    ),
    "variables of Serverless in a circle": Mistake(
        serverless("${self:custom.a}", rest="custom: {a: '${self:custom.b}', b: '${self:custom.a}'}"),
        (
            "serverless.yml:7:9: /stepFunctions/stateMachines/m/definition: This variable depends on itself",
            ": self:custom.a -> self:custom.b -> self:custom.a",
        ),
        "serverless.yml",
    ),
    "a variable of Serverless that only AWS knows": Mistake(
        serverless(function=', environment: {KEY: "${ssm:/key}"}'),
        (
            "serverless.yml:4: f: the function 'shop-dev-f' cannot be run as it is declared",
            "/functions/f/environment/KEY: ${ssm:/key} has no value here: substitute a value for ssm:/key",
        ),
        "serverless.yml",
    ),
    "an included file that is not there": Mistake(
        serverless("${file(n.json)}"),
        ("serverless.yml:7:9: /stepFunctions/stateMachines/m/definition: There is no file(n.json)",),
        "serverless.yml",
    ),
    "a plan without the code": Mistake(
        {"plan.json": plan()}, ("plan.json:", "f: there is no code.zip, where its code should be"), "plan.json"
    ),
    "a plan that does not know a variable": Mistake(
        {"plan.json": plan(environment=[{"variables": {"A": "1"}}])},
        ("The plan does not know URL of aws_lambda_function.f: substitute a value for aws_lambda_function.f.URL",),
        "plan.json",
    ),
}


@pytest.fixture
def asl(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """A command in this process."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def command(*arguments: str) -> Result:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert isinstance(ended.value.code, int)
        return Result(ended.value.code, *capfd.readouterr())

    return command


def written(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place(
    mistake: Mistake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asl: Callable[..., Result]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASL_DB", raising=False)
    written(tmp_path, HANDLER | mistake.files)
    result = asl("run", mistake.machine)
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    for part in mistake.said:
        assert part in result.err
    assert not (tmp_path / ".asl").exists()
    with pytest.raises(AslError) as refused:
        asl_engine.run(mistake.machine)
    assert mistake.said[-1] in str(refused.value)


def test_a_value_that_nothing_has_is_refused_in_the_words_of_whoever_gave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asl: Callable[..., Result]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, {**HANDLER, "template.yaml": sam(CALLING, rest="Parameters: {Stage: {Type: String}}")})
    said = "nothing in template.yaml has this name; did you mean 'Stage'?; there are "
    assert f"--substitute Stag=x: {said}" in asl("run", "template.yaml", "--substitute", "Stag=x").err
    with pytest.raises(AslError, match=r"substitutions: nothing in template\.yaml has this name"):
        asl_engine.run("template.yaml", substitutions={"Stag": "x"})


def test_what_does_not_run_here_is_served_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asl: Callable[..., Result]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASL_DB", raising=False)
    written(tmp_path, {**HANDLER, "template.yaml": sam(CALLING).replace("python3.12", "nodejs22.x")})
    assert asl_engine.run("template.yaml", tasks={"F": lambda _: "stand-in"}).output == "stand-in"
    written(tmp_path, {"tasks/own.py": "def F(event):\n    return 'callable'\n"})
    assert asl("run", "template.yaml", "-q").json == "callable"
    written(tmp_path, {"asl.toml": "[functions.F]\nhandler = 'own:handler'\n", "own.py": HANDLER["app.py"]})
    assert asl("run", "template.yaml", "-q", "-i", '"configured"').json == "configured"


def test_an_archive_is_imported_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asl: Callable[..., Result]
) -> None:
    from zipfile import ZipFile

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASL_DB", raising=False)
    written(tmp_path, {"m.json": DEFINITION, "template.yaml": sam(CALLING, code="build/code.zip")})
    (tmp_path / "build").mkdir()
    with ZipFile(tmp_path / "build" / "code.zip", "w") as archive:
        archive.writestr("app.py", HANDLER["app.py"])
    assert asl("run", "template.yaml", "-q", "-i", "[1]").json == [1]
