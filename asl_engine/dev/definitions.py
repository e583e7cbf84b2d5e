"""The state machines that the files of a project define, each with what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import AslError
from asl_engine.project.checking import load_definition
from asl_engine.project.definitions import NOTHING, read_definition
from asl_engine.project.discovery import find_definitions
from asl_engine.project.inputs import machine_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asl_engine.limits import Limits
    from asl_engine.project.configuration import Project

__all__ = ["DefinedMachine", "defined_machines"]


class DefinedMachine(NamedTuple):
    """A state machine as its file defines it.

    ``place`` is the file, relative to the project.  ``faults`` says what keeps it from being made, "" if nothing
    does; ``text`` is the definition with the values of its placeholders.
    """

    name: str
    place: str
    text: str = ""
    faults: str = ""


def defined_machines(project: Project, limits: Limits) -> Iterator[DefinedMachine]:
    """All of them.  Of two that have one name, the second cannot be made."""
    seen: dict[str, str] = {}
    for found in find_definitions(project.root):
        place = _shown(found.path, project.root)
        name = machine_name(str(found.path))
        if name in seen:
            yield DefinedMachine(name, place, faults=f"{place}: {seen[name]} defines a state machine {name} too")
            continue
        seen[name] = place
        try:
            source = read_definition(str(found.path), NOTHING, project, local=True)
            load_definition(source, limits)
        except AslError as error:
            yield DefinedMachine(name, place, faults=str(error))
        else:
            yield DefinedMachine(name, place, text=source.text)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
