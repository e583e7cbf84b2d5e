"""``asl coverage``."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from asl_engine.language.document import read_source
from asl_engine.language.loader import load
from asl_engine.testing.coverage_data import CoverageData, DefinitionCoverage
from tests.cli.project import ROOT, machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

ORDER = Path("statemachines", "order.json")
INPUTS = ["happy", "invalid", "out-of-stock", "payment-declined", "payment-exhausted", "payment-retry"]


@pytest.fixture
def order(project: Project) -> Project:
    """The order machine with its tasks."""
    shutil.copytree(ROOT / "tasks", project.root / "tasks", dirs_exist_ok=True)
    (project.root / "tasks" / "callables.py").unlink()
    shutil.copytree(ROOT / "inputs", project.root / "inputs")
    shutil.copy(ROOT / ORDER, project.root / ORDER)
    return project


def run_order(order: Project, *inputs: str) -> None:
    for name in inputs:
        order.asl("run", str(ORDER), "--input", f"inputs/{name}.json", "--time", "skip", "--name", name, "--quiet")


def test_the_order_machine_is_covered_by_its_inputs(order: Project) -> None:
    run_order(order, *INPUTS)
    result = order.asl("coverage", "--fail-under", "100")
    assert (result.code, result.err) == (0, "")
    assert result.out == "statemachines/order.json: 100 %, 17 of 17 points in 6 executions\n"


@pytest.mark.parametrize(
    ("left_out", "gaps"),
    [
        ("invalid", ["10: States.ValidateOrder.Catch[0] was never taken"]),
        ("out-of-stock", ["23: States.CheckInventory.Catch[0] was never taken"]),
        ("payment-exhausted", ["36: States.ProcessPayment.Retry[0] was never exhausted"]),
        (
            "payment-declined",
            [
                "46: States.ProcessPayment.Catch[0] was never taken",
                "64: States.RefundAndFail was never entered, nor its 1 point",
            ],
        ),
    ],
)
def test_the_missing_rule_is_named_where_one_run_is_left_out(
    order: Project, left_out: str, gaps: list[str]
) -> None:
    run_order(order, *(name for name in INPUTS if name != left_out))
    result = order.asl("coverage", "--fail-under", "100")
    assert result.code == 1
    assert result.out.splitlines()[1:] == [f"  statemachines/order.json:{gap}" for gap in gaps]
    assert "less than --fail-under 100" in result.err


def test_who_takes_a_point(order: Project) -> None:
    run_order(order, "payment-exhausted", "payment-retry", "happy")
    result = order.asl("coverage", "--taken-by", "States.ProcessPayment.Retry[0]")
    rows = {tuple(line.split()) for line in result.out.splitlines()[1:]}
    assert result.code == 0
    assert rows == {
        ("payment-exhausted", "attempted", "3"),
        ("payment-retry", "attempted", "3"),
        ("payment-exhausted", "exhausted", "1"),
    }
    assert order.asl("coverage", "--taken-by", "States.ProcessPayment.Catch[0]").code == 1
    unknown = order.asl("coverage", "--taken-by", "States.Nowhere")
    assert (unknown.code, unknown.err) == (
        2,
        "asl: error: --taken-by States.Nowhere: there is no such point; --json lists all places\n",
    )


def test_a_point_within_a_map_is_found_by_its_state(project: Project) -> None:
    check = task("double", Retry=[{"ErrorEquals": ["E"]}])
    each = {"Type": "Map", "ItemProcessor": machine(Check=check), "ItemsPath": "$.items"}
    project.ran(machine(Each=each), "-i", '{"items": [{"n": 1}]}')
    refused = project.asl("coverage", "--taken-by", "States.Check.Retry[0]")
    place = refused.err.partition("did you mean '")[2].partition("'?")[0]
    assert (refused.code, place.endswith(".States.Check.Retry[0]")) == (2, True), refused.err
    assert project.asl("coverage", "--taken-by", place).code == 1  # it is there, and nobody takes it


def test_reports_for_programs_and_people(order: Project) -> None:
    run_order(order, "happy")
    result = order.asl("coverage", "--json", "--xml", "c.xml", "--html", "c.html")
    (one,) = result.json["definitions"]
    assert (one["name"], one["covered"], one["total"]) == ("statemachines/order.json", 8, 17)
    lines = ET.parse("c.xml").getroot().iter("line")  # noqa: S314  we have just written it
    assert [line.get("number") for line in lines if line.get("hits") == "0"] == [
        *("10", "23", "36", "46", "59", "62", "64", "67")
    ]
    assert "<code>States.ProcessPayment.Catch[0]</code>" in Path("c.html").read_text(encoding="utf-8")
    assert order.asl("coverage", "--html", "-").out == Path("c.html").read_text(encoding="utf-8")
    on_stdout = order.asl("coverage", "--xml", "-").out
    assert ET.fromstring(on_stdout).get("lines-valid") == "16"  # noqa: S314
    assert not Path("-").exists()
    both = order.asl("coverage", "--xml", "-", "--json")
    assert (both.code, "stdout takes one report" in both.err) == (2, True)
    nowhere = order.asl("coverage", "--html", "nowhere/c.html")
    assert (nowhere.code, nowhere.err) == (
        2,
        "asl: error: cannot write nowhere/c.html: No such file or directory\n",
    )


def test_a_definition_without_its_file_goes_by_the_name_of_the_machine(project: Project) -> None:
    project.ran(machine(Do=task("add_one")), "--input", '{"n": 1}')
    Path("statemachines/m.json").unlink()
    assert project.asl("coverage").out == "m: 100 %, 2 of 2 points in 1 execution\n"


# -- which executions ---------------------------------------------------------------------------------


def test_executions_of_an_earlier_definition_are_left_out(project: Project) -> None:
    old, new = machine(Old={"Type": "Pass"}), machine(New={"Type": "Pass"})
    project.ran(old, name="one")
    project.ran(new, name="two")
    result = project.asl("coverage")
    assert result.err == "asl: 1 executions of earlier definitions are left out\n"
    assert result.out == "statemachines/m.json: 100 %, 2 of 2 points in 1 execution\n"


def test_a_definition_that_was_edited_has_to_be_run_again(project: Project) -> None:
    project.ran(machine(Old={"Type": "Pass"}))
    path = project.define("m", machine(New={"Type": "Pass"}))
    result = project.asl("coverage", path)
    assert result.code == 2
    assert result.err == (
        f"asl: error: {path} has changed: its 1 execution in {project.db} ran another text of it; run it again\n"
    )
    other = project.define("other", machine(Other={"Type": "Pass"}))
    assert project.asl("coverage", other).err == f"asl: error: no execution in {project.db} ran {other}\n"


def test_one_machine_of_several(project: Project) -> None:
    project.ran(machine(A={"Type": "Pass"}), machine="a", name="a")
    project.ran(machine(B={"Type": "Succeed"}), machine="b", name="b")
    assert project.asl("coverage").out.splitlines() == [
        "statemachines/a.json: 100 %, 2 of 2 points in 1 execution",
        "statemachines/b.json: 100 %, 1 of 1 points in 1 execution",
        "all 2 definitions: 100 %, 3 of 3 points",
    ]
    only = "statemachines/b.json: 100 %, 1 of 1 points in 1 execution\n"
    assert project.asl("coverage", "--machine", "b").out == only
    assert project.asl("coverage", "statemachines/b.json").out == only
    nothing = project.asl("coverage", "--machine", "c")
    assert (nothing.code, nothing.err) == (2, f"asl: error: there is no execution of c in {project.db}\n")


def distributed(kind: str) -> dict[str, Any]:
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
    return machine(Each={"Type": "Map", "ItemProcessor": {**config, **machine(In={"Type": "Pass"})}})


def test_children_of_map_runs_are_read_too(project: Project) -> None:
    project.ran(distributed("STANDARD"), "--input", "[1, 2]")
    result = project.asl("coverage", "--json")
    points = {point["place"]: point["count"] for point in result.json["definitions"][0]["points"]}
    assert points == {
        "States.Each": 1,
        "States.Each.ItemProcessor": 2,
        "States.Each.End": 1,
        "States.Each.ItemProcessor.States.In": 2,
        "States.Each.ItemProcessor.States.In.End": 2,
    }


def test_what_express_children_did_is_not_kept(project: Project) -> None:
    project.ran(distributed("EXPRESS"), "--input", "[1]")
    first, second, third = project.asl("coverage").out.splitlines()
    assert first == "statemachines/m.json: 40 %, 2 of 5 points in 1 execution"
    assert second == "  statemachines/m.json:1: States.Each.ItemProcessor was never started, nor its 2 points"
    assert re.fullmatch(
        r"  not counted: [-\w]+: only its beginning and its end are kept, as of an Express .*", third
    )


# -- what tests have measured -------------------------------------------------------------------------


def measured(project: Project, definition: dict[str, Any]) -> str:
    """The data of a test that enters the first state only; returns the path of the definition."""
    path = project.define("m", definition)
    text = (project.root / path).read_text(encoding="utf-8")
    covered = DefinitionCoverage.of(load(text), path, read_source(text, path))
    covered.add("test_m.py::test_one", {f"state /States/{definition['StartAt']}": 1})
    CoverageData([covered]).write(project.root / ".asl-coverage")
    return path


def test_the_data_of_tests(project: Project) -> None:
    path = measured(project, machine(A={"Type": "Pass"}))
    for arguments in ([], [path]):
        result = project.asl("coverage", *arguments, "--data", ".asl-coverage")
        assert (result.code, result.err) == (0, "")
        assert result.out.splitlines() == [
            "statemachines/m.json: 50 %, 1 of 2 points in 1 execution",
            "  statemachines/m.json:1: States.A.End was never taken",
        ]
    by = project.asl("coverage", "--data", ".asl-coverage", "--taken-by", "States.A")
    assert by.out.splitlines()[1].split() == ["test_m.py::test_one", "entered", "1"]


def test_a_definition_that_has_changed_since_its_tests_ran(project: Project) -> None:
    path = measured(project, machine(A={"Type": "Pass"}))
    project.define("m", machine(B={"Type": "Pass"}))
    told = project.asl("coverage", "--data", ".asl-coverage")
    assert told.code == 0
    assert told.err.startswith("asl: statemachines/m.json has changed since its tests ran")
    refused = project.asl("coverage", path, "--data", ".asl-coverage")
    assert (refused.code, refused.err) == (
        2,
        "asl: error: statemachines/m.json has changed since the tests in .asl-coverage ran: run them again\n",
    )


def test_the_data_of_another_definition_is_refused(project: Project) -> None:
    measured(project, machine(A={"Type": "Pass"}))
    other = project.define("other", machine(A={"Type": "Succeed"}))
    result = project.asl("coverage", other, "--data", ".asl-coverage")
    assert (result.code, result.err) == (
        2,
        "asl: error: .asl-coverage has nothing about statemachines/other.json: it is about statemachines/m.json\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "none"], "there is no coverage data none: run the tests with coverage first"),
        (["--data", "statemachines/m.json"], "statemachines/m.json is no coverage data: it lacks the member"),
        (["--data", "x", "--db", "y"], "--data has what tests have measured: leave --db out"),
        (["--data", "x", "--machine", "y"], "--data has what tests have measured: leave --machine out"),
        (["--fail-under", "all"], "--fail-under all: it is a number from 0 to 100"),
        (["--fail-under", "nan"], "--fail-under nan: it is a number from 0 to 100"),
        (["--fail-under", "101"], "--fail-under 101: it is a number from 0 to 100"),
        (["nowhere.json"], "there is no file nowhere.json (the definition)"),
        (["--db", "nowhere.db"], "nowhere.db"),
    ],
)
def test_wrong_usage_is_refused(project: Project, arguments: list[str], message: str) -> None:
    project.define("m", machine(A={"Type": "Pass"}))
    result = project.asl("coverage", *arguments)
    assert result.code == 2
    assert result.err.startswith("asl: error: ")
    assert message in result.err


def test_an_invalid_definition_is_refused_with_its_findings(project: Project) -> None:
    project.ran(machine(A={"Type": "Pass"}))
    path = project.define("m", json.dumps({"StartAt": "A", "States": {}}))
    result = project.asl("coverage", path)
    assert result.code == 2
    assert "is refused for" in result.err
