"""What HTTP APIs pass to services: texts in which ``$request.body.id`` and the like stand."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import AslError
from asl_engine.gateway.json_paths import value_at
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.gateway.http import ApiRequest
    from asl_engine.gateway.routes import Taken

__all__ = ["Unmappable", "mapped"]

NAMES: Final = r"(?:request\.(?:header|querystring|path|body)|request\.path|context|stageVariables)"
REFERENCE: Final = re.compile(rf"\$\{{(?P<braced>{NAMES}[^}}]*)\}}|\$(?P<plain>{NAMES}[\w.\[\]*@-]*)")


class Unmappable(AslError):
    """A request lacks what is to be passed on."""


def mapped(
    parameters: Mapping[str, Any], request: ApiRequest, taken: Taken, context: Mapping[str, Any]
) -> dict[str, str]:
    """The parameters of an integration with their values; one that the request does not have is left out.

    Raises ``Unmappable`` for a body that is not JSON, where a part of it is asked for.
    """
    found: dict[str, str] = {}
    for name, text in parameters.items():
        value = _value(str(text), request, taken, context)
        if value is not None:
            found[name] = value
    return found


def _value(text: str, request: ApiRequest, taken: Taken, context: Mapping[str, Any]) -> str | None:
    whole = REFERENCE.fullmatch(text)
    if whole is not None:
        return _referred(whole["braced"] or whole["plain"], request, taken, context)

    def put(match: re.Match[str]) -> str:
        return _referred(match["braced"] or match["plain"], request, taken, context) or ""

    return REFERENCE.sub(put, text)


def _referred(name: str, request: ApiRequest, taken: Taken, context: Mapping[str, Any]) -> str | None:
    source, _, rest = name.partition(".")
    if source == "context":
        found: Any = context
        for part in rest.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return None if found is None else str(found)
    if source == "stageVariables":
        return None
    where, _, rest = rest.partition(".")
    if where == "body":
        return _of_body(rest, request)
    if where == "path":
        return taken.path if not rest else taken.parameters.get(rest)
    values = request.header_values().get(rest.lower()) if where == "header" else request.parameters().get(rest)
    return None if values is None else ",".join(values)


def _of_body(path: str, request: ApiRequest) -> str | None:
    """The body, or a part of it: a text as it is, anything else as JSON."""
    if not path:
        return request.text if request.body else None
    try:
        value = value_at(loads(request.text), f"$.{path}")
    except JsonSyntaxError as error:
        raise Unmappable(f"the body is not JSON: {error}") from None
    if value is MISSING:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
