"""The pytest files that ``asl explore`` writes: they pass, and those of the order machine take all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copy

import pytest

from asl_engine.exploring.exploration import Exploration, explore
from asl_engine.language.document import read_source

ROOT = Path(__file__).parents[2]
ORDER = ROOT / "statemachines" / "order.json"
DEFINITIONS = sorted((Path(__file__).parent / "definitions").glob("*.asl.json"))


def explored(path: Path) -> Exploration:
    return explore(read_source(path.read_text(encoding="utf-8"), path.name), {})


def ran_by_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False, encoding="utf-8"
    )


def test_the_order_machine_is_covered_by_what_was_found(tmp_path: Path) -> None:
    """Every path that its own tests take, without being told of any."""
    copy(ORDER, tmp_path / "order.json")
    found = explored(ORDER)
    (tmp_path / "test_explored.py").write_text(found.tests("order.json", {}), encoding="utf-8")
    result = ran_by_pytest(
        tmp_path, "-p", "asl_engine.testing.coverage_plugin", "--asl-cov", "--asl-cov-fail-under=100"
    )
    assert result.returncode == 0, result.stdout
    assert "order.json: 100 %, 17 of 17 points" in result.stdout


@pytest.mark.parametrize(
    ("path", "attempts"),
    [
        (["ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder"], 1),
        (["ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder"], 2),
        (["ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder"], 4),
        (["ValidateOrder", "OrderFailed"], 0),
        (["ValidateOrder", "CheckInventory", "OrderFailed"], 0),
        (["ValidateOrder", "CheckInventory", "ProcessPayment", "RefundAndFail", "OrderFailed"], 1),
        (["ValidateOrder", "CheckInventory", "ProcessPayment"], 4),
        (["ValidateOrder"], 0),
    ],
)
def test_a_way_through_the_order_machine(order: Exploration, path: list[str], attempts: int) -> None:
    ways = [(ran.path, len(ran.answers.get("ProcessPayment", []))) for ran in order.runs()]
    assert (path, attempts) in ways


@pytest.fixture(scope="module")
def order() -> Exploration:
    return explored(ORDER)


def test_all_written_tests_pass(tmp_path: Path) -> None:
    for path in DEFINITIONS:
        copy(path, tmp_path / path.name)
        name = path.name.partition(".")[0]
        text = explored(path).tests(path.name, {})
        (tmp_path / f"test_{name}.py").write_text(text, encoding="utf-8")
    result = ran_by_pytest(tmp_path)
    assert result.returncode == 0, result.stdout[-3000:]
