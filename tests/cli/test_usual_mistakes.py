"""What a newcomer gets wrong, one row each: one message says what, where and what to do; nothing is left behind.

A row has the files of a project, the command, what its message says, and its exit code.
"""

from __future__ import annotations

import json
import shlex
import socket
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.cli.project import PASS, machine, resource, task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cli.project import Project

M = "statemachines/m.json"
RUN = f"run {M}"
OK = json.dumps(PASS)


class Mistake(NamedTuple):
    """``files`` are texts or bytes by path; ``m`` stands for the definition, as JSON or as text.

    ``before`` does what has to be done first; ``stored`` says that the run had begun.
    """

    command: str
    said: tuple[str, ...]
    m: Any = PASS
    files: Mapping[str, str | bytes] = {}
    code: int = 2
    before: Callable[[Project], Any] | None = None
    stored: bool = False


def definition(m: Any, *said: str, command: str = RUN) -> Mistake:
    return Mistake(command, said, m)


def given(text: str, *said: str, files: Mapping[str, str | bytes] | None = None) -> Mistake:
    return Mistake(f"{RUN} --input {shlex.quote(text)}", said, files=files or {})


def yaml(text: str, *said: str) -> Mistake:
    return Mistake("run m.yaml", said, files={"m.yaml": text})


def configured(text: str, *said: str, command: str = RUN) -> Mistake:
    return Mistake(command, said, files={"pyproject.toml": f"[tool.asl]\n{text}\n"})


def tasks(text: str, *said: str, function: str = "own", code: int = 2, stored: bool = False) -> Mistake:
    m = machine(A=task(function))
    return Mistake(RUN, said, m, {"tasks/own.py": text}, code=code, stored=stored)


def ran(*names: str) -> Callable[[Project], None]:
    def before(project: Project) -> None:
        for name in names:
            project.ran(PASS, name=name)

    return before


def jsonata(**fields: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", **machine(A={"Type": "Pass", **fields})}


def newer(project: Project) -> None:
    project.ran(PASS)
    with sqlite3.connect(project.db) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def busy_port(project: Project) -> socket.socket:
    """Held until the test has ended."""
    listening = socket.create_server(("127.0.0.1", 0))
    (project.root / "port").write_text(str(listening.getsockname()[1]))
    return listening


A = {"Type": "Pass"}
CHOICE = {"Type": "Choice", "Choices": [{"Variable": "$.x", "StringEqual": "a", "Next": "B"}], "Default": "B"}
RETRY = task("double", Retry=[{"ErrorEquals": "States.ALL"}])

CONNECTION = """\
[tool.asl.connections.api]
auth = "BASIC"
username = "u"
password = { env = "NO_SUCH_VARIABLE" }
"""
CALL = {
    "ApiEndpoint": "https://api.example.com",
    "Method": "GET",
    "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/api/1"},
}
CALL_OTHER = "arn:aws:events:us-east-1:123456789012:connection/other/1"

MISTAKES = {
    # -- fields and states
    "StartsAt": definition(
        {"StartsAt": "A", "States": PASS["States"]}, "m.json:1:2: /StartsAt: ", "did you mean 'StartAt'?"
    ),
    "a type": definition(machine(A={"Type": "Taks"}), "/States/A/Type: Expected one of", "did you mean 'Task'?"),
    "a Next in another case": definition(
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "b"}, "B": {"Type": "Succeed"}}},
        "m.json:1:51: /States/A/Next: Missing 'Next' target: b; did you mean 'B'?",
    ),
    "a Next that leads out of a branch": definition(
        machine(
            P={
                "Type": "Parallel",
                "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Last"}}}],
            },
            Last={"Type": "Pass"},
        ),
        "/States/P/Branches[0]/States/A/Next: Missing 'Next' target: Last; it is a state outside of this scope, "
        "and a transition stays within its machine, branch or item processor",
    ),
    "a Next that leads into a branch": definition(
        {
            "StartAt": "P",
            "States": {
                "P": {"Type": "Parallel", "Branches": [machine(Ax={"Type": "Pass"})], "Next": "Ax"},
                "B": {"Type": "Succeed"},
            },
        },
        "/States/P/Next: Missing 'Next' target: Ax; it is a state outside of this scope, and a transition stays",
    ),
    "a StartAt that is no state": definition({**PASS, "StartAt": "Don"}, "/StartAt: ", "did you mean 'Done'?"),
    "a field": definition(
        machine(A={"Type": "Pass", "Ouput": 1}), "/States/A/Ouput: ", "did you mean 'OutputPath'?"
    ),
    "neither Next nor End": definition(
        {"StartAt": "A", "States": {"A": A}}, '/States/A: A state must have either Next or "End": true'
    ),
    "both Next and End": definition(
        machine(A={"Type": "Pass", "Next": "B", "End": True}, B={"Type": "Succeed"}),
        "/States/A: A state can have only one of Next and End",
    ),
    "End as a text": definition(
        {"StartAt": "A", "States": {"A": {**A, "End": "true"}}},
        "refused for 1 reason",
        "/States/A/End: Expected value of type Boolean, but was 'true'",
    ),
    "a state that nothing leads to": definition(
        {"StartAt": "A", "States": {"A": {**A, "End": True}, "B": {**A, "End": True}}},
        '/States/B: State "B" is not reachable.',
    ),
    "a number as a text": definition(
        machine(A={"Type": "Wait", "Seconds": "5"}),
        "/States/A/Seconds: Expected value of type Integer, but was '5'",
    ),
    "ErrorEquals as a text": definition(
        machine(A=RETRY), "/States/A/Retry[0]/ErrorEquals: Expected value of type Array, but was 'States.ALL'"
    ),
    "an operator": definition(
        machine(A=CHOICE, B={"Type": "Succeed"}),
        "/States/A/Choices[0]/StringEqual: ",
        "did you mean 'StringEquals'?",
    ),
    "a Map without a processor": definition(
        machine(A={"Type": "Map"}), "/States/A: The field 'ItemProcessor' is required but was missing"
    ),
    "Branches as an object": definition(
        machine(A={"Type": "Parallel", "Branches": {}}),
        "/States/A/Branches: Expected value of type Array, but was {}",
    ),
    "a query language": definition(
        {"QueryLanguage": "JSONAta", **PASS}, "/QueryLanguage: Expected one of 'JSONPath' or 'JSONata'"
    ),
    "a version of the language": definition({"Version": "2.0", **PASS}, "/Version: Expected one of '1.0'"),
    "an error name": Mistake(
        f"validate {M} --strict",
        ("/States/A/Retry[0]/ErrorEquals: There is no error States.Al; did you mean 'States.ALL'?",),
        machine(A=task("double", Retry=[{"ErrorEquals": ["States.Al"]}])),
    ),
    # -- what tasks call
    "a Resource that is a name": definition(
        machine(A={"Type": "Task", "Resource": "double"}),
        "/States/A/Resource: Expected an ARN, as in arn:aws:lambda",
    ),
    "functon": definition(
        machine(A={"Type": "Task", "Resource": resource("double").replace("function", "functon")}),
        "/States/A/Resource: No task can call arn:",
        f"did you mean '{resource('double')}'?",
    ),
    "a function": definition(
        machine(A=task("dubble")),
        "there is no task callable for the function 'dubble'",
        "did you mean 'double'?",
        "m.json:1:51: /States/A/Resource",
        "or pass `--lambda`",
    ),
    "an integration": definition(
        machine(A={"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMesage", "Parameters": {}}),
        "/States/A/Resource: ",
        "is not recognized",
        "did you mean 'sqs:sendMessage'?",
    ),
    "an action of the SDK": definition(
        machine(A={"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:getObjct", "Parameters": {}}),
        "/States/A/Resource: ",
        "did you mean 'getObject'?",
    ),
    "a pattern of an integration": definition(
        machine(A={"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.sync", "Parameters": {}}),
        "/States/A/Resource: ",
        "sqs:sendMessage has the patterns: .waitForTaskToken",
    ),
    "an activity": definition(
        machine(A={"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:x"}),
        "m.json:1:51: /States/A/Resource",
        "start `asl serve`",
    ),
    "a placeholder": definition(
        machine(A={"Type": "Task", "Resource": "${Fn}"}),
        "/States/A/Resource: The placeholder ${Fn} has no value: substitute one for it",
    ),
    # -- expressions
    "a path without $": definition(
        machine(A={"Type": "Pass", "InputPath": "a.b"}), "/States/A/InputPath: A path begins with $"
    ),
    "a path that ends too early": definition(
        machine(A={"Type": "Pass", "InputPath": "$.a["}), "/States/A/InputPath: Expected a name in quotes"
    ),
    "an intrinsic function": definition(
        machine(A={"Type": "Pass", "Parameters": {"x.$": "States.Formatt('a')"}}),
        "/States/A/Parameters/x.$: There is no intrinsic function States.Formatt; did you mean 'States.Format'?",
    ),
    "a bracket in JSONata": definition(
        jsonata(Output="{% (1 %}"), '/States/A/Output: S0203: Expected ")" before end of expression'
    ),
    "a function of JSONata": Mistake(
        f"validate {M} --strict",
        ("m.json:1:", "/States/A/Output: There is no function $summ: calling it fails; did you mean '$sum'?"),
        jsonata(Output="{% $summ([1]) %}"),
    ),
    "a variable": Mistake(
        f"validate {M} --strict",
        ("/States/B/Parameters/x.$: No state assigns $totl: reading it fails; did you mean 'total'?",),
        machine(A={**A, "Assign": {"total": 1}}, B={**A, "Parameters": {"x.$": "$totl"}}),
    ),
    "a member of $states": Mistake(
        f"validate {M} --strict",
        ("/States/A/Output: There is no $states.inputt: it comes to nothing; did you mean 'input'?",),
        jsonata(Output="{% $states.inputt.x %}"),
    ),
    "a path that lacks .$": Mistake(
        f"validate {M} --strict",
        ("/States/A/Parameters/x: '$.y' will be a text, unless the name is 'x.$'",),
        machine(A={**A, "Parameters": {"x": "$.y"}}),
    ),
    "JSONPath in JSONata": definition(
        jsonata(InputPath="$.x"), "/States/A: ", "only supported for the 'JSONPath'"
    ),
    "JSONata in JSONPath": definition(
        machine(A={**A, "Output": "{% 1 %}"}), "/States/A: ", "only supported for the 'JSONata' QueryLanguage"
    ),
    # -- definitions that are no JSON or YAML
    "a comma too many": definition('{"StartAt": "A",}', "m.json:1:", "JSON has no comma before a closing bracket"),
    "single quotation marks": definition("{'StartAt': 'A'}", "m.json:1:2: ", "straight double quotation marks"),
    "a comment": definition('{\n// first\n"StartAt": "A"}', "m.json:2:1: ", "JSON has no comments"),
    "a key given twice": definition('{"StartAt": "A",\n"StartAt": "B"}', "m.json:2:1: ", "is given twice"),
    "a text that was cut": definition('{"StartAt": "A"', "m.json:1:16: ", "the text ends too early"),
    "an empty definition": definition("", "m.json: the definition is empty"),
    "UTF-16": Mistake(
        RUN, ("m.json: the definition is not UTF-8", "it is UTF-16: save it as UTF-8"), b"\xff\xfe{\0}\0"
    ),
    "a tab in YAML": yaml("StartAt: A\nStates:\n\tA: {}\n", "m.yaml:3:1: ", "indented with blanks, not with tabs"),
    "a colon in YAML": yaml("Comment: a: b\n", "m.yaml:1:11: ", "a text with a colon in it needs quotation marks"),
    "a key given twice in YAML": yaml("StartAt: A\nStartAt: B\n", "m.yaml:2:1: The key 'StartAt' is given twice"),
    "an expression in YAML": yaml(
        "QueryLanguage: JSONata\nStartAt: A\nStates:\n  A:\n    Type: Pass\n    Output: {% 1 %}\n",
        "m.yaml:6:14: ",
        'an expression of JSONata needs quotation marks: "{% ... %}"',
    ),
    "yes in YAML": yaml(
        "StartAt: A\nStates:\n  A:\n    Type: Pass\n    End: yes\n", "m.yaml:5:5: /States/A/End: ", "but was 'yes'"
    ),
    "a template": Mistake(
        "run template.yaml#Odrer",
        (
            "template.yaml has no state machine Odrer; did you mean 'Order'?",
            "template.yaml:5: template.yaml#Order",
        ),
        files={
            "m.json": OK,
            "template.yaml": "Resources:\n  Order:\n    Type: AWS::Serverless::StateMachine\n"
            "    Properties:\n      DefinitionUri: m.json\n",
        },
    ),
    # -- files
    "a file in another folder": Mistake(
        "run m.json", ("there is no file m.json", "did you mean 'statemachines/m.json'?")
    ),
    "a file's name": Mistake(
        "run statemachines/n.json", ("there is no file", "did you mean 'statemachines/m.json'?")
    ),
    "a folder's name": Mistake(
        "run statemachine/m.json", ("there is no file statemachine/m.json", "did you mean 'statemachines/m.json'?")
    ),
    "a machine's name": Mistake("run m", ("there is no file m", "did you mean 'statemachines/m.json'?")),
    "a file without its ending": Mistake("run statemachines/m", ("did you mean 'statemachines/m.json'?",)),
    "a folder": Mistake("run statemachines", ("statemachines is a folder, not the definition; it has m.json",)),
    "an empty project": Mistake("validate tasks", ("there is no definition below tasks: give a file, or put",)),
    # -- inputs
    "an empty variable of the shell": given("", "--input is empty: give JSON such as {}, a file, or -"),
    "a missing input": given(
        "ordr.json", "there is no file ordr.json", "did you mean 'order.json'?", files={"order.json": "1"}
    ),
    "an input as curl wants it": given("@i.json", "give its path alone: i.json", files={"i.json": "1"}),
    "an input as the AWS CLI wants it": given(
        "file://i.json", "give its path alone: i.json", files={"i.json": "1"}
    ),
    "an input of a shell without quotation marks": given(
        "{a:1}", "--input:1:2: ", "names and texts are in quotation marks"
    ),
    "NaN": given('{"a": "NaN",\n "b": NaN}', "--input:2:7: the input is not JSON: NaN is not a JSON value"),
    "an infinite number": given('{"a": -Infinity}', "--input:1:7: ", "-Infinity is not a JSON value"),
    "a number that is too large": given('{"a": [1, 1e999]}', "--input:1:11: ", "the number 1e999 is too large"),
    "a placeholder in an input": given('{"a": ${N}}', "--input:1:7: ", "names and texts are in quotation marks"),
    "Python's True": given('{"a": True}', "--input:1:7: ", "JSON has true, false and null"),
    "a bracket too many": given('{"a": 1}}', "--input:1:9: ", "there is a closing bracket too many"),
    "a missing comma": given('{"a": 1 "b": 2}', "--input:1:9: ", "a comma is missing before this"),
    "an empty input": given("i.json", "i.json: the input is empty", files={"i.json": ""}),
    "an input in another encoding": given("i.json", "i.json: the input is not UTF-8", files={"i.json": b'"\xfc"'}),
    "a folder as the input": given("tasks", "tasks is a folder, not the input"),
    # -- options
    "an option": Mistake(f"{RUN} --inptu x", ("No such option: --inptu", "--input", "see: asl run --help")),
    "a command": Mistake("rn x", ("No such command 'rn'", "Did you mean 'run'?")),
    "no argument": Mistake("show", ("Missing argument 'EXECUTION'", "see: asl show --help")),
    "an argument too many": Mistake(f"{RUN} x", ("unexpected extra argument", "(x)", "see: asl run --help")),
    "a text for a number": Mistake(
        "list --limit x", ("'--limit': 'x' is not a whole number", "see: asl list --help")
    ),
    "a way of time": Mistake(f"{RUN} --time 10", ("--time 10: it is real, skip or scale=N",)),
    "a limit": Mistake(
        f"{RUN} --limit history=3", ("--limit history: there is no", "did you mean 'history_events'?")
    ),
    "a placeholder that stands for a number": definition(
        '{"StartAt": "A", "States": {"A": {"Type": "Wait",\n"Seconds": ${N}, "End": true}}}',
        "m.json:2:12: ",
        "the placeholder ${N} has no value: substitute one for it",
        "Give it with --substitute NAME=VALUE",
    ),
    "a placeholder's name": Mistake(
        f"{RUN} --substitute Stag=x",
        ("--substitute Stag=x: there is no ${Stag} in the definition; did you mean 'Stage'?",),
        machine(A={"Type": "Pass", "Result": "${Stage}"}),
    ),
    "an endpoint without a URL": Mistake(f"{RUN} --endpoint sqs", ("--endpoint sqs: it is SERVICE=URL",)),
    "an endpoint of no service": Mistake(
        f"{RUN} --endpoint foo=http://x", ("--endpoint foo=http://x: there is no AWS service 'foo'",)
    ),
    "an endpoint of no service for a server": Mistake(
        "serve --endpoint sqss=http://x",
        ("--endpoint sqss=http://x: there is no AWS service 'sqss'; did you mean 'sqs'?",),
    ),
    "an endpoint that is no URL": Mistake(
        f"{RUN} --lambda-endpoint localhost", ("--lambda-endpoint localhost: it has to be a URL, such as http",)
    ),
    "a mock without a case": Mistake(f"{RUN} --mock x.json", ("--mock x.json: it is FILE#CASE",)),
    "a name": Mistake(f"{RUN} --name a/b", ("--name 'a/b': a name has 1 to 80 characters, but no",)),
    "a state": Mistake(
        f"test-state {M} --state Don", ("--state Don: there is no such state; did you mean 'Done'?",)
    ),
    "a status": Mistake("list --status DONE", ("--status DONE: it is one of RUNNING, SUCCEEDED",)),
    "a port": Mistake("serve --port 99999", ("--port 99999: a port is a number from 0 to 65535",)),
    "a port in use": Mistake(
        "serve --port PORT", ("Address already in use; choose another --port",), before=busy_port
    ),
    # -- executions and databases
    "an execution that is none": Mistake(
        "show x", ("there is no execution 'x' in ", "`asl list`"), before=ran("one")
    ),
    "the ARN of a state machine": Mistake(
        "show arn:aws:states:us-east-1:123456789012:stateMachine:m",
        ("is the ARN of a state machine, not of an execution; `asl list --machine m` shows its executions",),
        before=ran("one"),
    ),
    "the ARN of a version": Mistake(
        "history arn:aws:states:us-east-1:123456789012:stateMachine:m:1",
        ("is the ARN of a state machine, not of an execution; `asl list --machine m` shows",),
        before=ran("one"),
    ),
    "an empty file for a database": Mistake(
        "list --db zero.db", ("zero.db is empty: `asl run` makes a database of it",), files={"zero.db": ""}
    ),
    "an empty file to resume from": Mistake(
        "resume x --db zero.db", ("zero.db is empty: `asl run` makes a database of it",), files={"zero.db": ""}
    ),
    "a beginning of two names": Mistake(
        "show o", ("'o' may be any of 2 executions; give more of its name, or its ARN:",), before=ran("o-1", "o-2")
    ),
    "a name that was used": Mistake(
        f"{RUN} --name one", ("exists and has ended (SUCCEEDED): choose another --name",), before=ran("one")
    ),
    "no run so far": Mistake("show x", ("There is no database at ", "`asl run` makes one")),
    "a database in memory": Mistake(f"{RUN} --db :memory:", ("--db :memory: is not a file",)),
    "a database that is a folder": Mistake(
        "list --db tasks", ("is a folder, not a database: name a file with --db",)
    ),
    "a database that is none": Mistake(
        f"list --db {M}", ("is not a SQLite database: name another file with --db",)
    ),
    "a database from a newer version": Mistake("list", ("newer version of asl-engine (layout 99",), before=newer),
    "a database where there is no folder": Mistake(
        f"{RUN} --db tasks/callables.py/x.db", ("Cannot make the folder", "name another file with --db")
    ),
    # -- tasks
    "an import that fails": tasks("import nowhere\n", "own.py:1: cannot import the tasks: ModuleNotFoundError"),
    "a syntax error": tasks("x = 1\ndef own(:\n", "own.py:2: cannot import the tasks: SyntaxError"),
    "a wrong signature": tasks(
        "def own(a, b, c): ...\n",
        "own.py:1: the task 'own' takes (a, b, c); a task takes (event) or (event, context)",
    ),
    "a missing decorator": tasks(
        "from asl_engine import task\n@task\ndef other(event): ...\ndef own(event): ...\n",
        "there is no task callable for the function 'own'",
        "task callables found: ",
    ),
    "one callable in two forms": tasks(
        "def own_task(event): ...\ndef ownTask(event): ...\n", "could be any of", "own.py:1", function="own-task"
    ),
    "a result that is not JSON": tasks(
        "def own(event): return {1}\n", "Runtime.MarshalError", "set", code=1, stored=True
    ),
    "an exception": tasks(
        "def own(event): return event['x']\n", "KeyError", "own.py", "line 1", code=1, stored=True
    ),
    # -- the project
    "a key": configured("tsks = 1", "pyproject.toml: there is no key 'tsks'; did you mean 'tasks'?"),
    "a value of another type": configured("tasks = 5", "pyproject.toml: tasks has to be a path", "it is 5"),
    "an account as a number": configured("account = 123456789012", "account has to be twelve digits in quotes"),
    "a limit of the project": configured(
        "limits = { history = 1 }", "pyproject.toml: limits: history: there is no"
    ),
    "tasks that are not there": configured("tasks = 'nope'", "pyproject.toml: tasks: there is no "),
    "a function's key": configured(
        "functions = { f = { handlr = 'x' } }", "pyproject.toml: functions.f: there is no key 'handlr'"
    ),
    "a variable that is not set": Mistake(
        RUN,
        ("pyproject.toml: connections.api.password: the environment variable NO_SUCH_VARIABLE is not set",),
        machine(A={"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": CALL}),
        {"pyproject.toml": CONNECTION},
    ),
    "an endpoint of the project": configured(
        "endpoints = { sqs = 'x' }",
        "pyproject.toml: endpoints.sqs: it has to be a URL, such as http://localhost:4566: 'x'",
        command="validate",
    ),
    "a bucket without its folder": configured(
        "buckets = { b = 'nope' }", "pyproject.toml: buckets: b: there is no folder ", command="validate"
    ),
    "a handler without its module": Mistake(
        RUN,
        ("pyproject.toml: functions.f.handler: there is no module app in ",),
        machine(A=task("f")),
        {"pyproject.toml": "[tool.asl]\nfunctions = { f = { handler = 'app:h' } }\n"},
    ),
    "a Python that is not there": Mistake(
        RUN,
        ("pyproject.toml: functions.f.python: there is no ", "nope/python"),
        machine(A=task("f")),
        {"pyproject.toml": "[tool.asl]\nfunctions = { f = { handler = 'tasks.t:h', python = 'nope/python' } }\n"},
    ),
    "broken TOML": configured('tasks = "x', "pyproject.toml: this is not TOML", "line 2"),
}


def test_a_variable_that_is_not_set_stops_no_machine_that_does_not_call_the_api(project: Project) -> None:
    queue = {
        "Type": "Task",
        "Resource": "arn:aws:states:::http:invoke",
        "Parameters": {**CALL, "Authentication": {"ConnectionArn": CALL_OTHER}},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}],
        "Next": "B",
    }
    write(project, {"pyproject.toml": CONNECTION, M: json.dumps(machine(A=queue, B={"Type": "Succeed"}))})
    result = project.asl("run", M)
    assert result.code == 0, result.err
    assert project.asl("validate", "--no-lint").code == 0


def test_there_are_enough() -> None:
    assert len(MISTAKES) >= 60


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_message(project: Project, mistake: Mistake) -> None:
    write(
        project, {M: mistake.m if isinstance(mistake.m, str | bytes) else json.dumps(mistake.m), **mistake.files}
    )
    held = mistake.before and mistake.before(project)
    command = shlex.split(mistake.command)
    if "PORT" in command:
        command[command.index("PORT")] = (project.root / "port").read_text()
    there = tree(project)
    result = project.asl(*command)
    if held is not None:
        held.close()
    told = result.out + result.err
    assert result.code == mistake.code, told
    assert [part for part in mistake.said if part not in told] == [], told
    assert "Traceback" not in told
    assert told.count("asl: error:") == (
        0 if mistake.stored or (command[0] == "validate" and not result.err) else 1
    )
    if not mistake.stored:
        assert tree(project) == there


def write(project: Project, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = project.root / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def tree(project: Project) -> dict[str, int]:
    """Every file with its size, but for what Python and SQLite keep beside theirs."""
    beside = ("-wal", "-shm", ".pyc")
    return {
        str(path.relative_to(project.root)): path.stat().st_size
        for path in project.root.rglob("*")
        if path.is_file() and not path.name.endswith(beside)
    }
