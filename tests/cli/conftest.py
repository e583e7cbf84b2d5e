"""Commands run in a project of their own, which is the current directory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from asl_engine.cli import main
from tests.cli.project import TASKS, Project, Result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Project]:
    root = tmp_path / "project"
    (root / "statemachines").mkdir(parents=True)
    (root / "tasks").mkdir()
    (root / "tasks" / "callables.py").write_text(TASKS, encoding="utf-8")
    monkeypatch.chdir(root)
    monkeypatch.delenv("ASL_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)

    def asl(*arguments: str) -> Result:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        code = ended.value.code
        assert isinstance(code, int)
        return Result(code, *capfd.readouterr())

    yield Project(root, asl)
    for name in set(sys.modules) - known:
        if name.split(".")[0] == "tasks" or name.startswith("_asl_tasks_"):
            del sys.modules[name]
