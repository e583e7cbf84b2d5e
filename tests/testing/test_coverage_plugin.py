"""The options of pytest that measure what tests cover, in a pytest of their own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asl_engine.testing.coverage_data import CoverageData

if TYPE_CHECKING:
    from collections.abc import Iterable

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
NAMED = ["-p", "asl_engine.testing.coverage_plugin"]  # installed, pytest knows it by the same name

TESTS = """
import os
from pathlib import Path

import pytest

from asl_engine.errors import StatesError
from asl_engine.testing.observers import ObservedDefinition, tell
from tests.core.driver import drive

ORDER = Path(__file__).parent / "statemachines" / "order.json"
DECLINED, UNANSWERED = StatesError("PaymentError"), StatesError("PaymentRetryableError")
ANSWERS = {
    "happy": {},
    "invalid": {"ValidateOrder": [StatesError("ValidationError")]},
    "sold_out": {"CheckInventory": [StatesError("OutOfStockError")]},
    "declined": {"ProcessPayment": [DECLINED]},
    "exhausted": {"ProcessPayment": [UNANSWERED] * 4},
}


@pytest.mark.parametrize("case", ANSWERS)
def test_order(case):
    text = ORDER.read_text()
    names = ["ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder", "OrderFailed", "RefundAndFail"]
    _, events = drive(text, {}, {**{name: [{}] for name in names}, **ANSWERS[case]})
    test = os.environ["PYTEST_CURRENT_TEST"].removesuffix(" (call)")
    tell(ObservedDefinition("order", ORDER, text), events, test)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The order machine, with a test for each of its paths."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(test_order=TESTS)
    (pytester.mkdir("statemachines") / "order.json").write_bytes((ROOT / "statemachines/order.json").read_bytes())
    return pytester


def ran(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """pytest in this process, which is faster; its workers are processes of their own."""
    return project.runpytest_inprocess(*NAMED, "-p", "no:cacheprovider", *arguments)


def told(result: pytest.RunResult) -> list[str]:
    """What is said of the coverage."""
    lines = iter(result.outlines)
    assert any("coverage of state machines" in line for line in lines), result.outlines
    return [line for line in lines if line and not line.startswith("=")]


WHOLE = "statemachines/order.json: 100 %, 17 of 17 points in 5 executions"


def data(project: pytest.Pytester) -> CoverageData:
    assert [path.name for path in files(project)] == [".asl-coverage"]
    return CoverageData.read(project.path / ".asl-coverage")


def files(project: pytest.Pytester) -> Iterable[Path]:
    return project.path.glob(".asl-coverage*")


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_the_order_machine_is_covered_whoever_runs_the_tests(project: pytest.Pytester, workers: list[str]) -> None:
    result = ran(project, *workers, "--asl-cov", "--asl-cov-fail-under", "100")
    assert told(result) == [WHOLE]
    assert result.ret == pytest.ExitCode.OK
    (one,) = data(project).sorted()
    points = {point.place: point for point in one.points}
    assert one.taken_by(points["States.ProcessPayment.Catch[0]"]) == {"test_order.py::test_order[declined]": 1}
    assert len(one.tests) == 5


def test_the_missing_rule_is_named_where_one_test_is_left_out(project: pytest.Pytester) -> None:
    result = ran(project, "-k", "not invalid", "--asl-cov-fail-under", "100")
    assert told(result) == [
        "statemachines/order.json: 94.1 %, 16 of 17 points in 4 executions",
        "  statemachines/order.json:10: States.ValidateOrder.Catch[0] was never taken",
        "FAILED: 94.1 % is less than --asl-cov-fail-under 100",
    ]
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=4, deselected=1)


def test_the_missing_rule_is_named_where_workers_run_the_tests(project: pytest.Pytester) -> None:
    result = ran(project, "-n", "2", "-k", "not exhausted", "--asl-cov-fail-under", "90")
    assert told(result) == [
        "statemachines/order.json: 88.2 %, 15 of 17 points in 4 executions",
        "  statemachines/order.json:36: States.ProcessPayment.Retry[0] was never attempted",
        "  statemachines/order.json:36: States.ProcessPayment.Retry[0] was never exhausted",
        "FAILED: 88.2 % is less than --asl-cov-fail-under 90",
    ]
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_each_session_begins_anew(project: pytest.Pytester) -> None:
    (project.path / ".asl-coverage.part-1-left").write_text("left by a session that was killed", encoding="utf-8")
    assert told(ran(project, "--asl-cov"))[0] == WHOLE
    assert told(ran(project, "--asl-cov", "-k", "happy"))[0].endswith(" in 1 execution")
    assert data(project).sorted()[0].executions == 1


def test_nothing_is_measured_unasked(project: pytest.Pytester) -> None:
    result = ran(project)
    result.assert_outcomes(passed=5)
    result.stdout.no_fnmatch_line("*coverage of state machines*")
    assert list(files(project)) == []


def test_tests_that_run_no_machine_cover_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(test_order="def test_nothing():\n    pass\n")
    assert told(ran(project, "--asl-cov")) == ["no state machine was run"]
    assert ran(project, "--asl-cov-fail-under", "1").ret == pytest.ExitCode.TESTS_FAILED


def test_a_worker_that_crashes_is_told(project: pytest.Pytester) -> None:
    project.makepyfile(test_crash="import os\n\n\ndef test_crash():\n    os._exit(1)\n")
    result = ran(project, "-n", "2", "--asl-cov")
    assert "lost: what 1 worker(s) that crashed had measured" in told(result)


def test_an_execution_of_something_else_is_left_out(project: pytest.Pytester) -> None:
    project.makepyfile(test_order=TESTS.replace('"order", ORDER, text)', '"order", None, OTHER)') + OTHER)
    reason = "event 2 is about the state 'ValidateOrder', which is not in the definition"
    assert told(ran(project, "--asl-cov", "-k", "happy")) == [
        "order: 0 %, 0 of 2 points in 0 executions",
        "  States.Other was never entered, nor its 1 point",
        f"  not counted: test_order.py::test_order[happy]: {reason}",
    ]


OTHER = """

OTHER = '{"StartAt": "Other", "States": {"Other": {"Type": "Pass", "End": true}}}'
"""


@pytest.mark.parametrize("given", ["lots", "101", "-1"])
def test_a_percentage_that_is_none_is_refused(project: pytest.Pytester, given: str) -> None:
    result = ran(project, f"--asl-cov-fail-under={given}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--asl-cov-fail-under: invalid percentage value: '{given}'*"])


def test_the_plugin_is_light() -> None:
    """pytest loads it in every run of every project that has asl-engine installed."""
    code = (
        "import sys, pytest; before = set(sys.modules); import asl_engine.testing.coverage_plugin; "
        "print(*sorted(name for name in set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["asl_engine", "asl_engine.testing", "asl_engine.testing.coverage_plugin"]


def test_the_plugin_is_installed_by_its_own_name() -> None:
    """So that naming it, too, is no second registration."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    plugins = declared["project"]["entry-points"]["pytest11"]
    assert plugins[NAMED[1]] == NAMED[1]


RUNS = """
import json
from pathlib import Path

from asl_engine import run


def machine(name, **states):
    path = Path("statemachines") / f"{name}.json"
    text = json.dumps({"StartAt": next(iter(states)), "States": states})
    path.write_text(text)
    return str(path)


def test_a_machine_that_starts_another():
    machine("inner", Only={"Type": "Pass", "End": True})
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:inner"},
        "End": True,
    }
    assert run(machine("outer", Start=start)).status == "SUCCEEDED"


def test_a_map_run():
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "In",
        "States": {"In": {"Type": "Pass", "End": True}},
    }
    each = {"Type": "Map", "ItemProcessor": processor, "End": True}
    assert run(machine("each", Each=each), [1, 2]).status == "SUCCEEDED"


def test_an_object():
    only = {"Type": "Succeed"}
    assert run({"StartAt": "Only", "States": {"Only": only}}).status == "SUCCEEDED"
"""


def test_what_asl_engine_run_has_run_is_measured(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_runs=RUNS)
    pytester.mkdir("statemachines")
    result = ran(pytester, "--asl-cov")
    result.assert_outcomes(passed=3)
    assert told(result) == [
        "StateMachine: 100 %, 1 of 1 points in 1 execution",
        "statemachines/each.json: 100 %, 5 of 5 points in 3 executions",
        "statemachines/inner.json: 100 %, 2 of 2 points in 1 execution",
        "statemachines/outer.json: 100 %, 2 of 2 points in 1 execution",
        "all 4 definitions: 100 %, 10 of 10 points",
    ]
    inner = next(one for one in data(pytester).sorted() if one.name == "statemachines/inner.json")
    assert list(inner.tests) == ["test_runs.py::test_a_machine_that_starts_another"]


WORKFLOWS = """
import pytest

from asl_engine.testing import fails

SAME = dict.fromkeys(
    ["validateOrder", "checkInventory", "processPayment", "fulfillOrder", "notifyFailure", "refund"],
    lambda event: event,
)
CASES = {
    "happy": {},
    "invalid": {"validateOrder": fails("ValidationError")},
    "sold_out": {"checkInventory": fails("OutOfStockError")},
    "declined": {"processPayment": fails("PaymentError")},
    "exhausted": {"processPayment": fails("PaymentRetryableError")},
}


@pytest.mark.parametrize("case", CASES)
def test_order(asl, case):
    asl("statemachines/order.json", SAME).run({}, CASES[case])
"""


def test_what_the_lab_has_run_is_measured(project: pytest.Pytester) -> None:
    project.makepyfile(test_order=WORKFLOWS)
    lab = ["-p", "asl_engine.testing.plugin", "-n", "2"]
    result = ran(project, *lab, "--asl-cov-fail-under", "100", "-k", "not sold_out")
    assert told(result)[:2] == [
        "statemachines/order.json: 94.1 %, 16 of 17 points in 4 executions",
        "  statemachines/order.json:23: States.CheckInventory.Catch[0] was never taken",
    ]
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert told(ran(project, *lab, "--asl-cov-fail-under", "100")) == [WHOLE]


REDRIVEN = """
from asl_engine.testing import Workflow, fails

TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Next": "Z"}
MACHINE = {"StartAt": "A", "States": {"A": TASK, "Z": {"Type": "Succeed"}}}


def test_again():
    run = Workflow(MACHINE, {"f": [fails("E"), 1]}, test_id="again").run()
    run.redrive().assert_succeeded(1)
"""


def test_a_run_that_is_redriven_is_one_execution(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_redriven=REDRIVEN)
    # In a process of its own: observers are told by modules that pytester would unload.
    result = pytester.runpytest_subprocess(*NAMED, "-p", "no:cacheprovider", "-p", "no:cov", "--asl-cov")
    result.assert_outcomes(passed=1)
    (one,) = CoverageData.read(pytester.path / ".asl-coverage").sorted()
    assert one.executions == 1
    assert set(one.counts().values()) == {1}
    assert {point.place for point in one.points if one.counts()[point.key]} >= {"States.A", "States.Z"}
