"""A copy of the project, mutated or not, and what a test says of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.mutations.table import CRASH, Mutation

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ROOT", "copy_project", "mutate", "outcome_of"]

ROOT: Final = Path(__file__).parents[2]
NEEDED: Final = ("asl_engine", "tests", "tasks", "statemachines", "inputs", "order.json", "pyproject.toml")
NOT_COPIED: Final = shutil.ignore_patterns("__pycache__", "*.pyc")
TESTS_FAILED: Final = 1  # of pytest, and of tests.crash; everything else is no verdict
LAST_CHARACTERS: Final = 2000


def copy_project(root: Path) -> None:
    """What the tests need of the project."""
    root.mkdir(parents=True)
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=NOT_COPIED)
        else:
            shutil.copy(ROOT / name, root / name)


@contextmanager
def mutate(root: Path, mutation: Mutation) -> Iterator[None]:
    """Take a mechanism away, as long as the block lasts.  Raises ``ValueError`` where it is not found."""
    path = root / mutation.path
    text = path.read_text("utf-8")
    if text.count(mutation.old) != 1:
        raise ValueError(f"{mutation.name}: {mutation.path} has {text.count(mutation.old)} times {mutation.old!r}")
    path.write_text(text.replace(mutation.old, mutation.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def outcome_of(shown_by: str, root: Path) -> tuple[bool | None, str]:
    """Whether the test passes, None where it could not be run; and what it says in the end."""
    if shown_by.startswith(CRASH):
        words = ["-m", "tests.crash", *shown_by.removeprefix(CRASH).split()]
    else:
        words = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", shown_by]
    done = subprocess.run(
        [sys.executable, "-B", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = (done.stdout + done.stderr)[-LAST_CHARACTERS:]
    failed = done.returncode == TESTS_FAILED and ("BROKEN: " in done.stdout or " failed" in done.stdout)
    return {0: True}.get(done.returncode, False if failed else None), told
