"""`asl import`: executions of another place, asked for or in files, become executions of here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.projections.told import milliseconds
from tests.cli.project import machine, task
from tests.cloud.test_remote import attempts, served
from tests.server.harness import created, ended

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project
    from tests.server.harness import Server

__all__ = ["attempts", "served"]  # the fixtures

RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
SUM = machine(
    Double=task("double"),
    Both={
        "Type": "Parallel",
        "Branches": [
            machine(Again=task("sometimes", Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]))
        ],
    },
    Fails={"Type": "Fail", "Error": "Bad", "Cause": "so be it"},
)
MANY = machine(
    Many={
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {
            **machine(Double=task("double")),
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        },
    },
)


def run(server: Server, definition: Any, data: Any) -> str:
    """An execution on the server, at its end."""
    client = server.client()
    arn = created(client, definition)
    execution: str = client.start_execution(stateMachineArn=arn, name="far", input=json.dumps(data))[
        "executionArn"
    ]
    ended(client, execution)
    return execution


def test_import_from_a_server(project: Project, served: Server) -> None:
    arn = run(served, SUM, {"n": 2})
    result = project.asl("import", arn, "--db", "home.db")
    assert (result.code, result.out) == (0, "far\n")
    assert "imported" in result.err
    assert "FAILED  (asl history far --db " in result.err
    there, here = (
        project.asl("history", "far", "--json", *options).json["events"] for options in ([], ["--db", "home.db"])
    )
    assert here == there
    assert project.asl("replay", "far", "--db", "home.db").code == 0
    assert project.asl("check", "--db", "home.db").code == 0
    forked = project.asl(
        "fork", "far", "--at", "Double", "--db", "home.db", "--lambda-endpoint", "http://127.0.0.1:1"
    )
    assert "far-fork-1 is a fork of far" in forked.err
    again = project.asl("import", arn, "--db", "home.db")
    assert again.code == 2
    assert "is in " in again.err
    assert again.err.rstrip().endswith("already")


def test_import_with_the_children_of_map_runs(project: Project, served: Server) -> None:
    arn = run(served, MANY, {"items": [{"n": 1}, {"n": 2}]})
    result = project.asl("import", arn, "--children", "--db", "home.db")
    assert (result.code, result.out) == (0, "far\n")
    assert "and 2 child executions: SUCCEEDED" in result.err
    assert project.asl("check", "--db", "home.db").code == 0
    assert project.asl("show", "far", "--db", "home.db", "--json").json["output"] == '[{"n":2},{"n":4}]'
    listed = project.asl("list", "--db", "home.db", "--json").json["executions"]
    assert [one["name"] for one in listed] == ["far"]


def test_what_goes_on_is_not_imported(project: Project, served: Server) -> None:
    client = served.client()
    activity = client.create_activity(name="a")["activityArn"]
    arn = created(client, machine(W={"Type": "Task", "Resource": activity}))
    execution = client.start_execution(stateMachineArn=arn, name="far")["executionArn"]
    result = project.asl("import", execution, "--db", "home.db")
    assert result.code == 2
    assert "has not ended: import it when it has" in result.err
    client.stop_execution(executionArn=execution)


@pytest.fixture
def files(project: Project) -> Path:
    """What the AWS CLI writes of an execution: history.json and description.json."""
    definition = machine(A=task("double"), B=task("add_one"))
    project.ran(definition, "-i", '{"n": 1}')
    for name, command in {"history": "history", "description": "show"}.items():
        answer = project.asl(command, "one", "--json").out
        (project.root / f"{name}.json").write_text(answer, encoding="utf-8")
    (project.root / "m.json").write_text(
        json.dumps(machine(A=task("double"), B=task("add_one"))), encoding="utf-8"
    )
    return project.root


SOURCES: dict[str, tuple[list[str], str, str]] = {
    "two files": (["--description", "description.json"], "m:one", "one"),
    "a history alone": ([], "m:history", "history"),
    "with a name": (["--name", "mine"], "m:mine", "mine"),
}


@pytest.mark.parametrize("what", SOURCES)
def test_import_from_files(project: Project, files: Path, what: str) -> None:
    options, arn, name = SOURCES[what]
    result = project.asl("import", "history.json", "--definition", "m.json", "--db", "home.db", *options)
    assert (result.code, result.out) == (0, f"{name}\n")
    shown = project.asl("show", name, "--db", "home.db", "--json").json
    assert shown["executionArn"].endswith(f":execution:{arn}")
    assert (shown["status"], shown["output"]) == ("SUCCEEDED", '{"n":3}')
    assert project.asl("replay", name, "--db", "home.db").code == 0
    edited = machine(A=task("double"), B=task("double"))
    (files / "edited.json").write_text(json.dumps(edited), encoding="utf-8")
    assert project.asl("replay", name, "--db", "home.db", "--definition", "edited.json").code == 1


def without(number: int) -> Any:
    return lambda document: {"events": [one for one in document["events"] if one["id"] != number]}


BROKEN: dict[str, tuple[Any, str]] = {
    "cut short": (without(12), "the history stops with TaskStateExited: it was cut short"),
    "a hole": (without(5), "the history is not whole: event 5 is missing"),
    "no beginning": (lambda document: {"events": document["events"][1:]}, "event 1 is missing"),
    "no events": (lambda _: {"events": []}, "the history has no events"),
    "something else": (lambda _: {"a": 1}, "it has no list of events"),
    "no event": (
        lambda _: [{"id": 1}],
        "history.json: event 1 is no event of an execution's history: it has no timestamp",
    ),
    "no object": (lambda _: [5], "event 1 is no event of an execution's history: it is no JSON object"),
    "no data": (
        lambda document: {"events": [{**one, "executionStartedEventDetails": {}} for one in document["events"]]},
        "event 1 of the history (ExecutionStarted): the history was read without its data",
    ),
    "of another machine": (
        lambda document: json.loads(json.dumps(document).replace('"A"', '"Z"')),
        "the history and the definition do not agree at event 2 (TaskStateEntered of Z): its name is 'Z', by the",
    ),
    "a moment that is none": (
        lambda document: json.loads(json.dumps(document).replace('"timestamp": "', '"timestamp": "x')),
        "event 1 is no event of an execution's history: 'x20",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_history_that_is_none(project: Project, files: Path, what: str) -> None:
    change, message = BROKEN[what]
    document = json.loads((files / "history.json").read_text(encoding="utf-8"))
    (files / "history.json").write_text(json.dumps(change(document)), encoding="utf-8")
    result = project.asl("import", "history.json", "--definition", "m.json", "--db", "home.db")
    assert result.code == 2
    assert message in result.err
    assert not (files / "home.db").exists()


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "status": ({"status": "FAILED"}, "than the history: it is FAILED there, SUCCEEDED here"),
    "input": ({"input": '{"n": 2}'}, "than the history: its input is another"),
    "input that is no JSON": ({"input": "{"}, "than the history: its input is another"),
    "no ARN": ({"executionArn": None}, "description.json: it has no executionArn: give what `aws stepfunctions"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_the_description_of_another_execution(project: Project, files: Path, what: str) -> None:
    change, message = OTHERS[what]
    described = json.loads((files / "description.json").read_text(encoding="utf-8")) | change
    described = {name: value for name, value in described.items() if value is not None}
    (files / "description.json").write_text(json.dumps(described), encoding="utf-8")
    arguments = ["import", "history.json", "--description", "description.json", "--definition", "m.json"]
    result = project.asl(*arguments, "--db", "home.db")
    assert (result.code, message in result.err) == (2, True), result.err
    assert not (files / "home.db").exists()


@pytest.mark.parametrize("change", [{"status": "RUNNING"}, {"input": '{ "n" : 1 }'}])
def test_a_description_that_is_older_or_written_otherwise(
    project: Project, files: Path, change: dict[str, Any]
) -> None:
    described = json.loads((files / "description.json").read_text(encoding="utf-8")) | change
    (files / "description.json").write_text(json.dumps(described), encoding="utf-8")
    arguments = ["import", "history.json", "--description", "description.json", "--definition", "m.json"]
    assert project.asl(*arguments, "--db", "home.db").code == 0


REFUSED = {
    "no definition": (["history.json"], "name its file with --definition"),
    "children of a file": (["history.json", "--definition", "m.json", "--children"], "a file has no children"),
    "no file": (["nothing.json", "--definition", "m.json"], "there is no file nothing.json"),
    "no JSON": (["m.yaml", "--definition", "m.json"], "m.yaml:1:1: the history is not JSON"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(project: Project, files: Path, what: str) -> None:
    arguments, message = REFUSED[what]
    (files / "m.yaml").write_text("a: 1\n", encoding="utf-8")
    result = project.asl("import", *arguments, "--db", "home.db")
    assert result.code == 2
    assert message in result.err


MOMENTS = [
    "2024-01-31T12:00:00.123Z",
    "2024-01-31T12:00:00.123000+00:00",
    "2024-01-31T13:00:00.123+01:00",
    1706702400.123,
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_moments(moment: Any) -> None:
    assert milliseconds(moment) == 1_706_702_400_123
