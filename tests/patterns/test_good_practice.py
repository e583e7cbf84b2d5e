"""The example of good practice: a card is charged once where the process dies before the answer is stored."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.project import Project, Result

EXAMPLE = Path(__file__).parents[2] / "examples" / "good-practice"
# The function has returned, its answer is kept beside the database, and the engine has not heard of it.
DEADLY = """

import os
from pathlib import Path

_kept = charge_card


@task("chargeCard")
def _deadly(event: dict, context: TaskContext) -> dict:
    answer = _kept(event, context)
    mark = Path("died")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    return answer


del charge_card
"""


def _no_command(*arguments: str) -> Result:
    raise AssertionError(f"nothing runs asl {arguments} in this process")


@pytest.mark.skipif(os.name == "nt", reason="a process does not end by signals on Windows")
@pytest.mark.parametrize(("decorator", "charges"), [("@idempotent\n", 1), ("", 2)])
def test_a_card_is_charged_once_where_the_answer_is_kept(tmp_path: Path, decorator: str, charges: int) -> None:
    root = tmp_path / "invoices"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".asl", "__pycache__"))
    payments = root / "tasks" / "payments.py"
    text = payments.read_text(encoding="utf-8").replace("@idempotent\n", decorator)
    payments.write_text(text.replace('@task("chargeCard")\n', "") + DEADLY, encoding="utf-8")
    invoices = Project(root, _no_command)

    definition, given = Path("statemachines") / "invoice.json", Path("inputs") / "invoice.json"
    assert invoices.process("run", str(definition), "--input", str(given), "--name", "i-1").code == -9
    done = invoices.process("resume", "i-1")
    assert done.code == 0, done.err
    with closing(sqlite3.connect(root / ".asl" / "bank.db")) as bank:
        assert bank.execute("SELECT count(*) FROM charges").fetchone() == (charges,)
