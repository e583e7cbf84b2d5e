"""What a project's files declare: functions that can be run here, or why they cannot be, and the rest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from asl_engine.project.sizing import declared_sizing
from asl_engine.project.sources import reference_to
from asl_engine.resources.lambda_.local import FunctionConfiguration, not_startable
from asl_engine.resources.services import NotRunHere

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import TypeVar

    from asl_engine.project.configuration import Project
    from asl_engine.project.sources import SourceFile
    from asl_engine.templates.declarations import (
        DeclaredEventRule,
        DeclaredFunction,
        DeclaredMapping,
        DeclaredResource,
        DeclaredRoute,
    )

    Located = TypeVar("Located", DeclaredRoute, DeclaredEventRule, DeclaredMapping, DeclaredResource)

__all__ = ["with_declared"]


def with_declared(project: Project, files: Iterable[SourceFile]) -> Project:
    """The project with the state machines and functions that the files declare.

    What the project configures itself comes first: a function of its ``functions`` is not replaced.
    """
    files = [*files]
    declared: dict[str, FunctionConfiguration] = {}
    refused: dict[str, NotRunHere] = {}
    machines: dict[str, str] = {}
    for source in files:
        for machine in source.declared.machines:
            machines[machine.name] = reference_to(source, machine)
        for function in source.declared.functions:
            if function.name in project.functions:
                continue
            place = f"{source.place(function.location)}: {function.logical}"
            configured = _configured(function, source, project, place)
            if isinstance(configured, NotRunHere):
                refused[function.name] = configured
            elif (why := not_startable(configured)) is not None:
                refused[function.name] = NotRunHere(why)
            else:
                declared[function.name] = configured
    return project._replace(
        declared=declared,
        refused=refused,
        machines=machines,
        sizing=declared_sizing((one for file in files for one in file.declared.functions), project.sizing),
        routes=[_at(one, file) for file in files for one in file.declared.routes],
        rules=[_at(one, file) for file in files for one in file.declared.rules],
        mappings=[_at(one, file) for file in files for one in file.declared.mappings],
        resources=[_at(one, file) for file in files for one in file.declared.resources],
        undeclared=[f"{file.file}{one}" for file in files for one in file.declared.findings],
    )


def _at(declared: Located, source: SourceFile) -> Located:
    """A declaration with the file and the line in place of its location in that."""
    return declared._replace(location=source.place(declared.location))


def _configured(
    function: DeclaredFunction, source: SourceFile, project: Project, place: str
) -> FunctionConfiguration | NotRunHere:
    """The function, or why it does not run here, and what to do about it."""
    if function.findings:
        faults = "\n".join(f"  {source.file}{one}" for one in function.findings)
        return NotRunHere(f"{place}: the function {function.name!r} cannot be run as it is declared\n{faults}")
    instead = (
        f'give it an endpoint, [functions.{function.name}] endpoint = "http://..." in asl.toml, or a callable of '
        f"its name in {project.tasks[0] if project.tasks else 'the tasks of the project'}"
    )
    if function.elsewhere is not None:
        return NotRunHere(f"{place}: the function {function.name!r} {function.elsewhere}: {instead}", served=True)
    if not function.runtime.startswith("python"):
        runtime = f"has the runtime {function.runtime}" if function.runtime else "has no Runtime"
        why = f"the function {function.name!r} {runtime}, and only Python runs here"
        return NotRunHere(f"{place}: {why}: {instead}", served=True)
    if not function.handler or "." not in function.handler:
        return NotRunHere(f"{place}.handler: {function.handler!r} is no handler: it is MODULE.FUNCTION")
    folder = source.folder
    archives: list[Path] = []
    if function.code is not None:
        code = source.path(function.code)
        if not code.exists():
            return NotRunHere(f"{place}: there is no {code}, where its code should be")
        folder, archives = (code, []) if code.is_dir() else (code.parent, [code])
    layers = [one for layer in function.layers for one in _importable(source.path(layer))]
    return FunctionConfiguration(
        name=function.name,
        folder=folder.absolute(),
        handler=function.handler,
        endpoint=None,
        environment=_environment(function, project),
        timeout=function.timeout,
        python=sys.executable,
        place=place,
        path=tuple(str(one.absolute()) for one in [*archives, *layers]),
        source=function.source,
    )


def _importable(layer: Path) -> list[Path]:
    """Where a layer has its modules: in python/ and its site-packages, or without those in itself.

    SAM builds the folders of a layer out of one that has none.
    """
    if not layer.is_dir():
        return [layer]
    home = layer / "python"
    if not home.is_dir():
        return [layer]
    return [home, *sorted(home.glob("lib/python*/site-packages"))]


def _environment(function: DeclaredFunction, project: Project) -> dict[str, str]:
    """The variables that Lambda would set, and those that the function declares."""
    return {
        "AWS_REGION": project.region,
        "AWS_DEFAULT_REGION": project.region,
        **function.environment,
    }
