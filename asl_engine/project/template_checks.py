"""What is wrong with a template that deploys state machines, as far as its machines go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.findings import Finding, did_you_mean
from asl_engine.language.templates import BROKEN_TEMPLATE, read_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.language.templates import DeploymentTemplate, TemplateMachine

__all__ = ["definition_files", "faults_of"]


def definition_files(file: str, template: DeploymentTemplate) -> Iterator[str]:
    """The files that a template takes its definitions from, as far as they exist."""
    for machine in template.machines:
        path = _path(file, machine)
        if path is not None and path.is_file():
            yield str(path)


def faults_of(file: str, text: str, template: DeploymentTemplate) -> Iterator[Finding]:
    """What is misspelt in the template that ``text`` is, and its machines without a definition."""
    yield from template.faults
    _, locate = read_template(text, file)
    for machine in template.machines:
        message = _without_definition(file, machine)
        if message is not None:
            yield Finding(BROKEN_TEMPLATE, message, machine.location, "ERROR", *(locate(machine.location) or ()))


def _without_definition(file: str, machine: TemplateMachine) -> str | None:
    path = _path(file, machine)
    if path is not None and not path.is_file():
        there = path.parent.iterdir() if path.parent.is_dir() else ()
        return f"There is no file {path}{did_you_mean(str(path), [str(one) for one in there if one.is_file()])}"
    if "/Properties/" not in machine.location and not machine.location.startswith("/stepFunctions"):
        return "The state machine has no definition: give it one of Definition, DefinitionString and DefinitionUri"
    return None


def _path(file: str, machine: TemplateMachine) -> Path | None:
    """The file of a definition; None for one that is not in a file, or whose file is only known when deployed."""
    if machine.file is None or "://" in machine.file or "${" in machine.file:
        return None
    return Path(os.path.normpath(Path(file).parent / machine.file))
