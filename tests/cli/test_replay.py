"""`asl replay`: the record decided again, the record as it once stood, the record under an edited definition."""

from __future__ import annotations

import json
import sqlite3
from signal import SIGINT
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cli.commands.show import _DOING
from asl_engine.core.execution import Phase
from tests.cli.project import SUM, machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

RETRY = [{"ErrorEquals": ["OutOfStockError"], "IntervalSeconds": 3600}]
LONG = machine(F=task("flaky", Retry=RETRY), W={"Type": "Wait", "Seconds": 60}, D=task("double"))


def test_replay_calls_no_task(project: Project) -> None:
    project.ran(LONG, "-i", '{"n": 1}', "--time", "skip")
    (project.root / "tasks" / "callables.py").unlink()
    result = project.asl("replay", "one")
    assert (result.code, result.out) == (0, "replayed 20 events: ends as recorded, SUCCEEDED\n")
    assert project.asl("replay", "one", "--json").json == {
        "executionArn": "arn:aws:states:us-east-1:123456789012:execution:m:one",
        "status": "SUCCEEDED",
        "historyLength": 20,
        "result": "SAME",
        "difference": None,
    }


def test_replay_what_has_not_ended(project: Project) -> None:
    project.ran(machine(I=task("interrupt")), "-i", json.dumps({"signal": int(SIGINT)}))
    assert project.asl("replay", "one").out == "replayed 4 events: stands as recorded, RUNNING\n"


def test_replay_a_failure(project: Project) -> None:
    project.ran(machine(F=task("fail")))
    assert "ends as recorded, FAILED" in project.asl("replay", "one").out


def test_replay_finds_a_record_that_was_tampered_with(project: Project) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    connection = sqlite3.connect(project.db)
    connection.execute("""UPDATE events SET payload = '{"n":99}' WHERE kind = 'ExecutionSucceeded'""")
    connection.commit()
    connection.close()
    result = project.asl("replay", "one")
    assert result.code == 1
    assert "the first event that differs is number 12 of the log:" in result.out
    assert ["*", "output", '{"n":99}', '{"n":3}'] in [line.split() for line in result.out.splitlines()]


EDITED = {
    "nothing that matters": (
        {**SUM, "Comment": "edited"},
        0,
        "replayed 12 events by edited.json: ends as rec",
    ),
    "another field of the input": (
        machine(Double=task("double", Parameters={"n.$": "$.n", "more": 1}), AddOne=task("add_one")),
        1,
        '*  parameters  {"n": 1}',
    ),
    "another way": (machine(Double=task("double")), 1, "*  next      AddOne"),
    "an end before the end": (machine(S={"Type": "Succeed"}), 1, "*  name"),
}


@pytest.mark.parametrize(("definition", "code", "said"), EDITED.values(), ids=EDITED)
def test_an_edited_definition(project: Project, definition: Any, code: int, said: str) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    (project.root / "edited.json").write_text(json.dumps(definition))
    result = project.asl("replay", "one", "--definition", "edited.json")
    assert result.code == code
    assert said in result.out


def test_a_difference_as_json(project: Project) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    (project.root / "edited.json").write_text(json.dumps(machine(Double=task("double"))))
    result = project.asl("replay", "one", "--definition", "edited.json", "--json")
    assert result.code == 1
    difference = result.json["difference"]
    assert (result.json["result"], difference["recorded"]["event"]) == ("DIFFERENT", "StateExited")
    assert (difference["recorded"]["next"], difference["replayed"]["next"]) == ("AddOne", None)


def test_a_record_that_goes_on_where_the_replay_does_not(project: Project) -> None:
    """A timeout that the edited definition does not know never comes."""
    project.ran({**machine(N=task("never")), "TimeoutSeconds": 1})
    (project.root / "edited.json").write_text(json.dumps(machine(N=task("never"))))
    result = project.asl("replay", "one", "--definition", "edited.json")
    assert result.code == 1
    assert "(nothing follows)" in result.out
    shown = project.asl("replay", "one", "--definition", "edited.json", "--json").json["difference"]
    assert (shown["recorded"]["event"], shown["replayed"]) == ("ExecutionTimedOut", None)


def test_an_edited_definition_that_is_refused(project: Project) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    (project.root / "edited.json").write_text("{}")
    result = project.asl("replay", "one", "--definition", "edited.json")
    assert result.code == 2
    assert "edited.json is refused for 2 reasons:" in result.err


STOOD = {
    1: "a state is about to be entered",
    2: "Double (Task): entered",
    3: "Double (Task): a task is about to be started",
    4: "Double (Task): its task is running",
    5: "Double (Task): its work has succeeded",
    6: "Double (Task): a state is about to be entered",
    11: "AddOne (Task): the last state has been left",
}


@pytest.mark.parametrize(("at", "said"), STOOD.items())
def test_the_execution_as_it_stood(project: Project, at: int, said: str) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    lines = project.asl("replay", "one", "--at", str(at)).out.splitlines()
    assert f"stands at  {said}" in lines
    assert "status     RUNNING" in lines
    assert f"history    {at} event{'' if at == 1 else 's'}" in lines


def test_the_execution_as_it_stood_in_json(project: Project) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    first = project.asl("replay", "one", "--at", "1", "--json").json
    assert first["position"][0] == {
        "frame": 0,
        "parent": None,
        "index": None,
        "state": None,
        "type": None,
        "phase": "NEXT",
        "enteredDate": None,
        "retryCount": 0,
        "variables": {},
        "open": None,
    }
    assert project.asl("replay", "one", "--at", "12", "--json").json["output"] == '{"n":3}'


FORKED = machine(
    Both={
        "Type": "Parallel",
        "Branches": [machine(L={"Type": "Pass"}), machine(R={"Type": "Wait", "Seconds": 60})],
    },
    Each={"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": machine(I={"Type": "Pass", "Assign": {"v": 1}})},
)


def test_every_event_of_branches_and_iterations_can_be_shown(project: Project) -> None:
    project.ran(FORKED, "--time", "skip")
    length = project.asl("show", "one", "--json").json["historyLength"]
    assert project.asl("replay", "one").out == f"replayed {length} events: ends as recorded, SUCCEEDED\n"
    said = [project.asl("replay", "one", "--at", str(at)).out for at in range(1, length + 1)]
    assert "stands at  Both[1] > R (Wait): entered" in "".join(said)
    assert "stands at  Each[1] > I (Pass): entered" in "".join(said)
    assert "branches or iterations are running" in said[5]


def test_the_position_of_an_iteration(project: Project) -> None:
    project.ran(FORKED, "--time", "skip")
    events = project.asl("history", "one", "--json").json["events"]
    left = next(one for one in events if one.get("stateExitedEventDetails", {}).get("name") == "I")
    outer, inner = project.asl("replay", "one", "--at", str(left["id"]), "--json").json["position"]
    assert (outer["state"], outer["phase"], outer["parent"]) == ("Each", "JOINING", None)
    assert (inner["state"], inner["parent"], inner["index"]) == ("I", outer["frame"], 0)
    assert (outer["variables"], inner["variables"]) == ({}, {"v": 1})


def test_every_phase_has_its_words() -> None:
    assert set(_DOING) == set(Phase)


def test_the_execution_as_it_waited(project: Project) -> None:
    project.ran(LONG, "-i", '{"n": 1}', "--time", "skip")
    shown = project.asl("replay", "one", "--at", "5", "--json").json["position"][0]
    assert (shown["state"], shown["phase"], shown["open"]) == ("F", "FAILED", None)


@pytest.mark.parametrize("at", ["0", "13", "-1"])
def test_no_such_event(project: Project, at: str) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    result = project.asl("replay", "one", "--at", at)
    assert result.code == 2
    assert f"--at {at}: the history of one has the events 1 to 12" in result.err
