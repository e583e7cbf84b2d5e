"""Succeed: end successfully.  Specification: "Succeed State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asl_engine.core.state import State
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.fields import ANY
from asl_engine.states.state import COMMON_FIELDS, INPUT_OUTPUT_FIELDS, StateType

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.states.compiling import Compiling

__all__ = ["TYPE", "Succeed"]

FIELDS = {**COMMON_FIELDS, **INPUT_OUTPUT_FIELDS}


JSONATA_FIELDS = {**COMMON_FIELDS, "Output": ANY}


@dataclass(eq=False, repr=False)
class Succeed(State):
    type: ClassVar[str] = "Succeed"

    flow: DataFlow

    def enter(self, decision: Decision) -> None:
        self.flow.exit(decision, self.flow.input(decision), None)


def compile_succeed(compiling: Compiling) -> Succeed:
    return Succeed(name=compiling.name, next=None, flow=compile_data_flow(compiling))


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_succeed)
