"""A JSON value together with its text, each made from the other at most once."""

from __future__ import annotations

from typing import Any

from asl_engine.json_text import TooDeep, _encode, _refuse_depth, loads_own
from asl_engine.json_values import MISSING, Json, Missing

__all__ = ["Payload"]


class Payload:
    """A JSON value together with its text; whichever is missing is made on first use and kept.

    ``origin`` is the sequence number of the event that first carried the payload in its execution
    (0: none yet); the store writes the text there and refers to it from every later event.
    """

    __slots__ = ("_text", "_value", "origin")

    def __init__(self, value: Json | Missing = MISSING, text: str | None = None) -> None:
        self._value: Any = value
        self._text = text
        self.origin = 0

    @classmethod
    def of_text(cls, text: str) -> Payload:
        """The payload of a text that is known to be JSON."""
        return cls(MISSING, text)

    @property
    def value(self) -> Json:
        if self._value is MISSING:
            assert self._text is not None, "a payload has a value or a text"  # noqa: S101  invariant of the class
            self._value = loads_own(self._text)
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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Payload):
            return NotImplemented
        return self is other or self.text == other.text

    __hash__ = None  # type: ignore[assignment]  # mutable caches: equality by text, never a key

    def __repr__(self) -> str:
        return f"Payload({self.text if len(self.text) < 200 else self.text[:200] + '...'})"
