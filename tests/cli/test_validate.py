"""`asl validate` and `asl tasks`."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.project import PASS, machine, resource, task

if TYPE_CHECKING:
    from tests.cli.project import Project

TWO_FAULTS = '{\n  "StartAt": "A",\n  "States": {"A": {"Type": "Pass", "End": true, "Bar": 2, "Foo": 1}}\n}\n'


def test_all_findings_of_all_files(project: Project) -> None:
    good, bad = project.define("good", PASS), project.define("bad", TWO_FAULTS)
    result = project.asl("validate", good, bad)
    assert result.code == 2
    lines = result.out.splitlines()
    assert lines[0] == f"{good}: OK"
    assert all(line.startswith(f"{bad}:3:") for line in lines[1:])
    assert any("/States/A/Foo: " in line and line.endswith("[SCHEMA_VALIDATION_FAILED]") for line in lines)


def test_json_is_what_validate_state_machine_definition_answers(project: Project) -> None:
    good, broken = project.define("good", PASS), project.define("broken", '{"a":\n')
    result = project.asl("validate", good, broken, "--json")
    assert result.code == 2
    assert result.json == [
        {"file": good, "result": "OK", "diagnostics": [], "truncated": False},
        {
            "file": broken,
            "result": "FAIL",
            "diagnostics": [
                {
                    "severity": "ERROR",
                    "code": "INVALID_JSON_DESCRIPTION",
                    "message": "Expecting value; the text ends too early: "
                    "a bracket or a quotation mark is missing",
                    "line": 2,
                    "column": 1,
                }
            ],
            "truncated": False,
        },
    ]


def test_a_finding_has_its_location(project: Project) -> None:
    diagnostics = project.asl("validate", project.define("bad", TWO_FAULTS), "--json").json[0]["diagnostics"]
    assert "/States/A/Foo" in [finding["location"] for finding in diagnostics]


def test_a_missing_file_does_not_hide_the_others(project: Project) -> None:
    good = project.define("good", PASS)
    result = project.asl("validate", "missing.json", good)
    assert result.code == 2
    assert result.out == f"{good}: OK\n"
    assert result.err == "asl: error: there is no file missing.json (the definition)\n"


@pytest.mark.parametrize(("definition", "code"), [(PASS, 0), (machine(A={"Type": "Pass", "Foo": 1}), 2)])
def test_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch, definition: object, code: int) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(definition).encode())))
    result = project.asl("validate", "-")
    assert result.code == code
    assert result.out.startswith("standard input:")


RULE = {"Variable": "$.go", "IsPresent": True, "Next": "B"}
LOOP = machine(
    A={"Type": "Choice", "Choices": [RULE], "Default": "C"}, B={"Type": "Pass", "Next": "A"}, C={"Type": "Succeed"}
)


def test_a_service_that_aws_may_not_call_is_doubtful(project: Project) -> None:
    resource = "arn:aws:states:::aws-sdk:chatbot:describeSlackWorkspaces"
    file = project.define("chat", machine(A={"Type": "Task", "Resource": resource, "Parameters": {}}))
    result = project.asl("validate", file)
    assert result.code == 0
    (line,) = [line for line in result.out.splitlines() if "[UNLISTED_SERVICE]" in line]
    assert "/States/A/Resource: No list of AWS's names 'chatbot'" in line
    assert line.endswith("(warning)")
    assert project.asl("validate", file, "--strict").code == 2
    assert "UNLISTED_SERVICE" not in project.asl("validate", file, "--no-lint").out


def test_a_warning_is_no_error(project: Project) -> None:
    path = project.define("m", LOOP)
    result = project.asl("validate", path)
    assert result.code == 0
    doubt, verdict = result.out.splitlines()
    assert doubt.startswith(f"{path}:1:")
    assert "/States/A: Nothing waits in the loop through A, B" in doubt
    assert doubt.endswith("[LOOP_WITHOUT_WAIT] (warning)")
    assert verdict == f"{path}: OK"
    shown = project.asl("validate", path, "--json").json[0]
    assert shown["result"] == "OK"
    assert [one["severity"] for one in shown["diagnostics"]] == ["WARNING"]


@pytest.mark.parametrize(("options", "code", "lines"), [(["--strict"], 2, 2), (["--no-lint", "--strict"], 0, 1)])
def test_doubts_can_be_errors_or_left_out(project: Project, options: list[str], code: int, lines: int) -> None:
    result = project.asl("validate", project.define("m", LOOP), *options)
    assert (result.code, len(result.out.splitlines())) == (code, lines)


def test_sarif(project: Project) -> None:
    good, bad = project.define("m", LOOP), project.define("bad", TWO_FAULTS)
    result = project.asl("validate", good, bad, "--format", "sarif")
    assert result.code == 2
    log = result.json
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["LOOP_WITHOUT_WAIT", "SCHEMA_VALIDATION_FAILED"]
    for shown in run["results"]:
        assert rules[shown["ruleIndex"]] == shown["ruleId"]
        assert shown["message"]["text"]
        region = shown["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
    assert {shown["level"] for shown in run["results"]} == {"error", "warning"}


def test_an_unknown_format(project: Project) -> None:
    result = project.asl("validate", project.define("m", PASS), "--format", "xml")
    assert (result.code, result.err) == (2, "asl: error: --format xml: it is human, json, sarif\n")


YAML = """\
# a comment
StartAt: A
States:
  A: &pass
    Type: Pass
    Next: B
  B:
    <<: *pass
    Next: Nowhere
  C:
    Type: Succeed
"""


def test_findings_in_yaml_have_the_lines_of_the_yaml(project: Project) -> None:
    (project.root / "m.yaml").write_text(YAML)
    result = project.asl("validate", "m.yaml")
    assert result.code == 2
    assert result.out.startswith("m.yaml:9:5: /States/B/Next: Missing 'Next' target: Nowhere")


def test_yaml_that_is_none(project: Project) -> None:
    (project.root / "m.yml").write_text("StartAt: [A\n")
    result = project.asl("validate", "m.yml", project.define("m", PASS), "--json")
    assert result.code == 2
    (finding,) = result.json[0]["diagnostics"]
    assert (finding["code"], finding["line"]) == ("INVALID_JSON_DESCRIPTION", 2)
    assert result.json[1]["result"] == "OK"


# -- what tasks call ----------------------------------------------------------------------------------

RESOURCES = {
    "functon": ("arn:aws:lambda:us-east-1:123456789012:functon:double", f"did you mean '{resource('double')}'?"),
    "a layer": (
        "arn:aws:lambda:us-east-1:123456789012:layer:double",
        "the ARN of a Lambda function is arn:aws:lambda:REGION:ACCOUNT:function:NAME",
    ),
    "lamda": (
        "arn:aws:lamda:us-east-1:123456789012:function:double",
        "there is no service 'lamda'; did you mean 'lambda'?",
    ),
    "another service": ("arn:aws:sqs:us-east-1:123456789012:queue", "a Resource is a Lambda function ("),
}


@pytest.mark.parametrize(("arn", "said"), RESOURCES.values(), ids=RESOURCES)
def test_a_resource_that_no_task_can_call(project: Project, arn: str, said: str) -> None:
    path = project.define("m", machine(A={"Type": "Task", "Resource": arn}))
    column = json.dumps(machine(A={"Type": "Task", "Resource": arn})).index('"Resource"') + 1
    result = project.asl("validate", path)
    assert result.code == 2
    (line,) = [line for line in result.out.splitlines() if "(warning)" not in line]
    assert line.startswith(f"{path}:1:{column}: /States/A/Resource: No task can call {arn}")
    assert said in line
    run = project.asl("run", path)
    assert (run.code, run.out) == (2, "")
    assert line in run.err


def test_a_function_that_the_project_lacks(project: Project) -> None:
    path = project.define("m", machine(A=task("doubel"), B=task("double")))
    result = project.asl("validate", path, "--no-lint")
    assert result.code == 2
    said = "There is no task callable for the function 'doubel'; did you mean 'double'? [TASK_WITHOUT_CALLABLE]"
    assert result.out.startswith(f"{path}:1:")
    assert result.out.endswith(f": /States/A/Resource: {said}\n")
    run = project.asl("run", path)
    assert run.code == 2
    assert "did you mean 'double'?" in run.err
    assert ": /States/A/Resource\n" in run.err
    assert "/States/B" not in run.err


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_function_that_lambda_invoke_names(project: Project, command: str) -> None:
    parameters = {"FunctionName": "doubel", "Payload": {}}
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}
    result = project.asl(command, project.define("m", machine(A=invoke)))
    assert result.code == 2
    said = "/States/A/Parameters/FunctionName: There is no task callable for the function 'doubel'; did you mean"
    assert said in result.out + result.err
    assert not project.db.exists()


def test_functions_may_be_elsewhere(project: Project) -> None:
    path = project.define("m", machine(A=task("book")))
    assert project.asl("validate", path, "--no-lint").code == 2
    assert project.asl("validate", path, "--no-lint", "--lambda").code == 0
    (project.root / "asl.toml").write_text("lambda = true\n")
    assert project.asl("validate", path, "--no-lint").code == 0
    (project.root / "asl.toml").write_text('functions = { book = { handler = "tasks.callables.double" } }\n')
    assert project.asl("validate", path, "--no-lint").code == 0


def test_a_project_without_callables_has_its_functions_elsewhere(project: Project) -> None:
    (project.root / "tasks" / "callables.py").unlink()
    assert project.asl("validate", project.define("m", machine(A=task("book"))), "--no-lint").code == 0


def test_tasks_that_cannot_be_imported_do_not_hide_a_definition(project: Project) -> None:
    (project.root / "tasks" / "broken.py").write_text("import nowhere_to_be_found\n")
    path = project.define("m", machine(A=task("double")))
    result = project.asl("validate", path, "--no-lint")
    assert (result.code, result.out) == (0, f"{path}: OK\n")
    assert result.err.startswith("asl: warning: functions are not looked for: ")
    assert "broken.py:1: cannot import the tasks: ModuleNotFoundError" in result.err
    alone = project.asl("validate", "--no-lint")
    assert alone.code == 2
    assert "asl: error: " in alone.err


# -- the whole project --------------------------------------------------------------------------------


def test_alone_it_looks_at_the_whole_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.define("good", PASS)
    project.define("bad", TWO_FAULTS)
    for name, text in (
        ("MockConfigFile.json", '{"StateMachines": {}, "MockedResponses": {}}'),
        ("elsewhere/named.asl.json", "{}"),
        ("elsewhere/plain.json", json.dumps(PASS)),
        ("elsewhere/event.json", '{"definition": {"StartAt": "A", "States": {}}}'),
        ("elsewhere/m.yml", "StartAt: A\nStates: {A: {Type: Succeed}}\n"),
        ("elsewhere/values.yml", "States: 1\n"),
        ("statemachines/mocks.json", '{"StateMachines": {}, "MockedResponses": {}}'),
        ("node_modules/x/x.asl.json", "{}"),
        (".hidden/x.asl.json", "{}"),
    ):
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(text)
    result = project.asl("validate", "--no-lint", "--json")
    assert result.code == 2
    assert {one["file"]: one["result"] for one in result.json} == {
        "elsewhere/m.yml": "OK",
        "elsewhere/named.asl.json": "FAIL",
        "elsewhere/plain.json": "OK",
        "statemachines/bad.json": "FAIL",
        "statemachines/good.json": "OK",
    }
    below = project.asl("validate", "elsewhere", "--json").json
    assert [one["file"] for one in below] == [
        "elsewhere/m.yml",
        "elsewhere/named.asl.json",
        "elsewhere/plain.json",
    ]
    monkeypatch.chdir(project.root / "statemachines")
    assert len(project.asl("validate", "--json").json) == 5


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ("task = 'tasks'", "asl.toml: there is no key 'task'; did you mean 'tasks'?"),
        ("limits = { history_event = 1 }", "history_event"),
        ("deploy = { type = 'FAST' }", "deploy"),
        ("functions = { f = 1 }", "functions.f: it has to be a table"),
    ],
)
def test_alone_it_looks_at_the_configuration(project: Project, configuration: str, said: str) -> None:
    project.define("m", PASS)
    (project.root / "asl.toml").write_text(f"{configuration}\n")
    result = project.asl("validate")
    assert result.code == 2
    assert said in result.err


DOUBTS = {
    "a function's settings": (
        "[functions.killr]\nhandler = 'tasks.callables:killer'",
        "asl.toml: functions.killr: no state machine calls this function; did you mean 'killer'?",
    ),
    "a deployed function's settings": (
        "[deploy.functions.killr]\nmemory = 512",
        "asl.toml: deploy.functions.killr: no state machine calls this function; did you mean 'killer'?",
    ),
    "a value": (
        "substitutions = { Stag = 'x' }",
        "asl.toml: substitutions.Stag: no definition has ${Stag}; did you mean 'Stage'?",
    ),
    "a region": ("region = 'eu-wst-1'", "asl.toml: region: AWS has no region eu-wst-1; did you mean 'eu-west-1'?"),
    "a region of a deployment": (
        "deploy = { region = 'eu-wst-1' }",
        "asl.toml: deploy.region: AWS has no region eu-wst-1; did you mean 'eu-west-1'?",
    ),
}


@pytest.mark.parametrize(("configuration", "said"), DOUBTS.values(), ids=DOUBTS)
def test_alone_it_doubts_what_no_definition_uses(project: Project, configuration: str, said: str) -> None:
    file = project.root / "tasks" / "callables.py"
    file.write_text("def killer(event):\n    return event\n")
    project.define("m", machine(A=task("killer"), B={"Type": "Pass", "Result": "${Stage}"}))
    (project.root / "asl.toml").write_text(f"{configuration}\n")
    result = project.asl("validate", "--no-lint")
    assert (result.code, result.err) == (0, f"asl: warning: {project.root}/{said}\n")
    assert project.asl("validate", "--no-lint", "--strict").code == 2


def test_alone_it_has_no_doubt_about_what_is_used(project: Project) -> None:
    states = {"A": task("killer"), "B": {"Type": "Pass", "Result": "${Stage}"}}
    project.define("m", machine(**states))
    (project.root / "asl.toml").write_text(
        "region = 'eu-west-1'\nsubstitutions = { Stage = 'x' }\n[functions.killer]\n"
        "handler = 'tasks.callables:fail'\n[deploy.functions.killer]\nmemory = 512\n"
    )
    result = project.asl("validate", "--no-lint", "--strict")
    assert (result.code, result.err) == (0, "")


def test_a_function_whose_name_is_computed_may_be_any(project: Project) -> None:
    invoke = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName.$": "$.name"}}
    project.define("m", machine(A={"Type": "Task", **invoke}))
    (project.root / "asl.toml").write_text("[functions.other]\nhandler = 'tasks.callables:fail'\n")
    assert project.asl("validate", "--no-lint").err == ""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("handler = 'app:h'", "asl.toml: functions.f.handler: there is no module app in "),
        ("handler = 'tasks.app.h'", "asl.toml: functions.f.handler: there is no module tasks.app in "),
        ("handler = 'tasks.callables:fial'", "callables.py has no fial; did you mean 'fail'?"),
        (
            "handler = 'tasks.callables:os.nothing'\npython = 'nopython'",
            "asl.toml: functions.f.python: there is no ",
        ),
        ("handler = 'app:h'\npython = 'nope/python'", "asl.toml: functions.f.python: there is no "),
        ("handler = 'app:h'\npython = 'nopython'", "asl.toml: functions.f.python: there is no nopython"),
    ],
)
def test_alone_it_looks_for_what_a_function_is_started_with(project: Project, function: str, said: str) -> None:
    project.define("m", machine(A=task("f")))
    (project.root / "asl.toml").write_text(f"[functions.f]\n{function}\n")
    result = project.asl("validate", "--no-lint")
    assert result.code == 2
    assert said in result.err


def test_a_folder_without_definitions(project: Project) -> None:
    result = project.asl("validate", "tasks")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("asl: error: there is no definition below tasks: give a file, or put definitions")


TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Order:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: sm/order.txt
      DefinitionSubstitutions: {Fn: !GetAtt Order.Arn}
  Lost:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: sm/lost.json}
"""


@pytest.mark.parametrize("command", [["run"], ["test-state", "--state", "A"]], ids=" ".join)
def test_of_a_template_with_several_machines_one_is_to_be_named(project: Project, command: list[str]) -> None:
    (project.root / "template.yaml").write_text(TEMPLATE)
    (project.root / "sm").mkdir()
    (project.root / "sm" / "order.txt").write_text(json.dumps(PASS))
    result = project.asl(command[0], "template.yaml", *command[1:])
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "asl: error: template.yaml is a SAM template with several state machines: name one of them\n"
        "  template.yaml:6: template.yaml#Order\n"
        "  template.yaml:10: template.yaml#Lost\n"
    )
    result = project.asl(command[0], "template.yaml#Order", *command[1:])
    assert "several state machines" not in result.err
    result = project.asl(command[0], "template.yaml#Lost", *command[1:])
    assert (result.code, result.out) == (2, "")
    assert "template.yaml:10:18: /Resources/Lost/Properties/DefinitionUri: There is no file sm/lost" in result.err


LOST = (
    "template.yaml:10:18: /Resources/Lost/Properties/DefinitionUri: There is no file sm/lost.json; "
    "did you mean 'sm/last.json'? [BROKEN_TEMPLATE]\n"
)


EVENTS = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      Events:
        Voice: {Type: AlexaSkill}
        Clock: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
"""


def test_events_that_nothing_runs_are_doubts_and_events_that_are_none_are_errors(project: Project) -> None:
    (project.root / "template.yaml").write_text(EVENTS)
    result = project.asl("validate", "template.yaml")
    assert (result.code, result.out) == (
        0,
        (
            "template.yaml:9:17: /Resources/F/Properties/Events/Voice/Type: Nothing here runs events of the type "
            "AlexaSkill: F is not called by Voice [NOT_RUN_HERE] (warning)\n"
            "template.yaml: OK\n"
        ),
    )
    (project.root / "template.yaml").write_text(EVENTS.replace("rate(1 minute)", "hourly"))
    result = project.asl("validate", "template.yaml")
    assert result.code == 2
    assert (
        "template.yaml:10:46: /Resources/F/Properties/Events/Clock/Properties/Schedule: Parameter " in result.out
    )


@pytest.mark.parametrize("given", [[], ["."], ["template.yaml"]], ids=" ".join)
def test_what_a_template_names_is_looked_at_and_has_to_be_there(project: Project, given: list[str]) -> None:
    (project.root / "template.yaml").write_text(TEMPLATE)
    (project.root / "sm").mkdir()
    (project.root / "sm" / "order.txt").write_text(json.dumps(PASS))
    (project.root / "sm" / "last.json").write_text("{}")
    result = project.asl("validate", *given)
    assert (result.code, result.out) == (2, f"{LOST}sm/order.txt: OK\n")
    assert result.err.startswith("template.yaml: a SAM template\n  template.yaml:6: Order: ")
    [template, order] = project.asl("validate", *given, "--json").json
    assert (template["result"], template["diagnostics"][0]["location"], order["result"]) == (
        "FAIL",
        "/Resources/Lost/Properties/DefinitionUri",
        "OK",
    )
    (project.root / "sm" / "lost.json").write_text(json.dumps(PASS))
    result = project.asl("validate", *given)
    assert (result.code, result.out) == (0, "template.yaml: OK\nsm/order.txt: OK\nsm/lost.json: OK\n")


def sam(body: str, kind: str = "AWS::Serverless::StateMachine") -> str:
    machine = f"Resources:\n  M:\n    Type: {kind}\n    Properties:\n{body}"
    return f"{machine}  Fn: {{Type: AWS::StepFunctions::Activity}}\n"


OBJECT = """\
      Definition:
        StartAt: A
        States:
          A: {Type: Task, Resource: !GetAtt Fn.Arn, Next: Bx}
          B: {Type: Succeed}
"""
SUB = """\
      DefinitionString: !Sub |
        {"StartAt": "A", "States": {
          "A": {"Type": "Task", "Resource": "${Fn.Arn}", "Next": "Bx"},
          "B": {"Type": "Succeed"}}}
"""
JOINED = json.dumps(
    {
        "Resources": {
            "Fn": {"Type": "AWS::StepFunctions::Activity"},
            "M": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "DefinitionString": {
                        "Fn::Join": [
                            "",
                            [
                                '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "',
                                {"Fn::GetAtt": ["Fn", "Arn"]},
                                '", "Next": "Bx"}, "B": {"Type": "Succeed"}}}',
                            ],
                        ]
                    }
                },
            },
        }
    },
    indent=1,
)
SERVERLESS = """\
service: x
provider: {name: aws}
stepFunctions:
  activities: [fn]
  stateMachines:
    m:
      definition:
        StartAt: A
        States:
          A: {Type: Task, Resource: {Ref: FnStepFunctionsActivity}, Next: Bx}
          B: {Type: Succeed}
"""
MISSING_BX = "/States/A/Next: Missing 'Next' target: Bx; did you mean 'B'? [MISSING_TRANSITION_TARGET]"
BROKEN = {
    "an object": ("template.yaml", sam(OBJECT), f"8:53: /Resources/M/Properties/Definition{MISSING_BX}"),
    "a text": ("template.yaml", sam(SUB), f"7:58: /Resources/M/Properties/DefinitionString{MISSING_BX}"),
    "a text that is no JSON": (
        "template.yaml",
        sam("      DefinitionString: |\n        {\n          'StartAt': 1}\n"),
        "7:11: /Resources/M/Properties/DefinitionString: ",
    ),
    "a text of the CDK": (
        "cdk.out/S.template.json",
        JOINED,
        f"9:5: /Resources/M/Properties/DefinitionString{MISSING_BX}",
    ),
    "Serverless": (
        "serverless.yml",
        SERVERLESS,
        f"10:69: /stepFunctions/stateMachines/m/definition{MISSING_BX}",
    ),
    "no definition": ("template.yaml", sam("      Role: x\n"), "2:3: /Resources/M: The state machine has no "),
    "a type": (
        "template.yaml",
        sam("      Role: x\n", "AWS::Serverless::StateMachin"),
        "3:5: /Resources/M/Type: There is no type AWS::Serverless::StateMachin; did you mean 'AWS::Serverless::St",
    ),
    "a type of a service": (
        "template.yaml",
        sam("      Role: x\n", "AWS::StepFunction::StateMachine"),
        "did you mean 'AWS::StepFunctions::StateMachine'?",
    ),
    "a section": (
        "template.yaml",
        sam("      DefinitionString: '{}'\n").replace("Resources:", "Resource:"),
        "1:1: /Resource: A template has no section Resource; did you mean 'Resources'?",
    ),
    "YAML": ("template.yaml", sam("   x"), "template.yaml:"),
}


@pytest.mark.parametrize(("name", "text", "said"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "given"])
def test_a_broken_template_is_an_error_with_its_place(
    project: Project, name: str, text: str, said: str, alone: bool
) -> None:
    (project.root / name).parent.mkdir(exist_ok=True)
    (project.root / name).write_text(text)
    result = project.asl("validate", *([] if alone else [name]), "--no-lint")
    assert result.code == 2
    assert f"{name}:" in result.out
    assert said in result.out


@pytest.mark.parametrize("text", [OBJECT, SUB])
def test_a_definition_in_a_template_may_be_right(project: Project, text: str) -> None:
    (project.root / "template.yaml").write_text(sam(text.replace("Bx", "B")))
    result = project.asl("validate", "--no-lint", "--strict")
    assert (result.code, result.out) == (0, "template.yaml: OK\n")


def test_a_template_without_a_machine_is_no_broken_machine(project: Project) -> None:
    (project.root / "template.yaml").write_text(sam("      RoleName: x\n", "AWS::IAM::Role"))
    result = project.asl("validate", "template.yaml")
    assert (result.code, result.out) == (2, "")
    assert "template.yaml is a CloudFormation template, and it has no state machine" in result.err


SERVERLESS_FUNCTION = """\
service: x
provider: {name: aws, runtime: python3.12}
functions:
  hello:
    handler: hello.hello
    events: [{httpApi: GET /hello}]
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("template.yaml", sam("      QueueName: x\n", "AWS::SQS::Queue")), ("serverless.yml", SERVERLESS_FUNCTION)],
)
def test_a_template_of_functions_and_what_they_use_needs_no_machine(
    project: Project, name: str, text: str
) -> None:
    (project.root / name).write_text(text)
    (project.root / "hello.py").write_text("def hello(event, context): ...\n")
    for files in ((), (name,)):
        result = project.asl("validate", *files)
        assert (result.code, result.out) == (0, f"{name}: OK\n")


# -- words in expressions -----------------------------------------------------------------------------


def test_an_unknown_function_is_shown_where_it_stands(project: Project) -> None:
    text = (
        '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": true,\n'
        '  "Output": {"x": "{% 1 + $summ([1, 2]) %}"}}}}'
    )
    result = project.asl("validate", project.define("m", text))
    assert result.out.startswith(
        "statemachines/m.json:2:27: /States/A/Output/x: There is no function $summ: calling it fails; "
        "did you mean '$sum'? [UNKNOWN_FUNCTION] (warning)"
    )


def test_an_unknown_variable_is_shown_where_it_stands_in_yaml(project: Project) -> None:
    (project.root / "m.yaml").write_text(
        "QueryLanguage: JSONata\nStartAt: A\nStates:\n  A:\n    Type: Pass\n    End: true\n"
        "    Output: |-\n      {% (\n        $x := 1;\n        $x + $y\n      ) %}\n"
    )
    result = project.asl("validate", "m.yaml")
    assert result.out.startswith("m.yaml:10:14: /States/A/Output: No state assigns $y: reading it fails")


# -- placeholders -------------------------------------------------------------------------------------

FUNCTION = machine(A={"Type": "Task", "Resource": "${Function}", "End": True})
FUNCTION_COLUMN = json.dumps(FUNCTION).index('"Resource"') + 1


def test_a_task_cannot_call_a_placeholder(project: Project) -> None:
    path = project.define("m", FUNCTION)
    run = project.asl("run", path)
    assert (run.code, run.out) == (2, "")
    assert "/States/A/Resource: The placeholder ${Function} has no value: " in run.err


def test_a_placeholder_is_doubtful_and_the_rest_is_looked_at(project: Project) -> None:
    """It cannot be run, but it is not wrong: whoever deploys the definition gives it a value."""
    states = {"A": {"Type": "Task", "Resource": "${Function}", "Next": "B"}, "B": {"Type": "Pass", "End": True}}
    path = project.define("m", {"StartAt": "A", "States": states})
    result = project.asl("validate", path)
    assert result.code == 0
    lines = result.out.splitlines()
    warned = "/States/A/Resource: The placeholder ${Function} has no value: substitute one for it to run the task"
    assert [line for line in lines if "laceholder" in line] == [
        f"{path}:1:{FUNCTION_COLUMN}: {warned} [UNFILLED_PLACEHOLDER] (warning)"
    ]
    assert any("[TASK_WITHOUT_CATCH]" in line for line in lines)
    assert lines[-1] == f"{path}: OK"
    assert project.asl("validate", path, "--strict").code == 2


def test_other_faults_beside_a_placeholder_are_found(project: Project) -> None:
    states = {"A": {"Type": "Task", "Resource": "${Function}", "Next": "B"}, "C": {"Type": "Succeed"}}
    result = project.asl("validate", project.define("m", {"StartAt": "A", "States": states}))
    assert result.code == 2
    assert "Missing 'Next' target: B" in result.out
    unreachable = machine(A=FUNCTION["States"]["A"]) | {"TimeoutSeconds": 1}
    unreachable["States"]["B"] = {"Type": "Succeed"}
    result = project.asl("validate", project.define("n", unreachable))
    assert result.code == 2
    assert 'State "B" is not reachable' in result.out


def test_the_pseudo_parameters_are_the_project_s(project: Project) -> None:
    (project.root / "asl.toml").write_text('region = "eu-west-1"\naccount = "210987654321"\n')
    output = "${AWS::Partition} ${AWS::Region} ${AWS::AccountId}"
    path = project.define("m", machine(A={"Type": "Pass", "Result": output}))
    assert project.asl("run", path, "-q").out == '"aws eu-west-1 210987654321"\n'
    assert project.asl("run", path, "-q", "--substitute", "AWS::Region=x").out == '"aws x 210987654321"\n'


def test_the_short_forms_of_yaml(project: Project) -> None:
    (project.root / "m.yaml").write_text(
        "StartAt: A\nStates:\n  A:\n    Type: Task\n    Resource: !GetAtt Double.Arn\n    End: true\n"
    )
    told = project.asl("validate", "m.yaml", "--no-lint")
    assert told.code == 0
    assert told.out.startswith("m.yaml:5:5: /States/A/Resource: The placeholder ${Double.Arn} has no value: ")
    value = f"Double.Arn={resource('double')}"
    assert project.asl("run", "m.yaml", "-i", '{"n": 2}', "-q", "--substitute", value).out == '{"n":4}\n'


@pytest.mark.parametrize("way", ["option", "json", "yaml", "project"])
def test_a_placeholder_is_given_its_value(project: Project, way: str) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:double"
    definition = project.define("m", FUNCTION)
    options: list[str] = []
    if way == "option":
        options = ["--substitute", f"Function={arn}"]
    elif way == "project":
        (project.root / "asl.toml").write_text(f'substitutions = {{Function = "{arn}"}}\n')
    else:
        (project.root / f"v.{way}").write_text(f'{{"Function": "{arn}", "Another": 1}}')
        options = ["--substitutions", f"v.{way}"]
    assert project.asl("validate", definition, "--no-lint", *options).out == f"{definition}: OK\n"
    run = project.asl("run", definition, "--input", '{"n": 2}', "--json", *options)
    assert run.code == 0, run.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--substitute", "Function"], "--substitute Function: it has to be NAME=VALUE"),
        (["--substitute", "Funktion=x"], "did you mean 'Function'?; there are ${Function}"),
        (["--substitutions", "v.json"], "there is no file v.json (the substitutions)"),
        (
            ["--substitutions", "list.json"],
            "list.json: the substitutions have to be an object of names and values",
        ),
        (["--substitutions", "deep.json"], "deep.json: A has to be a string, a number or a boolean"),
        (["--substitutions", "broken.json"], "broken.json:1:2: the substitutions are not JSON: "),
    ],
)
def test_values_that_are_none(project: Project, options: list[str], message: str) -> None:
    for name, text in (("list", "[]"), ("deep", '{"A": []}'), ("broken", "{")):
        (project.root / f"{name}.json").write_text(text)
    result = project.asl("validate", project.define("m", FUNCTION), *options)
    assert result.code == 2
    assert message in result.err


# -- tasks --------------------------------------------------------------------------------------------


def test_tasks_for_people(project: Project) -> None:
    result = project.asl("tasks")
    lines = [line.split() for line in result.out.splitlines()]
    assert lines[0] == ["name", "kind", "signature", "where"]
    assert lines[1][:4] == ["add_one", "async", "(event,", "context)"]
    assert ["double", "sync", "(event)"] in [line[:3] for line in lines]
    assert result.err == f"8 task callables; searched: {project.root / 'tasks'}\n"


def test_tasks_as_json(project: Project) -> None:
    shown = project.asl("tasks", "--json").json
    file = project.root / "tasks" / "callables.py"
    line = file.read_text().splitlines().index("def double(event):") + 1
    assert shown["places"] == [str(file.parent)]
    assert {"name": "double", "kind": "sync", "signature": "(event)", "location": f"{file}:{line}"} in shown[
        "tasks"
    ]


def test_what_tasks_print_when_they_are_loaded_is_no_output(project: Project) -> None:
    (project.root / "tasks" / "loud.py").write_text("print('loading')\n")
    result = project.asl("tasks", "--json")
    assert result.json["places"]
    assert "loading" in result.err


def test_no_tasks(project: Project) -> None:
    (project.root / "tasks" / "callables.py").unlink()
    result = project.asl("tasks")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"no task callables; searched: {project.root / 'tasks'}\n"


def test_no_places(project: Project) -> None:
    (project.root / "asl.toml").write_text("tasks = []\n")
    assert project.asl("tasks").err == "no task callables; searched: nowhere: the project configures no tasks\n"
