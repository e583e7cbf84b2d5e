"""Fail: end with an error.  Specification: "Fail State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from asl_engine.core.failing import fail
from asl_engine.core.state import State
from asl_engine.errors import EvaluationError
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING
from asl_engine.states.fields import TEXT
from asl_engine.states.state import COMMON_FIELDS, StateType

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.decision import Decision
    from asl_engine.expressions.jsonata import JsonataTemplate
    from asl_engine.expressions.jsonpath.path import Path
    from asl_engine.expressions.scope import Scope
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload
    from asl_engine.states.compiling import Compiling

__all__ = ["TYPE", "Fail"]

# AWS documentation, "Fail workflow state": the functions that return a string.
TEXT_FUNCTIONS: Final = (
    "States.Format",
    "States.JsonToString",
    "States.ArrayGetItem",
    "States.Base64Encode",
    "States.Base64Decode",
    "States.Hash",
    "States.UUID",
)
FIELDS = {**COMMON_FIELDS, "Error": TEXT, "ErrorPath": TEXT, "Cause": TEXT, "CausePath": TEXT}


class Text(NamedTuple):
    """Error or Cause: a literal, a path into the state's input, or an intrinsic function."""

    field: str
    literal: str | None
    path: Path | None
    intrinsic: Callable[[Scope], Json] | None
    expression: JsonataTemplate | None = None

    def evaluate(self, decision: Decision) -> str | None:
        if self.expression is not None:
            text = self.expression.evaluate(decision.bindings())
            return text if isinstance(text, str) else None
        if self.path is None and self.intrinsic is None:
            return self.literal
        data = decision.frame.input
        scope = decision.scope(data.value)
        value = self._select(scope, data) if self.intrinsic is None else self.intrinsic(scope)
        if not isinstance(value, str):
            raise EvaluationError(
                f"The value of the field '{self.field}' must be a string, but was {dumps(value)}"
            )
        return value

    def _select(self, scope: Scope, data: Payload) -> Json:
        assert self.path is not None  # noqa: S101  there is one where there is no function
        value = self.path.find(scope)
        if value is MISSING:
            raise EvaluationError(
                f"The JSONPath '{self.path.text}' specified for the field '{self.field}' "
                f"could not be found in the input '{data.text}'"
            )
        return value


JSONATA_FIELDS = {**COMMON_FIELDS, "Error": TEXT, "Cause": TEXT}


@dataclass(eq=False, repr=False)
class Fail(State):
    type: ClassVar[str] = "Fail"

    error: Text
    cause: Text

    def enter(self, decision: Decision) -> None:
        fail(decision, self.error.evaluate(decision), self.cause.evaluate(decision))


def compile_fail(compiling: Compiling) -> Fail:
    return Fail(
        name=compiling.name,
        next=None,
        error=compile_text(compiling, "Error"),
        cause=compile_text(compiling, "Cause"),
    )


def compile_text(compiling: Compiling, field: str) -> Text:
    given = compiling.source.get(field)
    if compiling.language == "JSONata" and compiling.is_expression(given):
        return Text(field, None, None, None, compiling.expression(field, given, "string"))
    compiling.only_one_of(field, f"{field}Path")
    path = f"{field}Path"
    text: str = compiling.source.get(path, "")
    if text.startswith("States."):
        from asl_engine.expressions.intrinsics.functions import INTRINSICS

        called = text.partition("(")[0].strip()
        if called in INTRINSICS and called not in TEXT_FUNCTIONS:
            compiling.report(path, f"{called} gives no text: only {', '.join(TEXT_FUNCTIONS)} can be called here")
        return Text(path, None, None, compiling.intrinsic(path, text))
    return Text(path, compiling.source.get(field), compiling.path(path), None)


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_fail)
