"""Commands on a database that the user may read and not write, with the permissions of the system itself."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.project import PASS, ROOT, machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.project import Project

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions are others there")

# Root may write everywhere, unless it gives that up.
AS_A_USER = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]


def ran(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    before: list[str] = []
    if os.geteuid() == 0:
        if shutil.which(AS_A_USER[0]) is None:
            pytest.skip("root may write everywhere")
        before = AS_A_USER
    return subprocess.run(
        [*before, sys.executable, "-m", "asl_engine", *arguments],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(params=["file", "folder", "both"])
def sealed(project: Project, request: pytest.FixtureRequest) -> Iterator[Project]:
    """A project with one execution, in a database that has been made read-only."""
    project.ran(PASS)
    folder = project.db.parent
    if request.param != "folder":
        project.db.chmod(0o444)
    if request.param != "file":
        folder.chmod(0o555)
    yield project
    folder.chmod(0o755)


def test_what_only_reads_does(sealed: Project) -> None:
    before = sorted(sealed.db.parent.rglob("*"))
    for command, said in (
        (["list"], "SUCCEEDED"),
        (["show", "one"], "SUCCEEDED"),
        (["history", "one"], "SUCCEEDED"),
        (["history", "one", "--follow"], "ExecutionSucceeded"),
        (["replay", "one"], "ends as recorded"),
    ):
        result = ran(sealed, *command)
        assert (result.returncode, result.stderr) == (0, ""), command
        assert said in result.stdout
    assert sorted(sealed.db.parent.rglob("*")) == before


def test_what_has_to_write_says_so(sealed: Project) -> None:
    sealed.define("n", machine(W={"Type": "Wait", "Seconds": 0}))
    result = ran(sealed, "run", "statemachines/n.json")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("asl: error: The database")
    assert "cannot be written: check its permissions" in result.stderr


def test_a_log_that_a_crash_has_left(project: Project) -> None:
    """It would have to be put in order before it can be read."""
    project.ran(PASS)
    crashed = project.root / "crashed"
    crashed.mkdir()
    with sqlite3.connect(project.db) as open_one:
        open_one.execute("UPDATE executions SET status = 'FAILED'")
        open_one.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{project.db}{suffix}", crashed / f"asl.db{suffix}")
    open_one.close()
    crashed.chmod(0o555)
    result = ran(project, "list", "--db", "crashed/asl.db")
    crashed.chmod(0o755)
    assert result.returncode == 2
    assert "cannot be read without that because of asl.db-wal beside it" in result.stderr
    assert "FAILED" in ran(project, "list", "--db", "crashed/asl.db").stdout
