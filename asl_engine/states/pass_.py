"""Pass: pass the input on, or a result in its place.  Specification: "Pass State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asl_engine.core.state import State
from asl_engine.json_values import MISSING, Json, Missing
from asl_engine.payload import Payload
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.fields import ANY, NULLABLE_PATH
from asl_engine.states.state import (
    ASSIGN_FIELDS,
    COMMON_FIELDS,
    INPUT_OUTPUT_FIELDS,
    OUTPUT_FIELDS,
    TRANSITION_FIELDS,
    StateType,
)

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.states.compiling import Compiling

__all__ = ["TYPE", "Pass"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **ASSIGN_FIELDS,
    "Parameters": ANY,
    "Result": ANY,
    "ResultPath": NULLABLE_PATH,
}


JSONATA_FIELDS = {**COMMON_FIELDS, **OUTPUT_FIELDS, **TRANSITION_FIELDS}


@dataclass(eq=False, repr=False)
class Pass(State):
    type: ClassVar[str] = "Pass"

    flow: DataFlow
    result: Json | Missing

    def enter(self, decision: Decision) -> None:
        result = self.flow.arguments(decision) if self.result is MISSING else Payload(self.result)
        self.flow.exit(decision, result, self.next)


def compile_pass(compiling: Compiling) -> Pass:
    return Pass(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling),
        # Recorded from AWS: a Result of null counts as absent.
        result=MISSING if compiling.source.get("Result") is None else compiling.source["Result"],
    )


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_pass)
