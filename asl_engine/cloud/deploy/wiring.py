"""From a definition's text to the text that is deployed.

A definition is deployed as it is written: JSON to the letter.  Three things are put in, in the text: values
for ``${Name}``, the real region and account where an ARN has the words, and, where functions are deployed
along, the ARNs of these functions where a task names them: in its Resource, and in the FunctionName that it gives
to Lambda's Invoke.  Whatever else looks like a function's name is data, and stays as it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import parse_arn
from asl_engine.cloud.client import AwsError
from asl_engine.errors import Parameter
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.language.placeholders import PLACEHOLDER, placeholders
from asl_engine.language.positions import span
from asl_engine.language.tree import tasks
from asl_engine.resources.python.registry import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.language.tree import StateSource

__all__ = ["functions_named", "is_json", "locate", "placeholders_for", "refuse_unfilled", "wire"]

# The words that stand for a region and an account in definitions that were never deployed.
_PLACEHOLDER_ARN = re.compile(r"(?P<begin>\barn:[\w-]+:[\w-]+:)(?P<region>[^:\"\s]*):(?P<account>[^:\"\s]*):")
_QUALIFIER = r"(?::[\w$-]+)?"
_FUNCTION_ARN = re.compile(rf"arn:[^:]*:lambda:[^:]*:[^:]*:function:(?P<name>[\w-]+){_QUALIFIER}")
# In Invoke also a name, or an ARN that begins with the account.
_FUNCTION_NAME = re.compile(rf"(?:[^:]+:function:|function:)?(?P<name>[\w-]+){_QUALIFIER}")
_LONE_PLACEHOLDER = re.compile(rf"{PLACEHOLDER.pattern}{_QUALIFIER}")
_INVOKE = re.compile(r"(aws-sdk:)?lambda:invoke(\.waitForTaskToken)?")
_ARN_ENDINGS = ("functionarn", "lambdaarn", "arn", "function", "")


class _Reference(NamedTuple):
    """Where a task names a function, with the offsets of the JSON string.

    It says either the ``function``'s name or a ``placeholder`` for its ARN.
    """

    task: StateSource
    start: int
    end: int
    function: str | None
    placeholder: str | None


def locate(text: str, region: str, account: str) -> str:
    """The text with the region and the account in ARNs that have the words ``region`` and ``account``."""

    def put(match: re.Match[str]) -> str:
        there, whose = match["region"], match["account"]
        there = region if "region" in there.lower() and "$" not in there else there
        whose = account if "account" in whose.lower() and "$" not in whose else whose
        return f"{match['begin']}{there}:{whose}:"

    return _PLACEHOLDER_ARN.sub(put, text)


def is_json(text: str) -> bool:
    """Whether the text will be JSON once its placeholders are filled."""
    try:
        loads(_plain(text))
    except JsonSyntaxError:
        return False
    return True


def functions_named(text: str, find: Callable[[str], object | None]) -> list[str]:
    """The functions that the tasks name and ``find`` knows, each once."""
    names = (one.function for one in _references(text) if one.function is not None)
    return [name for name in dict.fromkeys(names) if find(name) is not None]


def placeholders_for(text: str, find: Callable[[str], str | None]) -> dict[str, str]:
    """The unfilled ``${...}`` by which tasks name a function: placeholder to the function's name.

    ``${validateOrder}``, ``${ValidateOrderArn}`` and ``${ValidateOrderFunctionArn}`` mean validateOrder.
    """
    found: dict[str, str] = {}
    for placeholder in dict.fromkeys(one.placeholder for one in _references(text)):
        wanted = canonical(placeholder or "")
        stems = (wanted.removesuffix(ending) for ending in _ARN_ENDINGS if wanted.endswith(ending))
        name = next((name for stem in stems if stem and (name := find(stem)) is not None), None)
        if placeholder is not None and name is not None:
            found[placeholder] = name
    return found


def wire(text: str, arns: dict[str, str], known: dict[str, str]) -> str:
    """The text with the ARNs of deployed functions.

    ``arns``: by the name that the definition has for the function; ``known``: as ``placeholders_for`` gives
    them.  A placeholder that stands for a function is filled wherever it is, as DefinitionSubstitutions do.
    Raises ``AwsError`` for a task that names a version too: it would invoke another than the one deployed.
    """
    for one in sorted(_references(text), key=lambda one: one.start, reverse=True):
        arn = arns.get(one.function or known.get(one.placeholder or "", ""))
        if arn is not None:
            _refuse_qualifier(one)
            text = f"{text[: one.start]}{json.dumps(arn)}{text[one.end :]}"
    return PLACEHOLDER.sub(lambda match: arns.get(known.get(match[1], ""), match[0]), text)


def _references(text: str) -> Iterator[_Reference]:
    """Every place where a task names a function."""
    plain = _plain(text)
    try:
        document = loads(plain)
    except JsonSyntaxError:  # whoever checks the definition says where
        return
    for task in tasks(document):
        where = [("Resource", _FUNCTION_ARN)]
        if _invokes(task.source["Resource"]):
            where = [("Parameters/FunctionName", _FUNCTION_NAME), ("Arguments/FunctionName", _FUNCTION_NAME)]
        for field, pattern in where:
            found = span(plain, f"{task.location}/{field}")
            if found is not None and plain[found[0]] == '"':
                yield from _reference(task, *found, json.loads(text[slice(*found)]), pattern)


def _reference(
    task: StateSource, start: int, end: int, named: str, pattern: re.Pattern[str]
) -> Iterator[_Reference]:
    alone = _LONE_PLACEHOLDER.fullmatch(named)
    if alone is not None:
        yield _Reference(task, start, end, None, alone[1])
        return
    # A placeholder may be any part of an ARN but the name, which would be another's.
    match = _FUNCTION_ARN.fullmatch(hidden := PLACEHOLDER.sub("\0", named)) or pattern.fullmatch(hidden)
    if match is not None:
        yield _Reference(task, start, end, match["name"], None)


def _invokes(resource: str) -> bool:
    """Whether a Resource is an integration with Lambda's Invoke."""
    arn = parse_arn(resource)
    return arn is not None and arn.service == "states" and _INVOKE.fullmatch(arn.resource) is not None


def _refuse_qualifier(one: _Reference) -> None:
    given = one.task.source.get("Parameters", one.task.source.get("Arguments"))
    if _invokes(one.task.source["Resource"]) and isinstance(given, dict):
        qualifier = next((name for name in ("Qualifier", "Qualifier.$") if name in given), None)
        if qualifier is not None:
            raise AwsError(
                f"{one.task.location}: its function is deployed along, and FunctionName becomes the ARN of a "
                f"version: leave {qualifier} out"
            )


def _plain(text: str) -> str:
    """The text with digits for placeholders: as long, and JSON even where a placeholder stands for a number."""
    return PLACEHOLDER.sub(lambda match: "1" * len(match[0]), text)


def refuse_unfilled(text: str, source: str) -> None:
    """Raises ``AwsError`` for placeholders without a value: AWS would take them for text."""
    left = placeholders(text)
    if left:
        arguments = [part for name in left for part in (" ", Parameter("substitute", f"{name}=..."))]
        names = ", ".join(f"${{{name}}}" for name in left)
        raise AwsError(f"{source}: no value is given for {names}:", *arguments)
