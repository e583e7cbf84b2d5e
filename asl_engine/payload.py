"""A JSON value together with its text, each made from the other at most once."""

from __future__ import annotations

from typing import Any

from asl_engine.json_text import TooDeep, _encode, _refuse_depth, loads_own, rewritten
from asl_engine.json_values import MISSING, Json, Missing
from asl_engine.limits import utf8_length

__all__ = ["Payload"]


class Payload:
    """A JSON value together with its text; whichever is missing is made on first use and kept.

    ``origin`` is the sequence number of the event that first carried the payload in its execution
    (0: none yet); the store writes the text there and refers to it from every later event.
    """

    __slots__ = ("_compact", "_text", "_value", "origin")

    def __init__(self, value: Json | Missing = MISSING, text: str | None = None) -> None:
        self._value: Any = value
        self._text = text
        # Its compact form once that is known, True where it is that itself: what we write always is.
        self._compact: Payload | bool = text is None
        self.origin = 0

    @classmethod
    def of_text(cls, text: str) -> Payload:
        """The payload of a text that is known to be JSON."""
        return cls(MISSING, text)

    @property
    def value(self) -> Json:
        if self._value is MISSING:
            self._value = loads_own(self.text)
        value: Json = self._value
        return value

    @property
    def text(self) -> str:
        """Raises ``TooDeep``."""
        if self._text is None:
            try:
                text = _encode(self._value)
            except RecursionError:
                raise TooDeep from None
            _refuse_depth(self._value, text)
            self._text = text
        return self._text

    @property
    def length(self) -> int:
        """The number of characters of the text.  Raises ``TooDeep``."""
        text = self._text
        return len(self.text if text is None else text)

    @property
    def size(self) -> int:
        """The number of bytes of the text in UTF-8.  Raises ``TooDeep``."""
        return utf8_length(self.text)

    @property
    def known_length(self) -> int:
        """The number of characters of the text, 0 where it has not been made yet."""
        return 0 if self._text is None else len(self._text)

    @property
    def held(self) -> int:
        """The number of characters of the text in memory: none of one that has not been made yet."""
        return 0 if self._text is None else len(self._text)

    @property
    def compact(self) -> Payload:
        """The same value with the text that we write for it: itself, where it has that.  Raises ``TooDeep``."""
        if self._compact is True:
            return self
        if isinstance(self._compact, Payload):
            return self._compact
        try:
            made = rewritten(self.value)
        except RecursionError:
            raise TooDeep from None
        if made == self._text:
            self._compact = True
            return self
        self._compact = Payload(self.value, made)
        self._compact.mark_compact()
        return self._compact

    @property
    def is_compact(self) -> bool:
        """Whether the text is known to be what we write for the value."""
        return self._compact is True

    def mark_compact(self) -> None:
        """Take it for known, from whoever has seen to it, that the text is what we write for the value."""
        self._compact = True

    def apart(self) -> Payload:
        """The same for another execution, which stores it elsewhere."""
        other = Payload(MISSING, self.text)
        if self._compact is not True:  # then the value was read from the text, and the text not made from it
            other._value = self._value
        return other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Payload):
            return NotImplemented
        return self is other or self.text == other.text

    __hash__ = None  # type: ignore[assignment]  # mutable caches: equality by text, never a key

    def __repr__(self) -> str:
        return f"Payload({self.text if len(self.text) < 200 else self.text[:200] + '...'})"
