"""The JSONPath data flow of a state: InputPath, Parameters, work, ResultSelector, ResultPath, OutputPath.

Specification: "Input and Output Processing".  An unchanged payload is passed on as the same
object, so its text is written, measured and stored once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core.events import StateExited
from asl_engine.errors import EvaluationError, StatesError
from asl_engine.expressions.errors import PathNotFound, ResultPathError
from asl_engine.expressions.jsonpath.syntax import DATA
from asl_engine.expressions.template import NO_INPUT
from asl_engine.payload import Payload
from asl_engine.states.variables import within_variable_limits

if TYPE_CHECKING:
    from asl_engine.core.decision import Turn
    from asl_engine.expressions.jsonpath.path import Path, ReferencePath
    from asl_engine.expressions.template import Template
    from asl_engine.json_values import Json
    from asl_engine.states.compiling import Compiling

__all__ = ["JsonPathFlow", "compile_jsonpath_flow", "evaluate_assign", "put_result", "select", "select_result"]


class JsonPathFlow(NamedTuple):
    """The compiled fields of one state.  A path of None is a null in the definition."""

    input_path: Path | None
    parameters: Template | None
    result_selector: Template | None
    result_path: ReferencePath | None
    output_path: Path | None
    assign: Template | None

    def input(self, turn: Turn) -> Payload:
        """What InputPath selects from the state's input."""
        return select(turn, self.input_path, turn.frame.input)

    def arguments(self, turn: Turn) -> Payload:
        """The input of the state's work: InputPath, then Parameters."""
        given = self.input(turn)
        if self.parameters is None:
            return given
        return Payload(self.parameters.evaluate(turn.scope(given.value)))

    def exit(self, turn: Turn, result: Payload, target: str | None) -> None:
        """Leave the state with the result of its work: ResultSelector, Assign, ResultPath, OutputPath.

        Assign sees the variables as they were when the state was entered, and the selected result as ``$``.
        """
        if self.result_selector is not None:
            result = select_result(turn, self.result_selector, result)
        assigned = evaluate_assign(turn, self.assign, result)
        combined = put_result(turn, self.result_path, result)
        output = turn.within_limit(select(turn, self.output_path, combined))
        turn.emit(StateExited, turn.frame.state, turn.frame.type, output, target, assigned)


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


def evaluate_assign(turn: Turn, assign: Template | None, data: Payload) -> Payload | None:
    """The variables that an Assign sets, None if there is none."""
    if assign is None:
        return None
    return within_variable_limits(turn, Payload(assign.evaluate(turn.scope(data.value))))


def select(turn: Turn, path: Path | None, payload: Payload) -> Payload:
    """InputPath and OutputPath: ``$`` passes the payload on, null stands for an empty object."""
    if path is None:
        return Payload({})
    if path.text == "$":
        return payload
    return Payload(evaluate_path(turn, path, payload.value))


def evaluate_path(turn: Turn, path: Path, data: Json) -> Json:
    """The value a path selects.  Raises ``EvaluationError`` with AWS's text."""
    try:
        return path.get(turn.scope(data))
    except PathNotFound as error:
        if data is None and path.root == DATA:
            raise EvaluationError(NO_INPUT) from None
        raise EvaluationError(f"Invalid path '{path.text}' : {error.reason}") from None


def select_result(turn: Turn, selector: Template, result: Payload) -> Payload:
    """ResultSelector."""
    return Payload(selector.evaluate(turn.scope(result.value)))


def put_result(turn: Turn, result_path: ReferencePath | None, result: Payload) -> Payload:
    """ResultPath: the result put into the state's input; null keeps the input, ``$`` replaces it.

    Raises ``StatesError`` States.ResultPathMatchFailure if the path cannot be applied.
    """
    if result_path is None:
        return turn.frame.input
    if result_path.text == "$":
        return result
    try:
        return Payload(result_path.put(turn.frame.input.value, result.value))
    except ResultPathError as error:
        raise StatesError("States.ResultPathMatchFailure", error.detail) from None
