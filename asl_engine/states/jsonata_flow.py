"""The JSONata data flow of a state: Arguments, work, Output and Assign, all from ``$states``.

AWS Step Functions Developer Guide, "Transforming data with JSONata".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core.events import StateExited
from asl_engine.payload import Payload
from asl_engine.splicing import made_from
from asl_engine.states.variables import within_variable_limits

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.expressions.jsonata import JsonataTemplate
    from asl_engine.json_values import Json
    from asl_engine.states.compiling import Compiling

__all__ = ["JsonataFlow", "compile_jsonata_flow", "leave"]


class JsonataFlow(NamedTuple):
    """The compiled fields of one state; None where the definition has none."""

    arguments_template: JsonataTemplate | None
    output: JsonataTemplate | None
    assign: JsonataTemplate | None

    def input(self, decision: Decision) -> Payload:
        return decision.frame.input

    def arguments(self, decision: Decision) -> Payload:
        if self.arguments_template is None:
            return decision.frame.input
        return made_from(self.arguments_template.evaluate(decision.bindings()), decision.frame.input)

    def exit(self, decision: Decision, result: Payload, target: str | None) -> None:
        if self.output is None and self.assign is None:
            decision.emit(
                StateExited, decision.frame.state, decision.frame.type, decision.within_limit(result), target
            )
        else:
            leave(decision, self.output, self.assign, result, target, result=result.value)


def leave(
    decision: Decision,
    output: JsonataTemplate | None,
    assign: JsonataTemplate | None,
    default: Payload,
    target: str | None,
    **states: Json,
) -> None:
    """Leave the state: Output, or else ``default``; Assign sees the variables as they were before."""
    bindings = decision.bindings(**states)
    assigned = (
        None if assign is None else within_variable_limits(decision, Payload(assign.evaluate(bindings)), "Assign")
    )
    frame = decision.frame
    handed_on = default if output is None else made_from(output.evaluate(bindings), frame.input, default)
    decision.emit(StateExited, frame.state, frame.type, decision.within_limit(handed_on), target, assigned)


def compile_jsonata_flow(compiling: Compiling) -> JsonataFlow:
    return JsonataFlow(
        arguments_template=compiling.optional_expression("Arguments"),
        output=compiling.optional_expression("Output"),
        assign=compiling.assign_expression("", compiling.source),
    )
