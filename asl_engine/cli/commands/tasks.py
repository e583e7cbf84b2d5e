"""``asl tasks``: the callables that the project has registered."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.cli import options
from asl_engine.cli.output import counted, err, out, pretty_json, table
from asl_engine.project.lookup import project_of
from asl_engine.project.tasks import imported_tasks
from asl_engine.resources.python.registry import where

if TYPE_CHECKING:
    from asl_engine.resources.python.registry import Registry

__all__ = ["command", "tasks"]


def command(json: options.AsJson = False) -> int:
    """List the project's task callables, and where they were looked for."""
    return tasks(as_json=json)


def tasks(*, as_json: bool) -> int:
    """Write what can be called, and where it was looked for."""
    project = project_of(Path.cwd())
    registry = imported_tasks(project)
    described = [_described(registry, name) for name in registry]
    places = [str(place) for place in project.tasks]
    if as_json:
        out(pretty_json({"places": places, "tasks": described}))
        return 0
    if described:
        rows = [(one["name"], one["kind"], one["signature"], one["location"]) for one in described]
        table(("name", "kind", "signature", "where"), rows)
    searched = ", ".join(places) or "nowhere: the project configures no tasks"
    found = counted(len(described), "task callable") if described else "no task callables"
    err(f"{found}; searched: {searched}")
    return 0


def _described(registry: Registry, name: str) -> dict[str, Any]:
    function = registry.find(name)
    assert function is not None, f"{name} comes from the registry"  # noqa: S101  for the type checker
    asynchronous = inspect.iscoroutinefunction(function)
    return {
        "name": name,
        "kind": "async" if asynchronous else "sync",
        "signature": str(inspect.signature(function)),
        "location": where(function),
    }
