"""The task callables of a project."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry

__all__ = ["imported_tasks"]


def imported_tasks(project: Project) -> Registry:
    """What is found in the project's places for tasks.  Raises ``ProjectError`` for what cannot be imported.

    stdout belongs to the command alone: what tasks print meanwhile goes to stderr.
    """
    from asl_engine.resources.python.loading import load_tasks

    with redirect_stdout(sys.stderr):
        return load_tasks(*project.tasks, root=project.root)
