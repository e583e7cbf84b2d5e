"""Places in a task's JSON: ``Jobs.0.Status``.  The path syntax of the table of integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json, Missing

__all__ = ["ask", "find", "rename", "renamed"]


def find(value: Json, place: str) -> Json | Missing:
    """The value at a place, MISSING if there is none.  The empty place is the value itself."""
    found: Json | Missing = value
    for step in filter(None, place.split(".")):
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return MISSING
    return found


def ask(places: Mapping[str, str], started: Json, parameters: Json) -> dict[str, Json]:
    """A request about the started job; ``.Place`` is one of the task's parameters, ``=text`` a literal text."""
    request: dict[str, Json] = {}
    for field, place in places.items():
        inner = place.strip("[]")
        found: Json | Missing
        if inner.startswith("="):
            found = inner[1:]
        elif inner.startswith("."):
            found = find(parameters, inner[1:])
        else:
            found = find(started, inner)
        if found is not MISSING:
            request[field] = [found] if place.startswith("[") else found
    return request


def renamed(value: Json, fields: Mapping[str, str]) -> Json:
    """A request with the API's field names, from parameters with those of the integration."""
    if not isinstance(value, dict) or not fields:
        return value
    request = {
        key: inner for key, inner in value.items() if key not in {place.strip("[]") for place in fields.values()}
    }
    return request | ask(fields, value, None)


def rename(value: dict[str, Json], fields: Mapping[str, str]) -> dict[str, Json]:
    """A result with the integration's field names; fields without a name there are left out."""
    return ask(fields, value, None) if fields else value
