"""The errors of expressions: in the text, at load time, or in the data, at run time."""

from __future__ import annotations

__all__ = ["NO_INPUT", "ExpressionSyntaxError", "PathNotFound", "ResultPathError"]

NO_INPUT = "Unable to apply Path transformation to null or empty input."  # as reported of AWS


class ExpressionSyntaxError(ValueError):
    """A text is not an expression of the language.

    ``position`` is the 0-based index of the offending character of ``text``, or None if it is not
    known.  ``str()`` is the message, and below it the text with a caret under that character.
    """

    def __init__(self, message: str, text: str, position: int | None = None) -> None:
        super().__init__(message, text, position)
        self.message = message
        self.text = text
        self.position = position

    def __str__(self) -> str:
        if self.position is None:
            return f"{self.message}: {self.text}"
        # A line break or a tab in the text would put the caret under another character.
        shown = "".join(character if character.isprintable() else " " for character in self.text)
        return f"{self.message}\n  {shown}\n  {' ' * self.position}^"


class PathNotFound(Exception):
    """A path leads nowhere in the data at hand; ``reason`` is how Jayway JsonPath, hence AWS, puts it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ResultPathError(Exception):
    """A ResultPath cannot be applied to its document; ``detail`` is AWS's text.

    The error that a definition sees is States.ResultPathMatchFailure.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
