"""The saga that `asl saga` writes, and the example: consistent wherever it fails, and whatever is killed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from asl_engine.errors import InvalidInput
from asl_engine.language.loader import load
from asl_engine.patterns.saga import SagaStep, saga, saga_step
from asl_engine.testing import Workflow
from tests.cli.project import Project, Result

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "saga"
STEPS = [saga_step(text) for text in ("reserve:release", "charge:refund", "ship")]
# Every function ends its process once before and once after it has done its work.
DEADLY = """

import os


def _deadly(function, name):
    def call(event):
        _die(event, f"before-{name}")
        answer = function(event)
        _die(event, f"after-{name}")
        return answer

    call.__asl_task__ = name
    call.__module__ = __name__
    return call


def _die(event, when):
    mark = Path(event.get("orderId") or event["document"]["orderId"]) / when
    if not mark.exists():
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        os.kill(os.getpid(), 9)


reserve, release, charge = _deadly(reserve, "reserve"), _deadly(release, "release"), _deadly(charge, "charge")
refund, ship, report = _deadly(refund, "refund"), _deadly(ship, "ship"), _deadly(report, "reportFailedUndo")
"""


def test_the_example_is_what_the_command_writes() -> None:
    assert json.loads((EXAMPLE / "statemachines" / "order.json").read_text(encoding="utf-8")) == saga(STEPS)


@pytest.mark.parametrize(
    ("texts", "paths"),
    [
        (["a"], {"a": ["a", "Undone"]}),
        (["a:b"], {"a": ["a", "b", "Undone"]}),
        (
            ["a", "b:c", "d"],
            {"a": ["a", "Undone"], "b": ["a", "b", "c", "Undone"], "d": ["a", "b", "d", "c", "Undone"]},
        ),
        (["a:b", "c", "d"], {"c": ["a", "c", "b", "Undone"], "d": ["a", "c", "d", "b", "Undone"]}),
    ],
)
def test_steps_without_an_undoing_are_passed_over(texts: list[str], paths: dict[str, list[str]]) -> None:
    steps = [saga_step(text) for text in texts]
    definition = saga(steps)
    names = [name for step in steps for name in step if name is not None]
    for failing, path in paths.items():
        tasks: dict[str, Any] = {name: {} for name in names} | {"reportFailedUndo": {}, failing: KeyError("x")}
        used = {name: answer for name, answer in tasks.items() if name in json.dumps(definition)}
        run = Workflow(definition, used).run({})
        assert [*run.path] == path
        run.assert_failed("Saga.Undone")


@pytest.mark.parametrize(
    ("texts", "reporter", "message"),
    [
        ([], "r", "at least one step"),
        (["a:b:c"], "r", "'a:b:c' is no step: it is DO:UNDO"),
        ([""], "r", "'' is no step"),
        (["a:b", "b"], "r", "the function b is there twice"),
        (["a:r"], "r", "the function r reports"),
        (["Undone"], "r", "no function can be called Undone"),
    ],
)
def test_what_is_no_saga(texts: list[str], reporter: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        saga([saga_step(text) for text in texts], reporter=reporter)


def test_many_steps_are_a_definition_without_findings() -> None:
    load(json.dumps(saga([SagaStep(f"do{number}", f"undo{number}") for number in range(40)])))


# -- killed between any two steps ----------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    root = tmp_path / "saga"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".asl", "__pycache__"))
    steps = root / "tasks" / "steps.py"
    steps.write_text(steps.read_text(encoding="utf-8") + DEADLY, encoding="utf-8")
    # By default the second death of a step would be the end of its attempt: see docs/tasks.md.
    (root / "asl.toml").write_text("max-deaths = 100\n", encoding="utf-8")
    return Project(root, _no_command)


def _no_command(*arguments: str) -> Result:
    raise AssertionError(f"nothing runs asl {arguments} in this process")


def rows(shop: Project, query: str) -> list[Any]:
    with closing(sqlite3.connect(shop.root / ".asl" / "shop.db")) as db:
        return [row[0] for row in db.execute(query)]


TROUBLES = {
    "none": ({}, ["charge", "reserve", "ship"], [], 6),
    "the last step": ({"ship": "NoTruck"}, [], [], 9),
    "the second step": ({"charge": "CardDeclined"}, [], [], 7),
    "the last step, and an undoing": (
        {"ship": "NoTruck", "refund": "BankIsClosed"},
        ["charge"],
        ["refund: BankIsClosed"],
        10,
    ),
}


@pytest.mark.skipif(os.name == "nt", reason="a process does not end by signals on Windows")
@pytest.mark.parametrize("case", TROUBLES)
def test_killed_between_any_two_steps_it_ends_consistent(shop: Project, case: str) -> None:
    """Each function is killed before and after its work: what is left is all of the order, or nothing of it."""
    trouble, left, reported, deaths = TROUBLES[case]
    given = json.dumps({"orderId": "o-1", "trouble": trouble})
    definition = str(Path("statemachines") / "order.json")
    done = shop.process("run", definition, "--input", given, "--name", "one", "--time", "skip")
    kills = 0
    while done.code == -9:
        kills += 1
        done = shop.process("resume", "one")
    assert kills == deaths
    assert done.code == (1 if trouble else 0), done.err
    assert sorted(rows(shop, "SELECT step FROM steps")) == left
    assert rows(shop, "SELECT about FROM reports") == reported
