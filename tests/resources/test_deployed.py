"""``trip-findSeat:1``, as a deployed definition names it, is the project's findSeat where ``trip`` runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.resources.catalog import Catalog
from asl_engine.resources.python.registry import Registry
from tests.cli.conftest import project
from tests.cli.project import machine
from tests.server.harness import created, ended, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project

__all__ = ["project"]

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
INVOKE = "arn:aws:states:::lambda:invoke"


def direct(name: str) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"{ARN}{name}"}


def invoked(name: str) -> dict[str, Any]:
    given = {"FunctionName": f"{ARN}{name}", "Payload.$": "$"}
    return {"Type": "Task", "Resource": INVOKE, "Parameters": given, "OutputPath": "$.Payload"}


NAMES = ["trip-double:1", "trip-double", "trip-add_one:7", "trip-addOne:$LATEST"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("state", [direct, invoked])
def test_run(project: Project, state: Any, name: str) -> None:
    path = project.define("trip", machine(A=state(name)))
    result = project.asl("run", path, "--input", '{"n": 4}', "--quiet")
    assert result.code == 0, result.err
    assert json.loads(result.out) == {"n": 8 if "double" in name else 5}


@pytest.mark.parametrize("name", ["other-double:1", "double-trip", "trip-nothing", "trips-double", "trip_double2"])
def test_a_function_of_another_machine_is_not_run(project: Project, name: str) -> None:
    refused = project.asl("run", project.define("trip", machine(A=direct(name))), "--input", '{"n": 4}')
    assert refused.code == 2
    assert f"there is no task callable for the function '{name.partition(':')[0]}'" in refused.err
    refused = project.asl("run", project.define("trip", machine(A=invoked(name))), "--input", '{"n": 4}')
    assert refused.code == 2
    assert f"There is no task callable for the function '{name.partition(':')[0]}'" in refused.err


def test_a_callable_of_the_whole_name_comes_first(project: Project) -> None:
    (project.root / "tasks" / "more.py").write_text("def trip_double(event):\n    return 'mine'\n")
    result = project.asl("run", project.define("trip", machine(A=direct("trip-double:1"))), "--quiet")
    assert (result.code, json.loads(result.out)) == (0, "mine")


@pytest.mark.parametrize("state", [direct, invoked])
def test_in_a_map_run_and_in_a_nested_machine(project: Project, state: Any) -> None:
    items = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **machine(A=state("trip-double:1")),
        },
    }
    result = project.asl("run", project.define("trip", machine(M=items)), "--input", '[{"n": 1}]', "--quiet")
    assert (result.code, json.loads(result.out)) == (0, [{"n": 2}]), result.err
    project.define("child", machine(A=state("child-double:1")))
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:child"
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": arn, "Input": {"n": 3}},
        "OutputPath": "$.Output",
    }
    result = project.asl("run", project.define("parent", machine(S=start)), "--quiet")
    assert (result.code, json.loads(result.out)) == (0, {"n": 6}), result.err


@pytest.mark.parametrize("state", [direct, invoked])
def test_on_a_server(tmp_path: Path, state: Any) -> None:
    """What a server runs has many machines: the execution's own tells which functions are its."""
    registry = Registry()
    registry.add("findSeat", lambda event: [event])
    with running(tmp_path / "asl.db", registry) as server:
        client = server.client()
        outcomes = {}
        for name in ("trip", "other"):
            arn = created(client, machine(A=state("trip-findSeat:1")), name=name)
            execution = client.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
            outcomes[name] = ended(client, execution)
    assert outcomes["trip"]["output"] == "[{}]"
    assert outcomes["other"]["error"] == "Lambda.ResourceNotFoundException"


def test_what_a_server_can_resume() -> None:
    registry = Registry()
    registry.add("findSeat", lambda event: event)
    catalog = Catalog(registry)
    assert catalog.serves(f"{ARN}trip-findSeat:1")
    assert not catalog.serves(f"{ARN}trip-find")
