"""Mapping templates of REST APIs: what ``$input``, ``$util`` and ``$context`` are in them."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, unquote_plus

from asl_engine.errors import AslError
from asl_engine.gateway.json_paths import value_at
from asl_engine.gateway.velocity import Methods, VelocityTemplate
from asl_engine.gateway.velocity.values import shown
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json

__all__ = ["NotJson", "rendered"]

MAX_TEMPLATES: Final = 256
compiled: Final = lru_cache(MAX_TEMPLATES)(VelocityTemplate)
ESCAPES: Final = {
    "\b": r"\b",
    "\t": r"\t",
    "\n": r"\n",
    "\f": r"\f",
    "\r": r"\r",
    '"': r"\"",
    "'": r"\'",
    "\\": r"\\",
}
PRINTABLE: Final = range(0x20, 0x7F)


class NotJson(AslError):
    """The body of a request, of which a template wants a part, is not JSON."""


def rendered(
    template: str,
    body: str,
    *,
    is_json: bool,
    parameters: Mapping[str, Mapping[str, str]],
    context: Mapping[str, Any],
) -> str:
    """What a template makes of a body.

    ``parameters`` are those of ``header``, ``path`` and ``querystring``.  Values of ``context`` may be set by it.
    Raises ``TemplateFault``, and ``NotJson``.
    """
    names = {
        "context": context,
        "input": _Input(body, parameters, is_json=is_json),
        "stageVariables": {},
        "util": _Util(),
    }
    return compiled(template).render(names)


class _Input(Methods):
    known = ("body", "json", "params", "path")

    def __init__(self, body: str, parameters: Mapping[str, Mapping[str, str]], *, is_json: bool) -> None:
        self.body = body or "{}"
        self._is_json = is_json
        self._parameters = {name: dict(parameters.get(name, {})) for name in ("header", "path", "querystring")}
        self._value: Json = None
        self._read = False

    def params(self, name: str | None = None) -> Any:
        """All parameters; or one of them, looked for in the path, the query and the headers."""
        if name is None:
            return self._parameters
        for where in ("path", "querystring"):
            if name in self._parameters[where]:
                return self._parameters[where][name]
        headers = {known.lower(): value for known, value in self._parameters["header"].items()}
        return headers.get(name.lower(), "")

    def path(self, path: str) -> Any:
        found = value_at(self._root(), path)
        return None if found is MISSING else found

    def json(self, path: str) -> str:
        found = value_at(self._root(), path)
        return "" if found is MISSING else _json(found)

    def _root(self) -> Json:
        if not self._read:
            try:
                self._value = loads(self.body)
            except JsonSyntaxError as error:
                if self._is_json:
                    raise NotJson(str(error)) from None
                self._value = self.body
            self._read = True
        return self._value


class _Util(Methods):
    known = ("base64Decode", "base64Encode", "escapeJavaScript", "parseJson", "urlDecode", "urlEncode")

    def escapeJavaScript(self, text: Any) -> str | None:  # noqa: N802  the template's name of it
        """As Java's StringEscapeUtils: also an apostrophe gets a backslash, which is no JSON."""
        return None if text is None else "".join(map(_escaped, shown(text)))

    def parseJson(self, text: str) -> Json:  # noqa: N802  the template's name of it
        try:
            return loads(text)
        except JsonSyntaxError as error:
            raise ValueError(f"the text is not JSON: {error}") from None

    def urlEncode(self, text: str) -> str:  # noqa: N802  the template's name of it
        return quote_plus(text)

    def urlDecode(self, text: str) -> str:  # noqa: N802  the template's name of it
        return unquote_plus(text)

    def base64Encode(self, text: str) -> str:  # noqa: N802  the template's name of it
        return base64.b64encode(text.encode()).decode()

    def base64Decode(self, text: str) -> str:  # noqa: N802  the template's name of it
        return base64.b64decode(text).decode()


def _escaped(sign: str) -> str:
    if sign in ESCAPES:
        return ESCAPES[sign]
    if ord(sign) in PRINTABLE:
        return sign
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
