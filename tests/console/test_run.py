"""One execution: what each route tells of it, held against what the API tells, or what the log says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from asl_engine.console.payloads import MAX_SHOWN
from asl_engine.console.shown import MAX_IN_EVENT
from asl_engine.errors import StoreUnavailable
from asl_engine.store.sqlite.store import SqliteStore
from tests.server.harness import WAIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.console.harness import Page

    Ran = Callable[..., str]

DOUBLE = "arn:aws:lambda:us-east-1:123456789012:function:double"
BROKEN = "arn:aws:lambda:us-east-1:123456789012:function:broken"
FLOW = {
    "StartAt": "Prepare",
    "States": {
        "Prepare": {"Type": "Pass", "Result": {"n": 2}, "ResultPath": "$.given", "Next": "Double"},
        "Double": {
            "Type": "Task",
            "Resource": DOUBLE,
            "InputPath": "$.given",
            "Parameters": {"n.$": "$.n"},
            "ResultSelector": {"doubled.$": "$.n"},
            "ResultPath": "$.result",
            "OutputPath": "$.result",
            "Assign": {"seen.$": "$.doubled"},
            "End": True,
        },
    },
}
JSONATA = {
    "QueryLanguage": "JSONata",
    "StartAt": "Double",
    "States": {
        "Double": {
            "Type": "Task",
            "Resource": DOUBLE,
            "Arguments": {"n": "{% $states.input.n + 1 %}"},
            "Assign": {"seen": "{% $states.result.n %}"},
            "Output": {"twice": "{% $states.result.n %}"},
            "End": True,
        }
    },
}
FAILING = {
    "StartAt": "Call",
    "States": {
        "Call": {
            "Type": "Task",
            "Resource": BROKEN,
            "Retry": [{"ErrorEquals": ["KeyError"], "IntervalSeconds": 5, "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["Other"], "Next": "Call"}],
            "End": True,
        }
    },
}
MAP = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "StartAt": "Is",
                "States": {
                    "Is": {
                        "Type": "Choice",
                        "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "Bad"}],
                        "Default": "Good",
                    },
                    "Good": {"Type": "Pass", "End": True},
                    "Bad": {"Type": "Fail", "Error": "Two"},
                },
            },
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "After"}],
            "Next": "After",
        },
        "After": {"Type": "Succeed"},
    },
}


def stages(told: Any) -> dict[str, Any]:
    return {one["field"]: json.loads(one["payload"]["text"]) for one in told["stages"]}


def value(payload: Any) -> Any:
    return json.loads(payload["text"])


def test_a_run(page: Page, ran: Ran) -> None:
    arn = ran(FLOW, '{"a": 1}')
    told = page.get("run", arn=arn)
    described = page.server.client().describe_execution(executionArn=arn)
    run = told["run"]
    assert (run["arn"], run["name"], run["status"]) == (arn, "one", "SUCCEEDED")
    assert run["machine"]["arn"] == described["stateMachineArn"]
    assert run["startedAt"] == round(described["startDate"].timestamp() * 1000)
    assert run["stoppedAt"] == round(described["stopDate"].timestamp() * 1000)
    assert (told["input"]["text"], told["output"]["text"]) == (described["input"], described["output"])
    history = page.server.client().get_execution_history(executionArn=arn)["events"]
    assert told["events"] == len(history)
    assert told["lastEvent"] >= len(history)
    assert (told["error"], told["cause"], told["traceback"], told["origin"], told["mapRun"]) == (None,) * 5
    assert told["can"]["stop"] == "It has ended"
    assert told["can"]["fork"] is told["can"]["pin"] is None
    assert "SUCCEEDED" in told["can"]["redrive"]


def test_a_run_that_is_under_way(page: Page, created_machine: Any) -> None:
    """Its clock skips, so one that waits for an answer is under way."""
    activity = page.operation("CreateActivity", name="under-way")["activityArn"]
    definition = {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": activity, "End": True}}}
    machine = created_machine(definition)
    arn = page.operation("StartExecution", stateMachineArn=machine)["executionArn"]
    told = page.get("run", arn=arn)
    assert (told["run"]["status"], told["run"]["state"], told["run"]["stoppedAt"]) == ("RUNNING", "Do", None)
    assert told["can"]["stop"] is None
    assert told["can"]["pin"] == "It has not ended"
    marks = page.get("run/marks", arn=arn)
    assert (marks["status"], marks["where"]) == ("RUNNING", ["Do"])
    assert marks["states"]["Do"]["standing"] == "running"
    state = page.get("run/state", arn=arn, state="Do")
    assert (state["ended"], state["output"], state["attempts"][0]["ended"]) == (None, None, None)
    page.operation("StopExecution", executionArn=arn)
    assert page.get("run", arn=arn)["run"]["status"] == "ABORTED"


GONE = "arn:aws:states:us-east-1:123456789012:execution:never:was"
FOREIGN = "arn:aws:states:eu-west-1:123456789012:execution:m:x"
OF_A_RUN = [
    "run",
    "run/graph",
    "run/marks",
    "run/timeline",
    "run/events",
    "run/states",
    "run/export",
    "run/pytest",
]


@pytest.mark.parametrize("arn", [GONE, FOREIGN, f"{GONE}<script>", GONE + "x" * 9000], ids=range(4))
@pytest.mark.parametrize("path", OF_A_RUN)
def test_a_run_that_does_not_exist(page: Page, path: str, arn: str) -> None:
    found = page.refused(path, arn=arn)
    assert found.status in {400, 404}
    assert set(found.json) >= {"error", "message", "remedy"}
    assert found.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", OF_A_RUN)
def test_a_run_has_to_be_named(page: Page, path: str) -> None:
    assert page.refused(path).json["message"] == "The parameter arn is missing"


# -- picture and time ---------------------------------------------------------------------------------


def test_its_graph(page: Page, ran: Ran) -> None:
    told = page.get("run/graph", arn=ran(FLOW))
    picture = ET.fromstring(told["svg"])  # noqa: S314  it is ours
    nodes = [
        one for one in picture.iter("{http://www.w3.org/2000/svg}g") if "node" in one.get("class", "").split()
    ]
    assert [(one.get("data-state"), "succeeded" in (one.get("class") or "")) for one in nodes] == [
        ("Prepare", True),
        ("Double", True),
    ]
    assert "<style" not in told["svg"]
    assert " style=" not in told["svg"]
    assert told["states"] == [
        {"name": "Prepare", "type": "Pass", "place": "/States/Prepare"},
        {"name": "Double", "type": "Task", "place": "/States/Double"},
    ]


def test_the_marks_as_of_each_event(page: Page, ran: Ran) -> None:
    arn = ran(FAILING)
    last = page.get("run", arn=arn)["lastEvent"]
    told = [page.get("run/marks", arn=arn, at=at) for at in range(1, last + 1)]
    standings = [one["states"].get("Call", {}).get("standing") for one in told]
    assert standings[0] is None
    assert standings[1] == "running"
    assert standings[-1] == "failed"
    assert [one["at"] for one in told] == [*range(1, last + 1)]
    assert [one["moment"] for one in told] == sorted(one["moment"] for one in told)
    assert {one["status"] for one in told[:-1]} == {"RUNNING"}
    assert told[-1] == page.get("run/marks", arn=arn)
    assert page.refused("run/marks", arn=arn, at=last + 1).status == 400
    assert page.refused("run/marks", arn=arn, at="x").status == 400


def test_its_timeline(page: Page, ran: Ran) -> None:
    arn = ran(FAILING)
    told = page.get("run/timeline", arn=arn)
    (row,) = told["rows"]
    assert (row["state"], row["entry"], row["attempts"], row["standing"]) == ("Call", 2, 2, "failed")
    assert [bar["kind"] for bar in row["bars"]] == ["failed", "backoff", "failed"]
    assert row["bars"][1]["end"] - row["bars"][1]["begin"] >= 5000
    assert (told["total"], told["pauses"]) == (1, [])
    assert page.get("run/timeline", arn=arn, from_=1)["rows"] == []


def test_its_events_are_those_of_the_api(page: Page, ran: Ran) -> None:
    arn = ran(FLOW, '{"a": 1}')
    history = page.server.client().get_execution_history(executionArn=arn)["events"]
    told = page.get("run/events", arn=arn)
    assert told["total"] == len(history)
    assert [(one["id"], one["type"], one["previous"]) for one in told["events"]] == [
        (one["id"], one["type"], one["previousEventId"]) for one in history
    ]
    assert [one["state"] for one in told["events"]][1:4] == ["Prepare", "Prepare", "Double"]
    scheduled = next(one for one in told["events"] if one["type"] == "LambdaFunctionScheduled")
    assert scheduled["details"]["resource"] == DOUBLE
    assert value(scheduled["details"]["input"]) == {"n": 2}


def test_a_window_of_its_events(page: Page, ran: Ran) -> None:
    arn = ran(FLOW)
    total = page.get("run/events", arn=arn)["total"]

    def ids(**query: Any) -> list[int]:
        return [one["id"] for one in page.get("run/events", arn=arn, **query)["events"]]

    assert ids(from_=3, limit=2) == [3, 4]
    assert ids(from_=total, limit=5) == [total]
    assert ids(from_=total + 1) == []
    assert ids(reverse=1, limit=2) == [total, total - 1]
    assert ids(reverse=1, from_=3, limit=2) == [total - 2, total - 3]
    assert ids(reverse=1, from_=total + 1) == []
    assert page.refused("run/events", arn=arn, from_=0).status == 400
    assert page.refused("run/events", arn=arn, limit=501).status == 400


# -- states -------------------------------------------------------------------------------------------


def test_the_stages_of_jsonpath(page: Page, ran: Ran) -> None:
    told = page.get("run/state", arn=ran(FLOW, '{"a": 1}'), state="Double")
    assert value(told["input"]) == {"a": 1, "given": {"n": 2}}
    assert stages(told) == {
        "InputPath": {"n": 2},
        "Parameters": {"n": 2},
        "Result": {"n": 4},
        "ResultSelector": {"doubled": 4},
        "ResultPath": {"a": 1, "given": {"n": 2}, "result": {"doubled": 4}},
    }
    assert [*stages(told)] == ["InputPath", "Parameters", "Result", "ResultSelector", "ResultPath"]
    assert value(told["output"]) == {"doubled": 4}
    assert value(told["assigned"]) == {"seen": 4}
    assert value(told["variables"]) == {"seen": 4}
    assert (told["visit"], told["visits"], told["standing"], told["next"]) == (1, 1, "succeeded", None)
    assert json.loads(told["definition"]) == FLOW["States"]["Double"]  # type: ignore[index]  # it is an object
    (attempt,) = told["attempts"]
    assert (value(attempt["parameters"]), value(attempt["result"])) == ({"n": 2}, {"n": 4})
    assert (attempt["called"], attempt["failed"], attempt["traceback"]) == ("double", False, None)


def test_the_stages_of_a_state_without_a_task(page: Page, ran: Ran) -> None:
    told = page.get("run/state", arn=ran(FLOW, '{"a": 1}'), state="Prepare")
    assert stages(told)["Result"] == {"n": 2}
    assert stages(told)["ResultPath"] == {"a": 1, "given": {"n": 2}}
    assert (told["attempts"], told["lanes"]) == ([], None)


def test_the_stages_of_jsonata(page: Page, ran: Ran) -> None:
    told = page.get("run/state", arn=ran(JSONATA, '{"n": 1}'), state="Double")
    assert told["language"] == "JSONata"
    assert stages(told) == {"Arguments": {"n": 2}, "Result": {"n": 4}}
    assert value(told["output"]) == {"twice": 4}
    assert value(told["assigned"]) == {"seen": 4}


def test_a_failure_has_the_task_s_traceback(page: Page, ran: Ran) -> None:
    arn = ran(FAILING, '{"here": 1}')
    run = page.get("run", arn=arn)
    told = page.get("run/state", arn=arn, state="Call")
    assert run["error"] == told["failure"]["error"] == "KeyError"
    assert run["cause"] == told["failure"]["cause"] == "'missing'"
    for one in (run["traceback"], told["failure"]["traceback"], told["attempts"][0]["traceback"]):
        assert one.startswith("Traceback (most recent call last):\n")
        assert 'event["missing"]' in one
        assert one.endswith("KeyError: 'missing'")
    assert [one["failed"] for one in told["attempts"]] == [True, True]
    assert told["attempts"][1]["delay"] == 5000
    assert page.get("runs", name="one", status="FAILED", limit=200)["runs"][0]["error"] == "KeyError"


def test_the_iterations_of_a_map(page: Page, ran: Ran) -> None:
    arn = ran(MAP, '{"items": [0, 1, 2, 3]}')
    told = page.get("run/state", arn=arn, state="Each")
    assert told["lanes"] == {"kind": "iteration", "total": 4}
    assert stages(told)["ItemsPath"] == [0, 1, 2, 3]
    assert told["caught"] == "Two"
    found = page.get("run/iterations", arn=arn, entry=told["entry"])
    assert (found["kind"], found["total"], found["statuses"]) == ("iteration", 4, "SSF.")
    assert found["counts"] == {"SUCCEEDED": 2, "FAILED": 1}
    bad = found["items"][2]
    assert (bad["status"], bad["error"]) == ("FAILED", "Two")
    assert [one["state"] for one in bad["entries"]] == ["Is", "Bad"]
    inner = page.get("run/state", arn=arn, entry=bad["entries"][1]["entry"])
    assert (inner["name"], inner["iterations"], value(inner["input"])) == ("Bad", [2], 2)
    assert page.get("run/iterations", arn=arn, entry=told["entry"], from_=1, limit=1)["items"] == [
        found["items"][1]
    ]
    assert page.refused("run/iterations", arn=arn, state="After").status == 404


def test_each_time_that_a_state_was_entered(page: Page, ran: Ran) -> None:
    arn = ran(MAP, '{"items": [0, 1, 2, 3]}')
    told = page.get("run/entries", arn=arn, state="Is")
    assert told["total"] == 3
    assert [(one["visit"], one["iterations"]) for one in told["entries"]] == [(1, [0]), (2, [1]), (3, [2])]
    assert page.get("run/entries", arn=arn, state="Is", from_=1, limit=1)["entries"] == [told["entries"][1]]
    assert page.get("run/entries", arn=arn, state="Never")["total"] == 0
    names = [(one["name"], one["visits"]) for one in page.get("run/states", arn=arn)["states"]]
    assert names == [("Each", 1), ("Is", 3), ("Good", 2), ("Bad", 1), ("After", 1)]


def test_an_entry_that_is_none(page: Page, ran: Ran) -> None:
    arn = ran(FLOW)
    for query in ({"entry": 1}, {"entry": 9999}, {"state": "Never"}):
        assert page.refused("run/state", arn=arn, **query).json["error"] == "NoSuchEntry"
    assert page.refused("run/state", arn=arn).json["error"] == "InvalidRequest"


# -- what is long, what is strange ---------------------------------------------------------------------


def test_a_payload_of_256_kib_is_cut_with_a_way_to_all_of_it(page: Page, ran: Ran) -> None:
    given = json.dumps({"text": "é" * 100_000}, ensure_ascii=False)
    arn = ran({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}, given)
    told = page.get("run", arn=arn)["input"]
    assert (len(told["text"]), told["cut"], told["bytes"]) == (MAX_SHOWN, True, len(given.encode()))
    state = page.get("run/state", arn=arn, state="A")
    events = page.get("run/events", arn=arn)["events"]
    assert len(events[0]["details"]["input"]["text"]) == MAX_IN_EVENT
    cut = [told, state["input"], state["output"], events[0]["details"]["input"]]
    cut += [one["payload"] for one in state["stages"]]
    for one in cut:
        found = page.ask("GET", one["whole"])
        assert found.status == 200
        assert found.json == {"text": given, "bytes": len(given.encode()), "cut": False, "whole": None}


@pytest.mark.parametrize("query", [{"field": "salt", "event": 1}, {"field": "x"}, {"field": "input", "event": 99}])
def test_a_payload_that_is_none(page: Page, ran: Ran, query: dict[str, Any]) -> None:
    arn = ran(FLOW)
    assert page.refused("payload", arn=arn, **query).status == 404
    assert page.refused("payload", arn=arn, field="salt", entry=2).status == 404


STRANGE = ["<img src=x onerror=alert(1)>", "\N{PILE OF POO} rtl \u202e\u05d0\u05d1", "a&b\"c'd</svg><script>"]


@pytest.mark.parametrize("state", STRANGE, ids=["markup", "emoji and right to left", "the end of a picture"])
def test_names_that_are_markup_are_names(page: Page, ran: Ran, state: str) -> None:
    definition = {"StartAt": state, "States": {state: {"Type": "Pass", "Result": state, "End": True}}}
    arn = ran(definition)
    assert page.get("run/states", arn=arn)["states"][0]["name"] == state
    told = page.get("run/graph", arn=arn)
    picture = ET.fromstring(told["svg"])  # noqa: S314  it is ours
    assert {one.tag.rpartition("}")[2] for one in picture.iter()} <= {
        "svg", "title", "g", "rect", "path", "text", "circle",
    }  # fmt: skip
    assert value(page.get("run/state", arn=arn, state=state)["output"]) == state
    assert page.get("run/marks", arn=arn)["states"][state]["visits"] == 1


def test_a_run_that_was_deleted_meanwhile(page: Page, created_machine: Any) -> None:
    machine = created_machine(WAIT)
    arn = page.operation("StartExecution", stateMachineArn=machine)["executionArn"]
    assert page.get("run", arn=arn)["run"]["arn"] == arn
    page.operation("StopExecution", executionArn=arn)
    page.operation("DeleteStateMachine", stateMachineArn=machine)
    found = page.refused("run", arn=arn)
    assert (found.status, found.json["error"]) == (404, "ExecutionDoesNotExist")
    assert "pruned" in found.json["remedy"]


@pytest.mark.parametrize("path", ["run", "run/graph", "run/events", "run/state"])
def test_a_database_that_cannot_be_read(page: Page, ran: Ran, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told in plain words, and the page goes on when the database is there again."""
    arn = ran(FLOW)

    async def unavailable(*_: Any) -> Any:
        raise StoreUnavailable("unable to open database file")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "fetch", unavailable)
        patch.setattr(SqliteStore, "look", unavailable)
        found = page.refused(path, arn=arn, state="Double")
        assert (found.status, found.json["error"]) == (503, "StoreUnavailable")
        assert found.json["message"] == "unable to open database file"
        assert "tries again" in found.json["remedy"]
    assert page.get(path, arn=arn, state="Double")
