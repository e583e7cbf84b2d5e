"""Fail: end with an error.  Specification: "Fail State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from asl_engine.errors import EvaluationError
from asl_engine.expressions.errors import PathNotFound
from asl_engine.fields import TEXT
from asl_engine.states.state import COMMON_FIELDS, State, StateType

if TYPE_CHECKING:
    from asl_engine.expressions.jsonpath import Path
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.turn import Turn

__all__ = ["TYPE", "Fail"]

FIELDS = {**COMMON_FIELDS, "Error": TEXT, "ErrorPath": TEXT, "Cause": TEXT, "CausePath": TEXT}


class Text(NamedTuple):
    """Error or Cause: given as it is, or by a path into the state's input."""

    field: str
    literal: str | None
    path: Path | None

    def evaluate(self, turn: Turn) -> str | None:
        if self.path is None:
            return self.literal
        data = turn.frame.input
        try:
            value = self.path.get(turn.scope(data.value))
        except PathNotFound:
            raise EvaluationError(
                f"The JSONPath '{self.path.text}' specified for the field '{self.field}' "
                f"could not be found in the input '{data.text}'"
            ) from None
        if not isinstance(value, str):
            raise EvaluationError(
                f"The JSONPath '{self.path.text}' specified for the field '{self.field}' must select a string"
            )
        return value


@dataclass(eq=False, repr=False)
class Fail(State):
    type: ClassVar[str] = "Fail"

    error: Text
    cause: Text

    def enter(self, turn: Turn) -> None:
        turn.fail_execution(self.error.evaluate(turn), self.cause.evaluate(turn))


def compile_fail(compiling: Compiling) -> Fail:
    return Fail(
        name=compiling.name,
        next=None,
        error=compile_text(compiling, "Error"),
        cause=compile_text(compiling, "Cause"),
    )


def compile_text(compiling: Compiling, field: str) -> Text:
    compiling.only_one_of(field, f"{field}Path")
    return Text(f"{field}Path", compiling.source.get(field), compiling.path(f"{field}Path"))


TYPE = StateType(FIELDS, compile_fail)
