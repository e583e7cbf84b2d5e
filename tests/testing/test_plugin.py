"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.testing.machines import ORDER

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
