"""Definitions that a command names: read, with the values of their placeholders.

One is named by its file; or, where that is a template that declares state machines, by FILE#MACHINE.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import partition_of
from asl_engine.errors import DefinitionError, InvalidInput, Parameter
from asl_engine.findings import Finding, did_you_mean
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.language.document import DefinitionSource, read_source
from asl_engine.language.placeholders import (
    UNFILLED_PLACEHOLDER,
    placeholders,
    short_forms,
    substitute,
    substitutions,
)
from asl_engine.project.inputs import STDIN, STDIN_NAME, machine_name, read_text, split_reference
from asl_engine.project.lookup import project_of
from asl_engine.project.sources import chosen_machine, is_assembly, reference_to, source_files
from asl_engine.templates.recognition import BROKEN_TEMPLATE, is_broken_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json
    from asl_engine.project.configuration import Project
    from asl_engine.project.sources import SourceFile
    from asl_engine.templates.declarations import DeclaredMachine
    from asl_engine.templates.recognition import DeploymentTemplate, TemplateMachine

__all__ = [
    "NOTHING",
    "GivenMachine",
    "Substituting",
    "declared_source",
    "described",
    "given_values",
    "project_with_templates",
    "pseudo_parameters",
    "read_definition",
    "read_machine",
    "recorded_project",
    "template_files",
]


class Substituting(NamedTuple):
    """The values of placeholders: ``NAME=VALUE`` each, and a file of them.

    ``values`` are such as have been checked before: not each of them has to be used.
    """

    given: tuple[str, ...] = ()
    file: str | None = None
    values: Mapping[str, str] = {}


NOTHING = Substituting()


class GivenMachine(NamedTuple):
    """A state machine that a command names.

    ``project`` is its project, with the functions that its template declares.  ``reference`` is what names it from
    anywhere; ``values`` are those that were given for what is in the template, nothing without a template.
    """

    source: DefinitionSource
    name: str
    project: Project
    reference: Path
    values: Mapping[str, str] = {}
    express: bool = False


def read_definition(
    file: str, substituting: Substituting = NOTHING, project: Project | None = None, *, local: bool = False
) -> DefinitionSource:
    """The definition that ``read_machine`` reads."""
    return read_machine(file, substituting, project, local=local).source


def read_machine(
    given: str,
    substituting: Substituting = NOTHING,
    project: Project | None = None,
    *,
    local: bool = False,
    lenient: bool = False,
) -> GivenMachine:
    """The state machine that is defined in a file, or in the standard input for ``-``, or by FILE#MACHINE.

    Of several values for one placeholder, one that is ``given`` counts before that of the file, and that
    before the project's.  A ``local`` definition is one to be run here: where nothing else says it, the project's
    region and account are those of its pseudo parameters.  A ``lenient`` reader does without the values that a
    template has for its references.

    Raises ``AslError``.
    """
    file, chosen = split_reference(given)
    name = STDIN_NAME if file == STDIN else file
    text = None if is_assembly(file) else read_text(file, "the definition")
    if text is not None and not text.strip():
        raise InvalidInput(f"{name}: the definition is empty")
    home = project
    values: dict[str, str] = {}
    tagged = [] if text is None else short_forms(text)
    if text is None or "${" in text or tagged or substituting != NOTHING or chosen is not None:
        home = project_of(Path(given).absolute()) if home is None else home
        values = {**home.substitutions, **substituting.values}
        if substituting.file is not None:
            values |= read_values(substituting.file)
    files = _files(name, text, substituting, values, home, local=local)
    if files:
        home = project_of(Path(given).absolute()) if home is None else home
        return _declared(given, files, substituting, values, home, local=local, lenient=lenient)
    assert text is not None, "an assembly has files"  # noqa: S101  for the type checker
    if chosen is not None:
        raise InvalidInput(_no_template(file, chosen, text))
    if home is not None:
        values = {**(pseudo_parameters(home) if local else {}), **values}
        values |= substitutions(substituting.given, [*dict.fromkeys((*placeholders(text), *tagged))])
    source = read_source(text, name, values)
    home = project_of(Path(file).absolute()) if home is None else home
    return GivenMachine(source, machine_name(file), home, Path(file).absolute())


def _no_template(file: str, chosen: str, text: str) -> str:
    if is_broken_template(text, file):
        return f"{file} cannot be read as a template: `asl validate {file}` says why"
    return f"{file} is no template that declares state machines: give it without #{chosen}"


def _files(
    name: str,
    text: str | None,
    substituting: Substituting,
    values: Mapping[str, str],
    project: Project | None,
    *,
    local: bool,
) -> list[SourceFile]:
    """The files that declare machines; nothing for a definition."""
    from asl_engine.templates.recognition import SIGNS

    if text is not None and SIGNS.search(text) is None:
        return []
    home = project_of(Path(name).absolute()) if project is None else project
    return source_files(name, text, {**home.substitutions, **values, **_written(substituting)}, home, local=local)


def template_files(
    file: str, substituting: Substituting, project: Project
) -> tuple[dict[str, str], list[SourceFile]]:
    """The values for what a template refers to, and the template with them.  Raises ``AslError``."""
    values = {**project.substitutions, **substituting.values}
    if substituting.file is not None:
        values |= read_values(substituting.file)
    values |= _written(substituting)
    return values, source_files(file, read_text(file, "the template"), values, project)


def _written(substituting: Substituting) -> dict[str, str]:
    """The values of NAME=VALUE; whether something has the name is still to be seen.  Raises ``InvalidInput``."""
    return substitutions(substituting.given, [one.partition("=")[0] for one in substituting.given])


def _declared(
    given: str,
    files: list[SourceFile],
    substituting: Substituting,
    values: Mapping[str, str],
    project: Project,
    *,
    local: bool,
    lenient: bool,
) -> GivenMachine:
    from asl_engine.project.declared import with_declared

    file, chosen = split_reference(given)
    values = {**values, **_written(substituting)}
    source, machine = chosen_machine(file, files, chosen)
    known = {name for one in files for name in one.declared.names}
    definition, names = declared_source(source, machine, values, project if local else None)
    _check_used(given, substituting, {*known, *names})
    findings = [one for one in machine.findings if not (lenient and one.code == UNFILLED_PLACEHOLDER)]
    if findings:
        raise DefinitionError(findings, source.file)
    return GivenMachine(
        definition,
        machine.name,
        with_declared(project, files),
        Path(reference_to(source, machine)),
        values,
        machine.express,
    )


def declared_source(
    source: SourceFile, machine: DeclaredMachine, values: Mapping[str, str], project: Project | None
) -> tuple[DefinitionSource, list[str]]:
    """The definition of a machine that a file declares, and the names of its placeholders.

    ``project`` is that of a definition to be run here.  Raises ``DefinitionError`` where its file is not there.
    """
    pseudo = {} if project is None else pseudo_parameters(project)
    values = {**pseudo, **machine.substitutions, **values}
    if machine.file is None:
        from asl_engine.templates.inline import InlineDefinition

        is_text = isinstance(machine.definition, str)
        text = str(machine.definition) if is_text else dumps(machine.definition)
        filled = substitute(text, values)
        origin = InlineDefinition(source.text, source.locate, machine.location, filled if is_text else None)
        return DefinitionSource(filled, source.file, origin), [*placeholders(text), *machine.substitutions]
    path = source.path(machine.file)
    if not path.is_file():
        raise DefinitionError([_missing_file(source, machine, path)], source.file)
    text = read_text(str(path), "the definition")
    return read_source(text, str(path), values), [*placeholders(text), *short_forms(text), *machine.substitutions]


def _missing_file(source: SourceFile, machine: DeclaredMachine, path: Path) -> Finding:
    """That the file of a machine's definition is not there."""
    there = [str(one) for one in path.parent.iterdir() if one.is_file()] if path.parent.is_dir() else []
    message = f"There is no file {path}{did_you_mean(str(path), there)}"
    return Finding(BROKEN_TEMPLATE, message, machine.location, "ERROR", *(source.locate(machine.location) or ()))


def _check_used(given: str, substituting: Substituting, known: set[str]) -> None:
    """Raises ``InvalidInput`` for a value that nothing would get."""
    for one in substituting.given:
        name = one.partition("=")[0]
        if name not in known:
            own = ", ".join(sorted(known))
            raise InvalidInput(
                Parameter("substitute", one),
                f": nothing in {given} has this name{did_you_mean(name, known)}; there are {own or 'none'}",
            )


def recorded_project(reference: Path, values: Mapping[str, str], project: Project) -> Project:
    """The project of a recorded execution, with the functions that its template declares now.

    Raises ``AslError`` where that cannot be read any more.
    """
    from asl_engine.project.declared import with_declared

    file, chosen = split_reference(str(reference))
    if chosen is None:
        return project
    text = None if is_assembly(file) else read_text(file, "the template")
    return with_declared(project, source_files(file, text, {**project.substitutions, **values}, project))


def project_with_templates(project: Project) -> Project:
    """The project with the functions that all of its templates declare.  Raises ``AslError``."""
    from asl_engine.project.declared import with_declared
    from asl_engine.project.discovery import find_definitions

    templates = (str(one.path) for one in find_definitions(project.root) if one.template is not None)
    return with_declared(project, (file for one in templates for file in template_files(one, NOTHING, project)[1]))


def given_values(substituting: Substituting, text: str) -> dict[str, str]:
    """The values that are given for the placeholders of a definition's text.  Raises ``AslError``."""
    values = {} if substituting.file is None else read_values(substituting.file)
    known = [*dict.fromkeys((*placeholders(text), *short_forms(text)))]
    return values | substitutions(substituting.given, known)


def pseudo_parameters(project: Project) -> dict[str, str]:
    """What CloudFormation knows without being told, for the account that stands for AWS's here."""
    return {
        "AWS::Partition": partition_of(project.region),
        "AWS::Region": project.region,
        "AWS::AccountId": project.account,
    }


def described(file: str, template: DeploymentTemplate) -> list[str]:
    """A line for each state machine of a template: where it is, and where its definition is."""
    return [f"\n  {file}:{one.line or 1}: {one.name}: {_definition_of(file, one)}" for one in template.machines]


def _definition_of(file: str, machine: TemplateMachine) -> str:
    if machine.file is None:
        return f"its definition is in the template, at {machine.location}"
    if "://" in machine.file or "${" in machine.file:
        return f"its definition is {machine.file}"
    path = Path(file).parent / machine.file
    return f"its definition is {path}" if path.is_file() else f"its definition is {path}, which does not exist"


def read_values(file: str) -> dict[str, str]:
    """The values in a JSON or YAML file: an object of strings, numbers and booleans.  Raises ``AslError``."""
    text = read_text(file, "the substitutions")
    if file.endswith((".yaml", ".yml")):
        from asl_engine.language.yaml import read_yaml

        text = read_yaml(text, file).text
    try:
        values = loads(text)
    except JsonSyntaxError as error:
        from asl_engine.language.json_mistakes import explained

        raise InvalidInput(
            f"{file}:{error.line}:{error.column}: the substitutions are not JSON: {explained(error, text)}"
        ) from None
    if not isinstance(values, dict):
        raise InvalidInput(f"{file}: the substitutions have to be an object of names and values")
    return {name: _value_text(file, name, value) for name, value in values.items()}


def _value_text(file: str, name: str, value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return dumps(value)
    raise InvalidInput(f"{file}: {name} has to be a string, a number or a boolean")
