"""What a project configures for nobody: names that no definition has, and what is not there.

A misspelt name in the configuration is no error anywhere: the setting just does not count.  Only who looks at all
definitions can see it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.findings import did_you_mean
from asl_engine.resources.python.registry import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.project.configuration import Project

__all__ = ["Used", "broken_functions", "doubts"]


class Used(NamedTuple):
    """What the definitions of a project name.  ``computed``: some functions' names are known only in a run."""

    functions: set[str]
    placeholders: set[str]
    computed: bool = False


def doubts(project: Project, used: Used) -> Iterator[str]:
    """What is probably misspelt in the configuration: the file, the key, and what may be meant."""
    yield from _unused_functions(project, used)
    for name in project.substitutions:
        if name not in used.placeholders and not name.startswith("AWS::"):
            meant = did_you_mean(name, used.placeholders)
            yield f"{project.source}: substitutions.{name}: no definition has ${{{name}}}{meant}"
    yield from _unknown_regions(project)


def broken_functions(project: Project) -> Iterator[str]:
    """The functions of the configuration that cannot be started."""
    from asl_engine.resources.lambda_.local import not_startable, read_functions

    for function in read_functions(project.functions, project.root, str(project.source)).values():
        message = not_startable(function)
        if message is not None:
            yield message


def _unused_functions(project: Project, used: Used) -> Iterator[str]:
    deployed = project.deploy.get("functions")
    tables = {"functions": project.functions, "deploy.functions": deployed if isinstance(deployed, dict) else {}}
    called = {canonical(name) for name in used.functions}
    for key, table in tables.items():
        for name in table:
            is_called = name in used.functions or (key != "functions" and canonical(name) in called)
            meant = did_you_mean(name, used.functions)
            if not is_called and (meant or not used.computed):
                yield f"{project.source}: {key}.{name}: no state machine calls this function{meant}"


def _unknown_regions(project: Project) -> Iterator[str]:
    given = {"region": project.region if project.source is not None else None, "deploy.region": None}
    given["deploy.region"] = region if isinstance(region := project.deploy.get("region"), str) else None
    if find_spec("botocore") is None or not any(given.values()):
        return
    from asl_engine.resources.aws.names import regions

    known = regions()
    for key, region in given.items():
        if region is not None and region not in known:
            yield f"{project.source}: {key}: AWS has no region {region}{did_you_mean(region, known)}"
