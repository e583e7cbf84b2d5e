"""The state machines that the files of a project define, each with what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.errors import AslError
from asl_engine.project.checking import load_definition
from asl_engine.project.configuration import normal
from asl_engine.project.definitions import NOTHING, read_machine, template_files
from asl_engine.project.discovery import find_definitions
from asl_engine.project.inputs import read_text
from asl_engine.project.sources import is_assembly, reference_to
from asl_engine.templates.recognition import is_broken_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.limits import Limits
    from asl_engine.project.configuration import Project
    from asl_engine.project.sources import SourceFile

__all__ = ["NO_FILES", "DefinedMachine", "ProjectFiles", "defined_machines", "found_in"]


class DefinedMachine(NamedTuple):
    """A state machine as a file of the project defines it.

    ``place`` is the file, relative to the project; FILE#MACHINE for one that a template declares.  ``faults`` says
    what keeps it from being made, "" if nothing does.  ``text`` is the definition, its placeholders filled.
    """

    place: str
    name: str = ""
    text: str = ""
    faults: str = ""
    express: bool = False


def defined_machines(
    project: Project, found: ProjectFiles, limits: Limits, known: Mapping[str, DefinedMachine]
) -> Iterator[DefinedMachine]:
    """All of them.  Of two that have one name, the second cannot be made.

    A file that a template names as the definition of a machine is none by itself.  Those that are as they are
    ``known``, by their places, are not compiled again.
    """
    seen: dict[str, str] = {}
    templates, plain, broken, kept = found
    yield from broken
    for one in kept:
        places = (_shown(reference_to(one, machine), project.root) for machine in one.declared.machines)
        yield from (known[place] for place in places if place in known)
    references = [reference_to(one, machine) for one in templates for machine in one.declared.machines]
    taken: set[Path] = set()
    for reference in (*references, *plain):
        if Path(reference) in taken:
            continue
        place = _shown(reference, project.root)
        try:
            given = read_machine(reference, NOTHING, project, local=True)
            taken.add(Path(given.source.name).absolute())
            before = known.get(place)
            if before is None or before.faults or before.text != given.source.text:
                load_definition(given.source, limits)
        except AslError as error:
            yield DefinedMachine(place, faults=str(error))
            continue
        name = given.name
        if name in seen:
            yield DefinedMachine(place, name, faults=f"{place}: {seen[name]} defines a state machine {name} too")
        else:
            seen[name] = place
            yield DefinedMachine(place, name, given.source.text, express=given.express)


class ProjectFiles(NamedTuple):
    """The templates, the files of other definitions, and the templates that are broken.

    ``kept`` are templates as they were before they could not be read any more.
    """

    templates: list[SourceFile]
    plain: list[str]
    broken: list[DefinedMachine]
    kept: list[SourceFile]

    @property
    def declaring(self) -> list[SourceFile]:
        """Those that say which functions, routes and rules there are."""
        return [*self.templates, *self.kept]


PLACEHOLDER: Final = "${"
NO_FILES: Final = ProjectFiles([], [], [], [])


def found_in(project: Project, before: ProjectFiles = NO_FILES) -> ProjectFiles:
    """What the files of a project declare; ``before`` is what they did.

    Where a template is broken, or names files that are not there, a definition with placeholders may be one of
    its: that nothing fills them is no mistake besides.
    """
    templates: list[SourceFile] = []
    plain: list[str] = []
    included: set[Path] = set()
    broken: list[DefinedMachine] = []
    kept: list[SourceFile] = []
    misses = False
    for found in find_definitions(project.root):
        if found.template is not None:
            files = (machine.file for machine in found.template.machines if machine.file is not None)
            named = {normal(found.path.parent / file) for file in files}
            misses = misses or not all(file.is_file() for file in named)
            included |= named
            try:
                templates += template_files(str(found.path), NOTHING, project)[1]
            except AslError as error:
                broken.append(DefinedMachine(_shown(str(found.path), project.root), faults=str(error)))
                kept += _of_file(found.path, before)
        elif not any(is_assembly(str(folder)) for folder in found.path.parents):
            plain.append(str(found.path))
            kept += _of_file(found.path, before)  # it was a template, and is no YAML any more
    plain = [file for file in plain if Path(file) not in included]
    unread = {file for file in plain if _is_broken_template(Path(file))}
    if misses or broken or unread:
        plain = [file for file in plain if file in unread or PLACEHOLDER not in _text(Path(file))]
    return ProjectFiles(templates, plain, broken, kept)


def _is_broken_template(path: Path) -> bool:
    return is_broken_template(_text(path), path.name)


def _text(path: Path) -> str:
    """The text of a file; "" for one of which a definition's reader says why it cannot be read."""
    try:
        return read_text(str(path), "the definition")
    except AslError:
        return ""


def _of_file(path: Path, before: ProjectFiles) -> Iterator[SourceFile]:
    for one in before.declaring:
        file = Path(one.file)
        if file == path or path in file.parents:
            yield one


def _shown(reference: str, root: Path) -> str:
    path, mark, machine = reference.partition("#")
    there = Path(path)
    return (there.relative_to(root).as_posix() if there.is_relative_to(root) else path) + mark + machine
