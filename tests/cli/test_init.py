"""``asl init``: projects that are sound and whose tests pass, and nothing where something would be lost."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from asl_engine.cli import dev_extras
from asl_engine.errors import ProjectError
from asl_engine.project.starting import STARTERS
from tests.cli.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("starter", STARTERS)
def test_a_new_project_is_sound_and_its_tests_pass(project: Project, starter: str) -> None:
    result = project.asl("init", "new", "--template", starter)
    assert result.code == 0
    assert [line.removeprefix("new/") for line in result.out.splitlines()] == files(project.root / "new")
    checked = project.asl("validate", "new", "--strict")
    assert checked.code == 0
    assert "(warning)" not in checked.err
    assert "(warning)" not in checked.out
    (run,) = (
        line.removeprefix("run it:  asl ") for line in result.err.splitlines() if line.startswith("run it: ")
    )
    if starter != "events":  # which is run as a whole: tests/cli/test_dev.py
        assert project.asl(*run.split(), "--quiet").code == 0
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "asl_engine.testing.plugin",
            "tests",
        ],
        cwd=project.root / "new",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_made_in_the_current_folder_without_another(project: Project) -> None:
    (project.root / ".gitignore").write_text("mine\n", encoding="utf-8")
    (project.root / "tasks" / "callables.py").unlink()
    assert project.asl("init").code == 0
    assert (project.root / ".gitignore").read_text(encoding="utf-8") == "mine\n"
    assert (project.root / "statemachines" / "order.json").is_file()


@pytest.mark.parametrize("there", ["tasks/orders.py", "asl.toml"])
def test_nothing_is_overwritten_and_nothing_is_written_beside(project: Project, there: str) -> None:
    place = project.root / "new" / there
    place.parent.mkdir(parents=True)
    place.write_text("mine", encoding="utf-8")
    result = project.asl("init", "new")
    assert (result.code, result.out) == (2, "")
    assert result.err == f"asl: error: nothing is written, because these are there already:\n  new/{there}\n"
    assert files(project.root / "new") == [there]
    assert place.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_a_file_is_refused_and_nothing_is_left(project: Project) -> None:
    (project.root / "new").mkdir()
    (project.root / "new" / "tests").write_text("a file", encoding="utf-8")
    result = project.asl("init", "new")
    assert result.code == 2
    assert "cannot write" in result.err
    assert files(project.root / "new") == ["tests"]
    assert [path.name for path in (project.root / "new").iterdir()] == ["tests"]


def test_a_template_that_there_is_not(project: Project) -> None:
    result = project.asl("init", "new", "--template", "sagas")
    assert (result.code, result.out) == (2, "")
    assert "--template sagas: it is one of order, empty, saga, events; did you mean 'saga'?" in result.err
    assert not (project.root / "new").exists()


def test_what_asl_dev_lacks_is_told_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_extras, "SERVER", ("no_server", "starlette"))
    monkeypatch.setattr(dev_extras, "EMULATION", ("no_moto",))
    told = 'asl dev needs no_server, no_moto: pip install "asl-engine[dev-server,emulation]"'
    assert told in project.asl("init", "new", "--template", "events").err.splitlines()
    result = project.asl("dev")
    assert (result.code, result.err) == (2, f"asl: error: {told}\n")
    monkeypatch.setattr(dev_extras, "SERVER", ())
    assert "no_server" not in project.asl("dev", "--emulation").err
    with pytest.raises(ProjectError, match="asl dev needs no_moto: "):
        dev_extras.check_needed(emulation=True)
    dev_extras.check_needed()  # services may be elsewhere
    dev_extras.check_needed(emulation=False)
