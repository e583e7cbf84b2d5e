"""Parallel: several branches at once, all with the same input.  Specification: "Parallel State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from asl_engine.core.events import BranchStarted, ParallelStateFailed, ParallelStateStarted, ParallelStateSucceeded
from asl_engine.core.state import State
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.fields import ANY, NULLABLE_PATH, OBJECT, each, required
from asl_engine.states.forking import fork_of, joined
from asl_engine.states.recovery import Recovery, recover
from asl_engine.states.recovery_fields import RECOVERY_FIELDS, compile_recovery
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

__all__ = ["TYPE", "Parallel"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **ASSIGN_FIELDS,
    **RECOVERY_FIELDS,
    "Branches": required(each(OBJECT)),
    "Parameters": ANY,
    "ResultSelector": ANY,
    "ResultPath": NULLABLE_PATH,
}


JSONATA_FIELDS = {
    **COMMON_FIELDS,
    **OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **RECOVERY_FIELDS,
    "Branches": required(each(OBJECT)),
    "Arguments": ANY,
}


@dataclass(eq=False, repr=False)
class Parallel(State):
    """``branches`` are the first states of the branches."""

    type: ClassVar[str] = "Parallel"

    flow: DataFlow
    recovery: Recovery
    branches: tuple[str, ...]

    def enter(self, decision: Decision) -> None:
        decision.within_limit(
            self.flow.arguments(decision)
        )  # what cannot be evaluated fails the state before it starts
        decision.emit(ParallelStateStarted, len(self.branches))

    def fork(self, decision: Decision) -> None:
        fork = fork_of(decision)
        arguments = self.flow.arguments(decision)
        while fork.started < len(self.branches):
            decision.emit_internal(BranchStarted, fork.started, self.branches[fork.started], arguments)
            decision.mark_ready(fork.children[fork.started - 1])

    def succeeded(self, decision: Decision) -> None:
        if not decision.frame.outcome_shown:
            decision.emit(ParallelStateSucceeded)
        self.flow.exit(decision, joined(decision), self.next)

    def failed(self, decision: Decision, error: str | None, cause: str | None) -> None:
        recover(decision, self.recovery, error, cause, shown=ParallelStateFailed)


def compile_parallel(compiling: Compiling) -> Parallel:
    return Parallel(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling),
        recovery=compile_recovery(compiling),
        branches=tuple(
            compiling.inner_states(f"Branches[{index}]", branch)
            for index, branch in enumerate(compiling.source["Branches"])
        ),
    )


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_parallel)
