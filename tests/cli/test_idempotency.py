"""A process that dies after a task has been done, and before the engine knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

TASKS = """
import os
from pathlib import Path

from asl_engine import idempotent, task


@idempotent
def charge(event):
    with Path("charges").open("a") as charges:
        charges.write("x")
    return {"charged": event["cents"]}


@task("charge")
def charge_and_die(event, context):
    answer = charge(event, context)
    if not Path("died").exists():
        Path("died").touch()
        os._exit(9)
    return answer
"""


def test_it_is_not_done_again(project: Project) -> None:
    (project.root / "tasks" / "callables.py").write_text(TASKS, encoding="utf-8")
    definition = project.define("pay", machine(Charge=task("charge")))
    died = project.process("run", definition, "--input", '{"cents": 5}', "--name", "one")
    assert died.code == 75
    resumed = project.process("resume", "one")
    assert resumed.json == {"charged": 5}
    assert (project.root / "charges").read_text(encoding="utf-8") == "x"
