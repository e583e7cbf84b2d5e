"""The JSONPath data flow of a state: InputPath, Parameters, work, ResultSelector, ResultPath, OutputPath.

Specification: "Input and Output Processing".  An unchanged payload is passed on as the same
object, so its text is written, measured and stored once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core.events import StateExited
from asl_engine.errors import EvaluationError, StatesError
from asl_engine.expressions.errors import NO_INPUT, PathNotFound, ResultPathError
from asl_engine.expressions.jsonpath.syntax import DATA
from asl_engine.json_text import dumps
from asl_engine.payload import Payload
from asl_engine.splicing import made_from, part, put
from asl_engine.states.variables import within_variable_limits

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.expressions.jsonpath.path import Path, ReferencePath
    from asl_engine.expressions.template import Template
    from asl_engine.json_values import Json
    from asl_engine.states.compiling import Compiling

__all__ = [
    "JsonPathFlow",
    "compile_jsonpath_flow",
    "evaluate_assign",
    "put_result",
    "select",
    "select_result",
    "shown",
]


class JsonPathFlow(NamedTuple):
    """The compiled fields of one state.  A path of None is a null in the definition."""

    input_path: Path | None
    parameters: Template | None
    result_selector: Template | None
    result_path: ReferencePath | None
    output_path: Path | None
    assign: Template | None

    def input(self, decision: Decision) -> Payload:
        """What InputPath selects from the state's input."""
        return select(decision, self.input_path, decision.frame.input)

    def arguments(self, decision: Decision) -> Payload:
        """What the state's work is given: InputPath, then Parameters."""
        given = self.input(decision)
        if self.parameters is None:
            return given
        return made_from(self.parameters.evaluate(decision.scope(given.value)), given)

    def exit(self, decision: Decision, result: Payload, target: str | None) -> None:
        """Leave the state with the result of its work: ResultSelector, Assign, ResultPath, OutputPath.

        Assign sees the variables as they were when the state was entered, and the selected result as ``$``.
        """
        if self.result_selector is not None:
            result = select_result(decision, self.result_selector, result)
        assigned = evaluate_assign(decision, self.assign, result)
        combined = put_result(decision, self.result_path, result)
        output = decision.within_limit(select(decision, self.output_path, combined))
        decision.emit(StateExited, decision.frame.state, decision.frame.type, output, target, assigned)


def compile_jsonpath_flow(compiling: Compiling) -> JsonPathFlow:
    """Fields that a state type does not have are absent from its source and keep their defaults."""
    return JsonPathFlow(
        input_path=compiling.path("InputPath", "$"),
        parameters=compiling.template("Parameters"),
        result_selector=compiling.template("ResultSelector"),
        result_path=compiling.reference_path("ResultPath", compiling.source.get("ResultPath", "$")),
        output_path=compiling.path("OutputPath", "$"),
        assign=compiling.assign("", compiling.source),
    )


def evaluate_assign(decision: Decision, assign: Template | None, data: Payload) -> Payload | None:
    """The variables that an Assign sets, None where there is none."""
    if assign is None:
        return None
    return within_variable_limits(decision, Payload(assign.evaluate(decision.scope(data.value))))


def select(decision: Decision, path: Path | None, payload: Payload) -> Payload:
    """InputPath and OutputPath: ``$`` hands on, null stands for an empty object."""
    if path is None:
        return Payload({})
    if path.text == "$":
        return payload
    value = evaluate_path(decision, path, payload.value)
    return Payload(value) if path.steps is None else part(payload, path.steps, value)


def evaluate_path(decision: Decision, path: Path, data: Json) -> Json:
    """The value a path selects.  Raises ``EvaluationError`` in AWS's words."""
    try:
        return path.get(decision.scope(data))
    except PathNotFound as error:
        if data is None and path.root == DATA:
            raise EvaluationError(NO_INPUT) from None
        raise EvaluationError(f"Invalid path '{path.text}' : {error.reason}") from None


def shown(value: Json) -> str:
    """A value as AWS shows it in messages about a path."""
    return value if isinstance(value, str) else dumps(value)


def select_result(decision: Decision, selector: Template, result: Payload) -> Payload:
    """ResultSelector."""
    return made_from(selector.evaluate(decision.scope(result.value)), result)


def put_result(decision: Decision, result_path: ReferencePath | None, result: Payload) -> Payload:
    """ResultPath: the result put into the state's input; null keeps the input, ``$`` replaces it.

    Raises ``StatesError`` States.ResultPathMatchFailure if the path cannot be applied.
    """
    if result_path is None:
        return decision.frame.input
    if result_path.text == "$":
        return result
    try:
        value = result_path.put(decision.frame.input.value, result.value)
    except ResultPathError as error:
        raise StatesError("States.ResultPathMatchFailure", error.detail) from None
    frame = decision.frame
    return put(frame.input, result_path.steps, result, value, kept=result is frame.result or result is frame.input)
