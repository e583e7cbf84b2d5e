"""Task callables that are loaded anew when their files change.

A call that is under way goes on with the code that it began with; the next one has the new code.
"""

from __future__ import annotations

import sys
from importlib.util import source_from_cache
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.errors import ProjectError
from asl_engine.project.discovery import LEFT_OUT
from asl_engine.project.tasks import imported_tasks

if TYPE_CHECKING:
    from types import ModuleType

    from asl_engine.project.configuration import Project
    from asl_engine.resources.catalog import Catalog
    from asl_engine.resources.python.registry import Registry

__all__ = ["reload_tasks"]


def reload_tasks(project: Project, registry: Registry, catalog: Catalog) -> None:
    """Import the project's tasks anew, and whatever of the project they import.

    Where that fails, everything stays as it was.  Raises ``ProjectError`` that says why.
    """
    old = {name: module for name, module in sys.modules.items() if _is_own(module, project)}
    for name in old:
        del sys.modules[name]
    try:
        fresh = imported_tasks(project)
    except ProjectError:
        for name in [name for name, module in sys.modules.items() if _is_own(module, project)]:
            del sys.modules[name]
        sys.modules.update(old)
        raise
    registry.become(fresh)
    catalog.clear()
    if registry.isolation is not None:
        registry.isolation.close()  # processes of their own begin with what is there when they are started


def _is_own(module: ModuleType, project: Project) -> bool:
    """Whether a module is one of the project's files: not one that was installed below its root."""
    places = [*getattr(module, "__path__", ()), getattr(module, "__file__", None)]
    return any(place is not None and _is_below(Path(place), project) for place in places)


def _is_below(place: Path, project: Project) -> bool:
    if place.suffix == ".pyc":
        place = Path(source_from_cache(str(place)))
    if any(place == task or place.is_relative_to(task) for task in project.tasks):
        return True
    if not place.is_relative_to(project.root):
        return False
    parts = place.relative_to(project.root).parts
    return not any(part in LEFT_OUT or part.startswith(".") or part in {"venv", "lib"} for part in parts)
