"""Definitions that a command names: read, with the values of their placeholders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.language.document import read_source
from asl_engine.language.placeholders import substitutions
from asl_engine.project.inputs import STDIN, STDIN_NAME, read_text
from asl_engine.project.lookup import project_of

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.language.document import DefinitionSource
    from asl_engine.project.configuration import Project

__all__ = ["NOTHING", "Substituting", "read_definition"]


class Substituting(NamedTuple):
    """The values of placeholders: ``NAME=VALUE`` each, and a file of them."""

    given: tuple[str, ...] = ()
    file: str | None = None


NOTHING = Substituting()


def read_definition(
    file: str, substituting: Substituting = NOTHING, project: Project | None = None
) -> DefinitionSource:
    """The definition in a file, or in the standard input for ``-``.

    Of several values for one placeholder, one that is ``given`` counts before that of the file, and that
    before the project's.  Raises ``AslError``.
    """
    text = read_text(file, "the definition")
    values: dict[str, str] = {}
    if "${" in text or substituting != NOTHING:
        home = project_of(Path(file).absolute()) if project is None else project
        values = dict(home.substitutions)
        if substituting.file is not None:
            values |= read_values(substituting.file)
        values |= substitutions(substituting.given, text)
    return read_source(text, STDIN_NAME if file == STDIN else file, values)


def read_values(file: str) -> dict[str, str]:
    """The values in a JSON or YAML file: an object of strings, numbers and booleans.  Raises ``AslError``."""
    text = read_text(file, "the substitutions")
    if file.endswith((".yaml", ".yml")):
        from asl_engine.language.yaml import read_yaml

        text = read_yaml(text, file).text
    try:
        values = loads(text)
    except JsonSyntaxError as error:
        raise InvalidInput(
            f"{file}:{error.line}:{error.column}: the substitutions are not JSON: {error.message}"
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
