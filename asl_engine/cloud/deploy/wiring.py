"""From a definition's text to the text that is deployed.

A definition is deployed as it is written: JSON to the letter.  Three things are put in, in the text: values
for ``${Name}``, the real region and account where an ARN has the words, and, where functions are deployed
along, the ARNs of these functions for those that the tasks name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asl_engine.cloud.client import AwsError
from asl_engine.errors import Parameter
from asl_engine.resources.python.registry import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["functions_named", "locate", "unfilled", "wire"]

# The words that stand for a region and an account in definitions that were never deployed.
_PLACEHOLDER_ARN = re.compile(r"(?P<begin>\barn:[\w-]+:[\w-]+:)(?P<region>[^:\"\s]*):(?P<account>[^:\"\s]*):")
_FUNCTION_ARN = re.compile(
    r"\barn:[\w-]+:lambda:[^:\"\s]*:[^:\"\s]*:function:(?P<name>[\w-]+)(?::(?P<version>[\w$-]+))?"
)
_FUNCTION_NAME = re.compile(r"(?P<begin>\"FunctionName\"\s*:\s*\")(?P<name>[\w-]+)(?P<end>\")")
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[\w.:-]+)\}")
_ARN_ENDINGS = ("functionarn", "lambdaarn", "arn", "function", "")


def locate(text: str, region: str, account: str) -> str:
    """The text with the region and the account in ARNs that have the words ``region`` and ``account``."""

    def put(match: re.Match[str]) -> str:
        there, whose = match["region"], match["account"]
        there = region if "region" in there.lower() and "$" not in there else there
        whose = account if "account" in whose.lower() and "$" not in whose else whose
        return f"{match['begin']}{there}:{whose}:"

    return _PLACEHOLDER_ARN.sub(put, text)


def functions_named(text: str, find: Callable[[str], object | None]) -> list[str]:
    """The functions that the text names and ``find`` knows, each once."""
    return list(dict.fromkeys(name for name in _names(text) if find(name) is not None))


def _names(text: str) -> Iterator[str]:
    for match in (*_FUNCTION_ARN.finditer(text), *_FUNCTION_NAME.finditer(text)):
        yield match["name"]


def placeholders_for(text: str, find: Callable[[str], str | None]) -> dict[str, str]:
    """The unfilled ``${...}`` that can only mean a function: placeholder to the function's name.

    ``${validateOrder}``, ``${ValidateOrderArn}`` and ``${ValidateOrderFunctionArn}`` mean validateOrder.
    """
    found: dict[str, str] = {}
    for placeholder in dict.fromkeys(match["name"] for match in _PLACEHOLDER.finditer(text)):
        wanted = canonical(placeholder)
        stems = (wanted.removesuffix(ending) for ending in _ARN_ENDINGS if wanted.endswith(ending))
        name = next((name for stem in stems if stem and (name := find(stem)) is not None), None)
        if name is not None:
            found[placeholder] = name
    return found


def wire(text: str, arns: dict[str, str], placeholders: dict[str, str]) -> str:
    """The text with the ARNs of deployed functions.

    ``arns``: by the name that the definition has for the function; ``placeholders``: as
    ``placeholders_for`` gives them.
    """
    text = _PLACEHOLDER.sub(lambda match: arns.get(placeholders.get(match["name"], ""), match[0]), text)
    # What was just put in is an ARN of a function too, whose name may be another's in the definition.
    made = set(arns.values())
    text = _FUNCTION_ARN.sub(
        lambda match: match[0] if match[0] in made else arns.get(match["name"], match[0]), text
    )
    return _FUNCTION_NAME.sub(
        lambda match: f"{match['begin']}{arns.get(match['name'], match['name'])}{match['end']}", text
    )


def unfilled(text: str) -> list[str]:
    """The placeholders that are left."""
    return list(dict.fromkeys(match["name"] for match in _PLACEHOLDER.finditer(text)))


def refuse_unfilled(text: str, source: str) -> None:
    """Raises ``AwsError`` for placeholders without a value: AWS would take them for text."""
    left = unfilled(text)
    if left:
        arguments = [part for name in left for part in (" ", Parameter("substitute", f"{name}=..."))]
        names = ", ".join(f"${{{name}}}" for name in left)
        raise AwsError(f"{source}: no value is given for {names}:", *arguments)
