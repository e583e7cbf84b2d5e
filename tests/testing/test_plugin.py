"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.testing.machines import ASK, MESSAGE, ORDER, machine, task

if TYPE_CHECKING:
    from pytest import Pytester, RunResult  # noqa: PT013  names of types alone

PLUGIN = "asl_engine.testing.plugin"

FAILING = f"""
from asl_engine.testing import fails

ORDER = {str(ORDER)!r}
TASKS = {{name: (lambda event: event) for name in (
    "validateOrder", "checkInventory", "processPayment", "fulfillOrder", "notifyFailure", "refund")}}

def test_passes(asl):
    asl(ORDER, TASKS).run({{}}).assert_succeeded()

def test_asserts(asl):
    run = asl(ORDER, TASKS).run({{}})
    run.state("FulfillOrder").assert_input({{"paid": True}})

def test_compares(asl):
    run = asl(ORDER, TASKS, now="2030-01-01T00:00:00Z").run({{}}, {{"checkInventory": fails("OutOfStockError")}})
    assert run.path == []

def test_is_wrong(asl):
    asl(ORDER, TASKS | {{"shipOrder": 1}}).run({{}})

def test_waits(asl):
    run = asl({{"StartAt": "Nap", "States": {{"Nap": {{"Type": "Wait", "Seconds": 9, "End": True}}}}}}).start()
    run.assert_waits_for("Nap")
"""


@pytest.fixture
def failing(pytester: Pytester) -> RunResult:
    pytester.makepyfile(FAILING)
    # The plugin is named, as the entry point is not there where another checkout is installed.
    # In a process of its own: in this one it would leave half of the package imported anew.
    return pytester.runpytest_subprocess("-p", PLUGIN, "-p", "no:cacheprovider", "-p", "no:cov")


def test_failures_show_the_path_and_the_line_of_the_test(failing: RunResult) -> None:
    failing.assert_outcomes(passed=2, failed=3)
    failing.stdout.fnmatch_lines(
        [
            "*test_asserts*",
            '>*run.state("FulfillOrder").assert_input({"paid": True})',
            "E*state FulfillOrder:",
            "E*input: $.paid: missing, expected true",
            "E*└─ FulfillOrder   <-- here",
            "*test_compares*",
            ">*assert run.path == []",
            "*workflow run*",
            "order: SUCCEEDED",
            "├─ CheckInventory: OutOfStockError; caught, goes on to OrderFailed",
            "*test_is_wrong*",
            "E*no task, function or resource 'shipOrder'*",
        ]
    )
    assert "_look" not in failing.stdout.str()  # our own frames are left out


MISUSES = {
    "fault": ("run(D, {'work': 1}, faults=['Scor:E'])", "the machine has no state 'Scor'"),
    "list": ("run(D, {'work': []})", "its list has 0 answers"),
    "callable": ("run(D)", "there is no task callable"),
    "clock": ("run(D, {'work': 1}).clock.set('2020-01-01T00:00:00Z')", "has gone by"),
    "duration": ("run(D, {'work': returns(1, after='2 days')})", '"2d"'),
    "twice": ("task = run(W).task('Ask'); task.succeed(1); task.succeed(2)", "does not wait any more"),
    "file": ("run('no/where.json')", "there is no file no/where.json"),
}


def test_a_misuse_shows_the_line_of_the_test_and_none_of_ours(pytester: Pytester) -> None:
    states = [("D", "Score", task()), ("W", "Ask", task(ASK, Parameters=MESSAGE))]
    lines = ["from asl_engine.testing import returns"]
    lines += [f"{name} = {machine(**{state: fields})!r}" for name, state, fields in states]
    for name, (code, _) in MISUSES.items():
        lines += [f"def test_{name}(asl):", "    run = lambda *a, **k: asl(*a, **k).start({})", f"    {code}"]
    pytester.makepyfile("\n".join(lines))
    result = pytester.runpytest_subprocess("-p", PLUGIN, "-p", "no:cacheprovider", "-p", "no:cov")
    result.assert_outcomes(failed=len(MISUSES))
    said = result.stdout.str()
    for code, message in MISUSES.values():
        assert f">       {code}" in said or f"    {code}" in said
        assert message in said
    for ours in ("asl_engine/", "asl_engine\\", "contextlib.py", "asyncio"):
        assert ours not in said.partition("FAILURES")[2].partition("short test summary")[0]
    full = pytester.runpytest_subprocess("-p", PLUGIN, "-p", "no:cacheprovider", "-p", "no:cov", "--full-trace")
    assert "moved_clock.py" in full.stdout.str()


def test_the_plugin_imports_nothing_before_a_test_asks_for_it() -> None:
    known = "import sys, pytest; before = set(sys.modules)"
    found = "print(sorted(n for n in set(sys.modules) - before if not n.startswith('asl_engine')))"
    ours = "print(sorted(n for n in sys.modules if n.startswith('asl_engine')))"
    said = subprocess.run(
        [sys.executable, "-c", f"{known}; import {PLUGIN}; {found}; {ours}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    others, own = said.splitlines()
    assert others == "[]"
    assert own == "['asl_engine', 'asl_engine.testing', 'asl_engine.testing.plugin']"
