"""``${Name}`` placeholders in a definition, as DefinitionSubstitutions of SAM and CloudFormation fill them.

A placeholder is replaced in the text, wherever it stands, before the text is read as JSON or YAML: it
may be part of a string, or a whole value if it stands without quotation marks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "UNFILLED_PLACEHOLDER",
    "nothing_to_replace",
    "placeholders",
    "short_forms",
    "substitute",
    "substitutions",
]

UNFILLED_PLACEHOLDER: Final = "UNFILLED_PLACEHOLDER"  # the code of a finding
PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z0-9_.:-]+)\}")
# CloudFormation's short forms in YAML: !Ref Name, !GetAtt Name.Arn.
SHORT_FORM: Final = re.compile(r"""!(?:Ref|GetAtt)\s+["']?([A-Za-z0-9_.:-]+)""")


def placeholders(text: str) -> list[str]:
    """The names of the placeholders in a text, each once, in the order of their first appearance."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def short_forms(text: str) -> list[str]:
    """The names of the placeholders that a YAML text writes as tags."""
    return list(dict.fromkeys(SHORT_FORM.findall(text)))


def substitute(text: str, values: Mapping[str, str]) -> str:
    """The text with the placeholders that have a value replaced; the others stay, and values are not searched."""
    if not values or "${" not in text:
        return text
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def substitutions(given: Iterable[str], known: list[str]) -> dict[str, str]:
    """The values of ``NAME=VALUE`` arguments for the placeholders of these names.

    Raises ``InvalidInput`` for an argument that is not of this form, or for which there is no placeholder:
    it is misspelt, and the intended placeholder would silently stay.
    """
    values: dict[str, str] = {}
    for argument in given:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise InvalidInput(Parameter("substitute", argument), ": it has to be NAME=VALUE")
        if name not in known:
            raise InvalidInput(Parameter("substitute", argument), f": {nothing_to_replace(name, known)}")
        values[name] = value
    return values


def nothing_to_replace(name: str, known: list[str]) -> str:
    """That none of the ``known`` placeholders has this name, and which was probably meant."""
    if not known:
        return "the definition has no placeholders such as ${" + name + "}"
    there_are = ", ".join("${" + other + "}" for other in known)
    return f"there is no ${{{name}}} in the definition{did_you_mean(name, known)}; there are {there_are}"
