"""Definitions that a command names: read, with the values of their placeholders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import partition_of
from asl_engine.errors import InvalidInput
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.language.document import read_source
from asl_engine.language.placeholders import placeholders, short_forms, substitutions
from asl_engine.language.templates import recognised_template
from asl_engine.project.inputs import STDIN, STDIN_NAME, read_text
from asl_engine.project.lookup import project_of

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.language.document import DefinitionSource
    from asl_engine.language.templates import DeploymentTemplate, TemplateMachine
    from asl_engine.project.configuration import Project

__all__ = [
    "NOTHING",
    "Substituting",
    "TemplateGiven",
    "described",
    "given_values",
    "pseudo_parameters",
    "read_definition",
]


class Substituting(NamedTuple):
    """The values of placeholders: ``NAME=VALUE`` each, and a file of them."""

    given: tuple[str, ...] = ()
    file: str | None = None


NOTHING = Substituting()


def read_definition(
    file: str, substituting: Substituting = NOTHING, project: Project | None = None, *, local: bool = False
) -> DefinitionSource:
    """The definition in a file, or in the standard input for ``-``.

    Of several values for one placeholder, one that is ``given`` counts before that of the file, and that
    before the project's.  A ``local`` definition is one to be run here: where nothing else says it, the project's
    region and account are those of its pseudo parameters.

    Raises ``AslError``; ``TemplateGiven`` for a template that deploys state machines.
    """
    text = read_text(file, "the definition")
    name = STDIN_NAME if file == STDIN else file
    if not text.strip():
        raise InvalidInput(f"{name}: the definition is empty")
    template = recognised_template(text, name)
    if template is not None:
        raise TemplateGiven(name, template)
    values: dict[str, str] = {}
    tagged = short_forms(text)
    if "${" in text or tagged or substituting != NOTHING:
        home = project_of(Path(file).absolute()) if project is None else project
        values = {**(pseudo_parameters(home) if local else {}), **home.substitutions}
        values |= given_values(substituting, text)
    return read_source(text, name, values)


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


class TemplateGiven(InvalidInput):
    """A template was given where a definition is wanted.  The message says where the definitions are."""

    def __init__(self, file: str, template: DeploymentTemplate) -> None:
        self.template = template
        machines = described(file, template)
        holds = "Its state machines:" if machines else "It has no state machine."
        remedy = "\nGive the command the file of a definition." if machines else ""
        super().__init__(f"{file} is {template.kind}, not a definition. {holds}{''.join(machines)}{remedy}")


def described(file: str, template: DeploymentTemplate) -> list[str]:
    """A line for each state machine of a template: where it is, and where its definition is."""
    return [f"\n  {file}:{one.line or 1}: {one.name}: {_definition_of(file, one)}" for one in template.machines]


def _definition_of(file: str, machine: TemplateMachine) -> str:
    if machine.file is None:
        return f"its definition is in the template, at {machine.location}: put it into a file of its own"
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
