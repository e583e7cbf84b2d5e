"""``asl mcp``, driven by the official client over standard input and output of a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from asl_engine.agents.mocks import ahead_of
from tests.cli.conftest import project
from tests.cli.project import ROOT, machine, task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.cli.project import Project

__all__ = ["project"]  # the fixture

RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 60, "MaxAttempts": 2}]
PAY = {
    "StartAt": "Check",
    "States": {
        "Check": {**task("check"), "Next": "Pay"},
        "Pay": {
            **task("pay"),
            "Retry": RETRY,
            "Catch": [{"ErrorEquals": ["Declined"], "Next": "Sorry"}],
            "Next": "Send",
        },
        "Send": {**task("send"), "End": True},
        "Sorry": {"Type": "Fail", "Error": "NotPaid"},
    },
}
MOCKS = {"check": {"return": {"n": 1}}, "Pay": {"return": {"paid": True}}, "Send": {"return": "sent"}}
BUSY = {**MOCKS, "Pay": [{"error": "Busy"}, {"return": {"paid": True}}]}
BROKEN = {**MOCKS, "Send": {"error": "Lost", "cause": "no carrier"}}


class Agent:
    """A client, and what its calls answer."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, tool: str, /, **arguments: Any) -> Any:
        """The answer of a tool that does what it is asked for."""
        is_error, answer = await self.asked(tool, arguments)
        assert not is_error, answer
        return answer

    async def refused(self, tool: str, /, **arguments: Any) -> Any:
        is_error, answer = await self.asked(tool, arguments)
        assert is_error, answer
        return answer

    async def asked(self, tool: str, arguments: dict[str, Any]) -> tuple[bool, Any]:
        result = await self.client.call_tool(tool, arguments)
        (content,) = result.content
        text: str = content.text  # type: ignore[union-attr]  # no tool answers with anything but text
        assert ", " not in text.split('"', maxsplit=1)[0]
        return bool(result.is_error), json.loads(text)

    async def follow(self, answer: dict[str, Any]) -> Any:
        """The answer of the next step that an answer names."""
        return await self(answer["next"]["tool"], **answer["next"]["arguments"])


def talk(root: Path, work: Callable[[Agent], Awaitable[None]], *arguments: str) -> None:
    """Let an agent work with a server of the project in a process of its own."""

    async def main() -> None:
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "asl_engine", "mcp", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=root,
        )
        async with Client(server, read_timeout_seconds=60) as client:
            await work(Agent(client))

    asyncio.run(main())


def test_from_a_definition_to_a_pinned_failure_by_the_next_steps(project: Project) -> None:
    project.define("pay", PAY)

    async def work(agent: Agent) -> None:
        there = await agent("list", what="definitions")
        assert there["definitions"] == ["statemachines/pay.json"]
        valid = await agent.follow(there)
        assert valid["result"] == "OK"
        open_tasks = await agent.refused("run", **valid["next"]["arguments"])
        assert open_tasks["calls"] == {"Check": "check", "Pay": "pay", "Send": "send"}
        assert (await agent.follow(open_tasks))["status"] == "SUCCEEDED"
        broken = await agent("run", definition="pay", mocks=BROKEN, name="broken")
        assert (broken["status"], broken["error"], broken["failedIn"]) == ("FAILED", "Lost", "Send")
        assert any("✗ Send" in line for line in broken["tree"])
        assert broken["next"]["tool"] == "fork"
        still = await agent.follow(broken)  # what is not mocked answers as it did
        assert (still["forkOf"], still["status"]) == ("broken", "FAILED")
        mended = await agent("fork", execution="broken", at="Send", mocks={"send": {"return": "sent"}})
        assert (mended["status"], mended["output"]) == ("SUCCEEDED", "sent")
        pinned = await agent("pin", execution="broken", mock_all=True)
        assert pinned["file"] == "tests/test_broken.py"
        assert "def test_broken(asl)" in pinned["text"]
        compile(pinned["text"], "test_broken.py", "exec")

    talk(project.root, work)
    assert not (project.root / "tests").exists()


def test_looking_at_what_was_run(project: Project) -> None:
    project.define("pay", PAY)

    async def work(agent: Agent) -> None:
        assert (await agent.refused("list"))["next"]["arguments"] == {"what": "definitions"}
        ran = await agent("run", definition="statemachines/pay.json", mocks=BUSY, input={"n": 1}, name="busy")
        assert ran["status"] == "SUCCEEDED"
        listed = await agent("list", machine="pay")
        assert [one["name"] for one in listed["executions"]] == ["busy"]
        assert await agent("list", status="FAILED") == {"executions": [], "stateMachines": ["pay"]}
        shown = await agent("show", execution="bus")
        assert (shown["input"], shown["output"], shown["historyLength"]) == ({"n": 1}, "sent", 20)
        tree = await agent("history", execution="busy")
        assert any("attempt 1 Busy, tried again after 1 min 0 s" in line for line in tree["tree"])
        first = await agent("history", execution="busy", view="events", limit=3)
        assert [event["id"] for event in first["events"]] == [1, 2, 3]
        second = await agent.follow(first)
        assert [event["id"] for event in second["events"]] == [4, 5, 6]
        one = await agent("show", execution="busy", event=2)
        assert one["text"] == '{"n":1}'
        assert "class" in (await agent("graph", execution="busy"))["mermaid"]
        assert (await agent("graph", definition="pay"))["mermaid"].startswith("flowchart")
        never = await agent("coverage")
        assert {"place": "States.Sorry", "kind": "state", "definition": "statemachines/pay.json"} in never["never"]
        assert (await agent("replay", execution="busy"))["result"] == "SAME"
        edited = json.loads(json.dumps(PAY).replace('"Busy"', '"Idle"'))
        other = await agent("replay", execution="busy", definition=edited)
        assert other["result"] == "DIFFERENT"
        assert other["difference"]["recorded"]["event"] == "RetryScheduled"

    talk(project.root, work)


def test_costs(project: Project) -> None:
    project.define("pay", PAY)

    async def work(agent: Agent) -> None:
        await agent("run", definition="pay", mocks=BUSY, name="busy")
        priced = await agent("cost", execution="busy", executions=1000, prices={"durable-written": 0.25})
        assert priced["transitions"] == 4
        assert priced["models"]["STANDARD"]["perMonth"] == 0.0  # all of it is free
        of_definition = await agent("cost", definition="pay", mocks=BUSY, functions={"*": "100ms"})
        assert of_definition["seconds"] == 60.4
        assert "prices" not in of_definition
        assert "there is no price 'x'" in (await agent.refused("cost", execution="busy", prices={"x": 1}))["error"]
        assert "would call something real" in (await agent.refused("cost", definition="pay"))["error"]
        table = await agent.client.read_resource("asl://prices")
        assert "standard-transitions" in json.loads(table.contents[0].text)["usd"]  # type: ignore[union-attr]  # JSON

    talk(project.root, work)


def test_a_state_by_itself(project: Project) -> None:
    project.define("pay", PAY)

    async def work(agent: Agent) -> None:
        caught = await agent("test_state", definition="pay", state="Pay", input={"n": 1}, error="Declined")
        assert (caught["status"], caught["nextState"]) == ("CAUGHT_ERROR", "Sorry")
        again = await agent("test_state", definition="pay", state="Pay", error="Busy")
        assert again["status"] == "RETRIABLE"
        lone = {"Type": "Pass", "Parameters": {"m.$": "$.n"}, "End": True}
        passed = await agent("test_state", definition=lone, input={"n": 1})
        assert json.loads(passed["output"]) == {"m": 1}
        unmocked = await agent.refused("test_state", definition="pay", state="Pay")
        assert (await agent.follow(unmocked))["status"] == "SUCCEEDED"
        assert (await agent.refused("test_state", definition="pay"))["exists"] == ["Check", "Pay", "Send", "Sorry"]
        assert "did you mean 'Pay'" in (await agent.refused("test_state", definition="pay", state="pay"))["error"]

    talk(project.root, work)


def test_nothing_real_is_called_unless_the_call_says_so(project: Project) -> None:
    project.define("own", machine(D=task("double"), N=task("add_one")))
    queue = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": "q", "MessageBody": "m"},
    }
    project.define("aws", machine(Q=queue))
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:own"},
    }
    project.define("outer", machine(S=start))

    async def work(agent: Agent) -> None:
        refused = await agent.refused("run", definition="own", input={"n": 1})
        assert "real='callables'" in refused["error"]
        nested = await agent.refused("run", definition="outer")
        assert nested["calls"] == {"D": "double", "N": "add_one"}
        real = await agent("run", definition="own", input={"n": 1}, real="callables")  # and it prints
        assert real["output"] == {"n": 3}
        half = await agent(
            "run", definition="own", input={"n": 1}, mocks={"D": {"return": {"n": 9}}}, real="callables"
        )
        assert half["output"] == {"n": 10}
        aws = await agent.refused("run", definition="aws", real="callables")
        assert "real='aws'" in aws["error"]

    talk(project.root, work)


def test_runs_that_are_not_kept(project: Project) -> None:
    project.define("pay", PAY)
    responses = {"ok": {"0": {"Return": {"n": 1}}}, "no": {"0": {"Throw": {"Error": "Declined", "Cause": "card"}}}}
    cases = {"Declined": {"Check": "ok", "Pay": "no", "Send": "ok"}, "Some": {"Check": "ok"}}
    mocks = {"StateMachines": {"pay": {"TestCases": cases}}, "MockedResponses": responses}
    (project.root / "mocks.json").write_text(json.dumps(mocks), encoding="utf-8")

    async def work(agent: Agent) -> None:
        done = await agent("run", definition="pay", mocks=MOCKS, keep=False)
        assert (done["status"], done["path"], done["kept"]) == ("SUCCEEDED", ["Check", "Pay", "Send"], False)
        declined = await agent("run", definition="pay", case="mocks.json#Declined")
        assert (declined["status"], declined["error"]) == ("FAILED", "NotPaid")
        some = await agent.refused("run", definition="pay", case="mocks.json#Some")
        assert list(some["calls"]) == ["Pay", "Send"]
        for case, told in {
            "mocks.json#Nope": "Nope",
            "mocks.json": "FILE#CASE",
            "../mocks.json#Declined": "is not in the project",
        }.items():
            assert told in (await agent.refused("run", definition="pay", case=case))["error"]

    talk(project.root, work)
    assert not project.db.exists()


def test_large_data_is_cut_and_the_rest_can_be_had(project: Project) -> None:
    project.define("pay", PAY)
    letter = "x" * 50_000

    async def work(agent: Agent) -> None:
        await agent("run", definition="pay", mocks={**MOCKS, "Send": {"return": letter}}, name="big")
        shown = await agent("show", execution="big")
        assert shown["output"]["characters"] == 50_002
        text, window = "", await agent(shown["output"]["rest"]["tool"], execution="big", part="output")
        text += window["text"]
        while "next" in window:
            window = await agent.follow(window)
            text += window["text"]
        assert json.loads(text) == letter
        events = await agent("history", execution="big", view="events", data=True, limit=500)
        assert len(json.dumps(events)) < 20_000

    talk(project.root, work)


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a definition that does not exist": ("validate", {"definition": "pya"}, "did you mean 'pay'?"),
    "a file that does not exist": ("run", {"definition": "no/pay.json"}, "there is no definition no/pay.json"),
    "a path out of the project": ("validate", {"definition": "../x.json"}, "is not in the project"),
    "an absolute path": ("graph", {"definition": "/etc/passwd"}, "is not in the project"),
    "a link out of the project": ("validate", {"definition": "link.json"}, "is not in the project"),
    "an execution that does not exist": ("show", {"execution": "nope"}, "there is no execution 'nope'"),
    "a mock for what there is not": ("run", {"definition": "pay", "mocks": {"Sned": {"return": 1}}}, "'Sned'"),
    "a mock that is none": ("run", {"definition": "pay", "mocks": {"Pay": 1}}, "mocks: Pay: 1 is no mock"),
    "a fork at a state that there is not": ("fork", {"execution": "done", "at": "Pya"}, "did you mean 'Pay'?"),
    "a fork's input without a state": ("fork", {"execution": "done", "input": {}}, "name it with 'at'"),
    "a fork of what has not failed": ("fork", {"execution": "done"}, "there is no failure of done"),
    "a name that is taken": ("run", {"definition": "pay", "mocks": MOCKS, "name": "done"}, "done"),
    "an event that there is not": ("show", {"execution": "done", "event": 99}, "has the events 1 to 17"),
    "a part that there is not": ("show", {"execution": "done", "part": "cause"}, "done has no cause"),
    "a status that is none": ("list", {"status": "DONE"}, "it is one of RUNNING"),
    "a graph of nothing": ("graph", {}, "give a definition"),
    "a cost of two": ("cost", {"execution": "done", "definition": "pay"}, "give a past execution, or"),
    "no executions a month": ("cost", {"execution": "done", "executions": 0}, "at least 1"),
    "two mocks of one state": (
        "test_state",
        {"definition": "pay", "state": "Pay", "result": 1, "error": "E"},
        "not both",
    ),
}


def test_what_cannot_be_is_refused_with_what_exists(project: Project) -> None:
    project.define("pay", PAY)
    outside = project.root.parent / "outside.json"
    outside.write_text(json.dumps(PAY), encoding="utf-8")
    try:
        (project.root / "link.json").symlink_to(outside)
    except OSError:  # Windows without the right to
        pytest.skip("links cannot be made here")

    async def work(agent: Agent) -> None:
        await agent("run", definition="pay", mocks=MOCKS, name="done")
        for case, (tool, arguments, told) in REFUSED.items():
            answer = await agent.refused(tool, **arguments)
            assert told in answer["error"], case
        bad = machine(A={"Type": "Past"})
        refused = await agent.refused("run", definition=bad)
        assert refused["diagnostics"][0]["location"] == "/States/A/Type"
        found = await agent("validate", definition=json.dumps(bad))
        assert (found["result"], found["diagnostics"][0]["line"]) == ("FAIL", 1)

    talk(project.root, work)


def test_tools_and_resources_are_described(project: Project) -> None:
    project.define("pay", PAY)

    async def work(agent: Agent) -> None:
        tools = {tool.name: tool for tool in (await agent.client.list_tools()).tools}
        assert {"validate", "run", "show", "history", "fork", "replay", "pin", "coverage", "graph"} <= set(tools)
        assert {"cost", "test_state", "list"} <= set(tools)
        assert all(tool.description for tool in tools.values())
        assert tools["show"].annotations is not None
        assert tools["show"].annotations.read_only_hint
        assert tools["run"].input_schema["required"] == ["definition"]
        resources = {one.uri for one in (await agent.client.list_resources()).resources}
        assert {"asl://definitions", "asl://docs/language", "asl://prices"} == {str(uri) for uri in resources}
        page = await agent.client.read_resource("asl://docs/language")
        assert page.contents[0].text.startswith("# The language")  # type: ignore[union-attr]  # Markdown
        text = await agent.client.read_resource("asl://definitions/statemachines/pay.json")
        assert json.loads(text.contents[0].text) == PAY  # type: ignore[union-attr]  # JSON
        for path in ("%2E%2E%2Fx.json", "/etc/passwd", "nope.json"):
            with pytest.raises(MCPError, match=r"there is no definition|is not in the project|Unknown resource"):
                await agent.client.read_resource(f"asl://definitions/{path}")

    talk(project.root, work)


def test_another_root_and_another_database(project: Project) -> None:
    elsewhere = project.root.parent / "elsewhere"
    (elsewhere / "statemachines").mkdir(parents=True)
    (elsewhere / "statemachines" / "there.json").write_text(json.dumps(PAY), encoding="utf-8")

    async def work(agent: Agent) -> None:
        assert (await agent("list", what="definitions"))["definitions"] == ["statemachines/there.json"]
        assert (await agent("run", definition="there", mocks=MOCKS))["status"] == "SUCCEEDED"

    talk(project.root, work, "--root", str(elsewhere), "--db", "agents.db")
    assert (project.root / "agents.db").exists()


def test_a_root_that_does_not_exist(project: Project) -> None:
    result = project.asl("mcp", "--root", "nowhere")
    assert (result.code, "there is no such folder" in result.err) == (2, True)


def test_without_the_library_the_command_says_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asl_engine.cli.commands import mcp

    monkeypatch.setattr(mcp, "find_spec", lambda _name: None)
    result = project.asl("mcp")
    assert result.code == 2
    assert 'pip install "asl-engine[mcp]"' in result.err


AHEAD: dict[str, tuple[str, set[str]]] = {
    "the first": ("Check", {"Check", "Pay", "Send", "Sorry"}),
    "behind a catcher": ("Sorry", {"Sorry"}),
    "the last": ("Send", {"Send"}),
}


@pytest.mark.parametrize("case", AHEAD)
def test_what_is_ahead_of_a_state(case: str) -> None:
    start, expected = AHEAD[case]
    assert ahead_of(json.dumps(PAY), start) == expected


def test_what_is_ahead_of_a_state_within_another() -> None:
    inner = machine(I={"Type": "Pass"}, J={"Type": "Pass"})
    nested = machine(A={"Type": "Pass"}, M={"Type": "Map", "ItemProcessor": inner}, Z={"Type": "Pass"})
    assert ahead_of(json.dumps(nested), "J") == {"J", "I", "M", "Z"}


def test_machines_of_templates(project: Project) -> None:
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Paying": {
                "Type": "AWS::Serverless::StateMachine",
                "Properties": {"Definition": machine(A={"Type": "Pass"}, B={"Type": "Pass"})},
            }
        },
    }
    (project.root / "template.json").write_text(json.dumps(template), encoding="utf-8")

    async def work(agent: Agent) -> None:
        there = await agent("list", what="definitions")
        assert there["definitions"] == ["template.json#Paying"]
        for name in ("template.json#Paying", "Paying"):
            assert (await agent("run", definition=name))["status"] == "SUCCEEDED"
        assert (await agent("cost", definition="Paying"))["transitions"] == 2
        assert "Payin" in (await agent.refused("run", definition="template.json#Payin"))["error"]

    talk(project.root, work)


def test_exploring(project: Project) -> None:
    project.define("pay", PAY)

    async def work(agent: Agent) -> None:
        found = await agent("explore", definition="pay", errors=["Pay:Declined"])
        assert found["complete"]
        assert {"Check", "Send"} & {one["place"].split(".")[1] for one in found["findings"]}
        again = await agent.follow(found)
        assert again["definition"] == found["definition"]
        compile(again["tests"], "test_explored.py", "exec")
        assert "more than nothing" in (await agent.refused("explore", definition="pay", limit=0))["error"]
        assert "Nope" in (await agent.refused("explore", definition="pay", errors=["Nope:E"]))["error"]

    talk(project.root, work)
