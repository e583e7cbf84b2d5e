"""``asl cost``: of past executions with all that they have started, and of definitions that are run for it."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import project
from tests.cli.project import PASS, SUM, machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

__all__ = ["project"]  # the fixture

RETRY = [{"ErrorEquals": ["OutOfStockError"], "MaxAttempts": 3}]
QUEUE = "arn:aws:states:::sqs:sendMessage"
TOKEN = {
    "Type": "Task",
    "Resource": f"{QUEUE}.waitForTaskToken",
    "Parameters": {"QueueUrl": "q", "MessageBody": {"t.$": "$$.Task.Token"}},
}
SENDS = machine(
    Send={"Type": "Task", "Resource": QUEUE, "Parameters": {"QueueUrl": "q", "MessageBody": "m"}},
    Done={"Type": "Pass"},
)


def lines(priced: dict[str, Any], model: str) -> dict[str, Any]:
    return {line["price"]: line for line in priced["models"][model]["lines"]}


def test_a_past_execution(project: Project) -> None:
    project.define("m", machine(Try=task("flaky", Retry=RETRY), Done={"Type": "Pass"}))
    assert (
        project.asl("run", "statemachines/m.json", "-i", "{}", "--name", "tried", "--time", "skip", "-q").code == 0
    )
    priced = project.asl("cost", "tried", "--json").json
    assert (priced["status"], priced["transitions"], priced["historyEvents"]) == ("SUCCEEDED", 4, 15)
    assert priced["states"]["Try"] == {"type": "Task", "entered": 1, "retried": 2, "transitions": 3}
    assert priced["models"]["STANDARD"]["perMonth"] > (4 * 1_000_000 - 4_000) * 25 / 1_000_000
    shown = project.asl("cost", "tried", "--executions", "2000").out
    assert "4 state transitions, 15 history events" in shown
    assert "one execution" in shown
    assert "2,000 a month" in shown
    assert "Prices of 2026-11-29, us-east-1" in shown


def test_children_and_executions_that_tasks_have_started_count(project: Project) -> None:
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {
            "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:inner",
            "Input": {"n": 1},
        },
        "ResultPath": None,
    }
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    each = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": {"ProcessorConfig": config, **PASS}}
    project.define("inner", SUM)
    project.define("outer", machine(Start=start, Each=each))
    ran = project.asl("run", "statemachines/outer.json", "-i", '{"items": [1, 2, 3]}', "--name", "all", "-q")
    assert ran.code == 0, ran.err
    priced = project.asl("cost", "all", "--json").json
    assert priced["children"] == 4
    assert {name: state["transitions"] for name, state in priced["states"].items()} == {
        "Start": 1,
        "Each": 1,
        "Done": 3,
        "Double": 1,
        "AddOne": 1,
    }
    assert priced["models"]["EXPRESS"]["reasons"] == [
        "Start waits for a job (states:startExecution.sync:2)",
        "Each is a distributed Map",
    ]
    of_definition = project.asl("cost", "statemachines/outer.json", "-i", '{"items": [1, 2, 3]}', "--json").json
    assert of_definition["states"] == priced["states"]


def test_a_definition_is_run_and_nothing_is_kept(project: Project) -> None:
    project.define("m", machine(Rest={"Type": "Wait", "Seconds": 90}, Double=task("double")))
    result = project.asl(
        "cost", "statemachines/m.json", "-i", '{"n": 2}', "--function", "double=500ms,512", "--json"
    )
    assert result.code == 0, result.err
    assert (result.json["seconds"], result.json["transitions"]) == (90.5, 2)
    assert lines(result.json, "STANDARD")["lambda-compute-arm"]["quantity"] == pytest.approx(0.25)
    assert not (project.root / ".asl").exists()


def test_stand_ins_take_the_place_of_what_would_be_called(project: Project) -> None:
    project.define("m", SENDS)
    refused = project.asl("cost", "statemachines/m.json")
    assert refused.code == 2
    assert "the state 'Send' would call AWS (arn:aws:states:::sqs:sendMessage)" in refused.err
    assert "Give stand-ins with --task, by the name of the state or of the resource." in refused.err
    assert "--aws" not in refused.err
    assert project.asl("cost", "statemachines/m.json", "--task", 'Send={"MessageId": "1"}').code == 0
    mocks = {
        "StateMachines": {"m": {"TestCases": {"Sent": {"Send": "sent"}}}},
        "MockedResponses": {"sent": {"0": {"Return": {"MessageId": "1"}}}},
    }
    (project.root / "mocks.json").write_text(json.dumps(mocks), encoding="utf-8")
    mocked = project.asl("cost", "statemachines/m.json", "--mock", "mocks.json#Sent", "--json")
    assert mocked.code == 0, mocked.err
    assert mocked.json["transitions"] == 2


def test_what_waits_for_somebody_is_priced_so_far(project: Project) -> None:
    project.define("m", machine(Ask=TOKEN, Done={"Type": "Pass"}))
    result = project.asl("cost", "statemachines/m.json", "--json")
    assert result.code == 0
    assert "it does not end by itself" in result.err
    assert "Ask" in result.err
    assert (result.json["status"], result.json["transitions"]) == ("RUNNING", 1)


def test_what_fails_is_priced_so_far(project: Project) -> None:
    project.define("m", machine(Try=task("fail"), Done={"Type": "Pass"}))
    result = project.asl("cost", "statemachines/m.json", "--json")
    assert (result.code, result.json["status"], result.json["transitions"]) == (0, "FAILED", 1)
    assert "it ended as FAILED with OutOfStockError: " in result.err


def test_placeholders_are_filled(project: Project) -> None:
    project.define("m", machine(Rest={"Type": "Wait", "Seconds": 7, "Comment": "${Why}"}))
    assert project.asl("cost", "statemachines/m.json", "--substitute", "Why=tea", "--json").json["seconds"] == 7


def test_a_definition_from_standard_input_has_no_name(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(PASS).encode())))
    assert project.asl("cost", "-", "--json").json["transitions"] == 1


def test_a_report_for_a_pull_request(project: Project) -> None:
    project.define("m", PASS)
    result = project.asl("cost", "statemachines/m.json", "--markdown", "report.md")
    assert "the report is in report.md" in result.err
    text = (project.root / "report.md").read_text(encoding="utf-8")
    assert text.startswith("### What m costs\n")
    assert "| **Standard** |  | $0.0000250 | $24.90 |" in text
    assert "| Done | Pass | 1 | 0 | 1 |" in text
    assert project.asl("cost", "statemachines/m.json", "--markdown", "-").out.startswith("### What m costs\n")


def test_the_prices(project: Project) -> None:
    shown = project.asl("cost", "--prices").out
    assert "https://aws.amazon.com/step-functions/pricing/" in shown
    given = project.asl("cost", "--prices", "--price", "durable-written=0.25", "--json").json
    assert given["usd"]["durable-written"]["usd"] == 0.25
    assert given["usd"]["durable-retained"]["usd"] is None


def test_memory_is_that_of_the_deployment(project: Project) -> None:
    project.define("m", machine(Double=task("double")))
    (project.root / "asl.toml").write_text(
        '[deploy]\narchitecture = "x86_64"\n[deploy.functions.double]\nmemory = 1024\n', encoding="utf-8"
    )
    priced = project.asl("cost", "statemachines/m.json", "-i", '{"n": 1}', "--function", "*=2s", "--json").json
    assert lines(priced, "STANDARD")["lambda-compute-x86"]["quantity"] == pytest.approx(2.0)


def test_a_function_that_nothing_serves_is_named(project: Project) -> None:
    project.define("m", machine(Call=task("nobody")))
    refused = project.asl("cost", "statemachines/m.json")
    assert refused.code == 2
    assert "there is no task callable for the function 'nobody'" in refused.err
    assert refused.err.rstrip().endswith(", give stand-ins with --task.")


BAD: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "name an execution or a definition"),
    "an execution that does not exist": (["nope"], "there is no execution 'nope' in"),
    "a file that does not exist": (["statemachines/sumn.json"], "did you mean 'statemachines/sum.json'?"),
    "a definition that does not load": (["statemachines/bad.json"], "/States/Done/Type"),
    "an unknown price": (
        ["statemachines/sum.json", "--price", "durable-writen=1"],
        "did you mean 'durable-written'?",
    ),
    "a price that is no number": (
        ["statemachines/sum.json", "--price", "durable-written=x"],
        "--price durable-written=x",
    ),
    "a mock of a state that does not exist": (["statemachines/sum.json", "--mock", "mocks.json#Bad"], "Dubble"),
    "a test case that does not exist": (["statemachines/sum.json", "--mock", "mocks.json#None"], "None"),
    "a stand-in for nothing": (["statemachines/sum.json", "--task", "Dubble=1"], "did you mean 'double'?"),
    "a stand-in without a value": (["statemachines/sum.json", "--task", "Double"], "it is NAME=JSON"),
    "a stand-in that is no JSON": (["statemachines/sum.json", "--task", "Double={"], "is not JSON"),
    "an unknown function": (
        ["statemachines/sum.json", "-i", '{"n": 1}', "--function", "dubble=1s"],
        "did you mean 'double'?",
    ),
    "a duration that is none": (
        ["statemachines/sum.json", "-i", '{"n": 1}', "--function", "double=soon"],
        "'soon' is no duration",
    ),
    "a memory that is none": (
        ["statemachines/sum.json", "-i", '{"n": 1}', "--function", "double=1s,big"],
        "such as pay=300ms,512",
    ),
    "no executions": (["statemachines/sum.json", "--executions", "0"], "--executions 0: it is at least 1"),
    "an input for an execution": (["nope", "-i", "{}"], "there is no file nope"),
    "an input that is no JSON": (["statemachines/sum.json", "-i", "{"], "--input:1:2"),
    "a report nowhere": (
        ["statemachines/sum.json", "-i", '{"n": 1}', "--markdown", "no/where.md"],
        "cannot write no/where.md",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(project: Project, case: str) -> None:
    arguments, told = BAD[case]
    project.define("sum", SUM)
    project.define("bad", machine(Done={"Type": "Past"}))
    mocks = {
        "StateMachines": {"sum": {"TestCases": {"Bad": {"Dubble": "one"}}}},
        "MockedResponses": {"one": {"0": {"Return": 1}}},
    }
    (project.root / "mocks.json").write_text(json.dumps(mocks), encoding="utf-8")
    project.asl("run", "statemachines/sum.json", "-i", '{"n": 1}', "-q")
    result = project.asl("cost", *arguments)
    assert result.code == 2
    assert told in result.err
    assert result.out == ""
    assert "Traceback" not in result.err
