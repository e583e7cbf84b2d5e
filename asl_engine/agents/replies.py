"""What tools answer: compact JSON with a next step, large data cut with the way to the rest, errors that help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import AslError, DefinitionError, Parameter
from asl_engine.json_text import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.findings import Finding

__all__ = ["MAX_TEXT", "ToolFailure", "compact", "cut", "diagnostics", "failure", "same", "step", "value_or_cut"]

MAX_TEXT: Final = 2_000  # characters of one payload in an answer
# How tools call what messages speak of.
PARAMETERS: Final = {
    "tasks": "mocks",
    "aws": "real",
    "mock": "case",
    "price": "prices",
    "function": "functions",
}


class ToolFailure(AslError):
    """A tool cannot do what it was asked for; ``more`` is what exists, and what to do instead."""

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message)
        self.more = more


def step(tool: str, why: str, /, **arguments: Any) -> dict[str, Any]:
    """The next useful step: a tool and its arguments."""
    return {"tool": tool, "arguments": {key: one for key, one in arguments.items() if one is not None}, "why": why}


def same(definition: Any) -> Any:
    """A definition in a next step: its name, or that it is the one that was given, which is not said again."""
    is_name = isinstance(definition, str) and not definition.lstrip().startswith("{")
    return definition if is_name or definition is None else "(the same definition)"


def cut(text: str, rest: dict[str, Any], most: int = MAX_TEXT) -> Any:
    """A text; of a long one the beginning, with the step that gets the rest."""
    if len(text) <= most:
        return text
    return {"begins": text[:most], "characters": len(text), "rest": rest}


def value_or_cut(text: str, rest: dict[str, Any], most: int = MAX_TEXT) -> Any:
    """The value of a JSON text; of a long one the beginning of the text, with the step that gets the rest."""
    return loads(text) if len(text) <= most else cut(text, rest, most)


def diagnostics(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    shown = (
        {
            "severity": one.severity,
            "code": one.code,
            "message": one.message,
            "location": one.location,
            "line": one.line,
            "column": one.column,
        }
        for one in findings
    )
    return [{key: value for key, value in one.items() if value is not None} for one in shown]


def failure(error: AslError) -> dict[str, Any]:
    """An error as a tool tells it."""
    if isinstance(error, DefinitionError):
        return {"error": f"{error.source} is refused", "diagnostics": diagnostics(error.findings)}
    more = error.more if isinstance(error, ToolFailure) else {}
    return {"error": error.worded(_worded), **more}


def _worded(parameter: Parameter) -> str:
    name = PARAMETERS.get(parameter.name, parameter.name)
    if parameter == Parameter("aws", "True"):
        return "real='aws'"
    return name if parameter.value is None else f"{name} {parameter.value}"


def compact(answer: Any) -> str:
    """The text of an answer."""
    return dumps(answer)
