"""What is wrong with a template that declares state machines, and the definitions that it has or names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import DefinitionError
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER
from asl_engine.project.declared import with_declared
from asl_engine.project.definitions import declared_source, template_files
from asl_engine.project.sources import reference_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.findings import Finding
    from asl_engine.language.document import DefinitionSource
    from asl_engine.project.configuration import Project
    from asl_engine.project.definitions import Substituting
    from asl_engine.templates.recognition import DeploymentTemplate

__all__ = ["CheckedTemplate", "InTemplate"]


class InTemplate(NamedTuple):
    """A definition that stands in a template, at ``location``, of the machine of this ``name``."""

    source: DefinitionSource
    name: str
    location: str
    findings: list[Finding]


class CheckedTemplate:
    """A template as ``asl validate`` sees it.  Raises ``AslError`` where a file cannot be read."""

    def __init__(
        self, file: str, template: DeploymentTemplate, substituting: Substituting, project: Project
    ) -> None:
        self._template = template
        self._values, self._files = template_files(file, substituting, project)
        self.project = with_declared(project, self._files)
        self.names = {name for source in self._files for name in source.declared.names}

    def definition_files(self) -> dict[str, str]:
        """The files of definitions that there are, with what names the machine of each."""
        found: dict[str, str] = {}
        for source in self._files:
            for machine in source.declared.machines:
                if machine.file is not None and source.path(machine.file).is_file():
                    found.setdefault(str(source.path(machine.file)), reference_to(source, machine, shown=True))
        return found

    def parts(self) -> list[str]:
        """The files that are definitions only as parts of the template."""
        machines = ((source, machine) for source in self._files for machine in source.declared.machines)
        return [str(source.path(file)) for source, machine in machines for file in machine.parts]

    def faults(self) -> Iterator[Finding]:
        """What is misspelt in the template, makes no sense in it, or has no value."""
        yield from self._template.faults
        told = {one for source in self._files for machine in source.declared.machines for one in machine.findings}
        for source in self._files:
            for machine in source.declared.machines:
                yield from map(_as_told, machine.findings)
                if machine.file is not None and not source.path(machine.file).is_file():
                    try:
                        declared_source(source, machine, {}, None)
                    except DefinitionError as error:
                        yield from error.findings
            for one in dict.fromkeys((*source.declared.told(), *source.declared.findings)):
                if one not in told:
                    yield _as_told(one)

    def inline(self) -> Iterator[InTemplate]:
        """The definitions in the template itself."""
        for source in self._files:
            for machine in source.declared.machines:
                if machine.file is None and machine.definition is not None:
                    read, _ = declared_source(source, machine, self._values, self.project)
                    yield InTemplate(read, machine.name, machine.location, [*machine.findings])


def _as_told(finding: Finding) -> Finding:
    """A reference without a value is no error of the template: it may have one where that is deployed."""
    return finding._replace(severity="WARNING") if finding.code == UNFILLED_PLACEHOLDER else finding
