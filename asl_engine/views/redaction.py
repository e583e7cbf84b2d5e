"""What must not leave the machine with a page: the values of keys that name secrets, and what looks like one.

A rule is a regular expression.  What it finds in a key hides the whole value; what it finds in a text is hidden
where it stands.  JSON within a text, such as the body of a request, is looked through as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import InvalidInput, Parameter
from asl_engine.json_text import JsonSyntaxError, dumps, loads

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HIDDEN", "Redaction"]

HIDDEN: Final = "[redacted]"
TELLING_KEYS: Final = (
    r"pass(?:word|wd|phrase|code)|secret|token|authori[sz]ation|credential|cookie|session[-_ ]?id|signature"
    r"|(?:api|access|private|signing|encryption)[-_ ]?key|card[-_ ]?number"
    r"|(?:\b|_)(?:pwd|pin|cvv|cvc|iban|ssn)(?:\b|_)"
)
# In texts: a key with its value, and forms that only secrets have.  None takes longer than the text is long.
TELLING_TEXTS: Final = (
    r"(?i:(?P<key>(?:password|passwd|secret|token|authorization|api[-_]?key)[\w-]{0,40}[\"']?\s{0,8}[=:]\s{0,8})"
    r"(?:(?:bearer|basic)\s{1,8})?[\"']?[^\s\"',;&}]+)"
    r"|\b(?i:bearer|basic)\s{1,8}[\w.~+/=-]{8,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
    r"|(?<=://)[^\s/:@]{1,200}:[^\s/@]{1,200}(?=@)"
)
MAX_DEPTH: Final = 200  # of JSON that is looked through: what is deeper is hidden


class Redaction:
    """The rules that hold for everything, and those that were given."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        """Raises ``InvalidInput`` for a pattern that is no regular expression."""
        for pattern in patterns:
            try:
                found = re.compile(pattern)
            except re.error as error:
                raise InvalidInput(
                    Parameter("redact", pattern), f": it is no regular expression: {error}"
                ) from None
            if found.match(""):
                raise InvalidInput(Parameter("redact", pattern), ": it finds the empty text, and so everything")
        self._own = [re.compile(pattern) for pattern in patterns]
        self._keys = [re.compile(TELLING_KEYS, re.IGNORECASE), *self._own]
        self._texts = re.compile(TELLING_TEXTS)
        self.hidden = 0

    def json(self, text: str) -> str:
        """A payload as indented JSON without its secrets; a text that is no JSON as ``text``."""
        try:
            value = loads(text)
        except JsonSyntaxError:
            return self.text(text)
        import json

        return json.dumps(self._value(value, 0), indent=2, ensure_ascii=False)

    def text(self, text: str) -> str:
        """A text without its secrets."""
        if text[:1] in {"{", "["}:
            try:
                return dumps(self._value(loads(text), 0))
            except (JsonSyntaxError, RecursionError):
                pass
        return self._plain(text)

    def _plain(self, text: str) -> str:
        found = self._texts.sub(self._hide, text)
        for pattern in self._own:
            found, count = pattern.subn(HIDDEN, found)
            self.hidden += count
        return found

    def _hide(self, match: re.Match[str]) -> str:
        self.hidden += 1
        return f"{match['key'] or ''}{HIDDEN}"

    def _value(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            self.hidden += 1
            return HIDDEN
        if isinstance(value, dict):
            return {self._plain_key(key): self._member(key, one, depth) for key, one in value.items()}
        if isinstance(value, list):
            return [self._value(one, depth + 1) for one in value]
        return self.text(value) if isinstance(value, str) else value

    def _plain_key(self, key: str) -> str:
        """A key may be a secret itself, where an object is a table."""
        return self._plain(key) if len(key) >= 16 else key

    def _member(self, key: str, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool) or not self._names_secret(key):
            return self._value(value, depth + 1)
        self.hidden += 1
        return HIDDEN

    def _names_secret(self, key: str) -> bool:
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)  # cardNumber as card_number
        return any(pattern.search(key) or pattern.search(spaced) for pattern in self._keys)
