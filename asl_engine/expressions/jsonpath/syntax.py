"""The tokens of paths: roots, names and indexes.

Specification: "Paths" and "Reference Paths".  A name after a dot may have any character but those with a
meaning (``. [ ] ( ) * | ` `` and blanks), each of which a backslash makes ordinary; ``\\uXXXX`` names a
UTF-16 unit.  Between brackets and quotes, a backslash makes the quote and the backslash ordinary and
stands for itself before anything else (recorded from AWS: ``$['Test\\""Name"']`` keeps its backslash).
A dot before a bracket means nothing: AWS documents ``$.abc.['def ghi']``.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from asl_engine.expressions.errors import ExpressionSyntaxError

__all__ = [
    "CONTEXT",
    "DATA",
    "NAME",
    "Step",
    "bracketed",
    "read_name",
    "read_quoted",
    "read_root",
    "read_steps",
]

Step: TypeAlias = str | int

DATA: Final = "$"
CONTEXT: Final = "$$"

ROOT: Final = re.compile(r"\$\$|\$(?:[^\W\d]\w*)?")
# Possessive, so that the name of a function is not taken for the name of a member less one letter.
NAME: Final = re.compile(r"(?:[^.\[\]()*|`\s\\]|\\.)++(?!\()")
QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"")
INDEX: Final = re.compile(r"\[\s*(-?\d+)\s*\]", re.ASCII)
BRACKET_OPEN: Final = re.compile(r"\[\s*(?=['\"])")
BRACKET_CLOSE: Final = re.compile(r"\s*\]")
ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")


def read_root(text: str) -> str:
    """``$`` (the data), ``$$`` (the context object) or ``$name`` (a variable).

    Raises ``ExpressionSyntaxError`` if the text begins with none of them, or goes on with something that
    is no step.
    """
    match = ROOT.match(text)
    if match is None:
        raise ExpressionSyntaxError("A path begins with $", text, 0)
    end = match.end()
    if end < len(text) and text[end] not in ".[":
        raise ExpressionSyntaxError(f"Expected '.' or '[' after {match[0]}", text, end)
    return match[0]


def read_steps(text: str, position: int) -> tuple[tuple[Step, ...], int]:
    """The names and indexes from ``position`` on, and where they end: at the text's end, or at whatever
    only a full path has."""
    steps: list[Step] = []
    while position < len(text):
        step = _read_step(text, position)
        if step is None:
            break
        steps.append(step[0])
        position = step[1]
    return tuple(steps), position


def _read_step(text: str, position: int) -> tuple[Step, int] | None:
    if text[position] == ".":
        position += 1
        if not text.startswith("[", position):
            return read_name(text, position)
    index = INDEX.match(text, position)
    if index is not None:
        return int(index[1]), index.end()
    opened = BRACKET_OPEN.match(text, position)
    quoted = opened and read_quoted(text, opened.end())
    if quoted is None:
        return None
    closed = BRACKET_CLOSE.match(text, quoted[1])
    return None if closed is None else (quoted[0], closed.end())


def read_name(text: str, position: int, pattern: re.Pattern[str] = NAME) -> tuple[str, int] | None:
    """The name written without quotes at ``position``, and where it ends; None if there is none."""
    match = pattern.match(text, position)
    if match is None:
        return None
    name = match[0]
    return (name if "\\" not in name else _unescape(name)), match.end()


def _unescape(name: str) -> str:
    plain = ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], name)
    # Two escapes can be the halves of one character.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def read_quoted(text: str, position: int) -> tuple[str, int] | None:
    """The string between quotes at ``position``, and where it ends; None if there is none."""
    match = QUOTED.match(text, position)
    if match is None:
        return None
    quote, content = match[0][0], match[0][1:-1]
    if "\\" in content:
        content = re.sub(rf"\\([\\{quote}])", r"\1", content)
    return content, match.end()


def bracketed(step: Step) -> str:
    """A step in the form that Jayway JsonPath gives it in messages."""
    return f"['{step}']" if isinstance(step, str) else f"[{step}]"
