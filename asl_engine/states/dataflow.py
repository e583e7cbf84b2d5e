"""How data flows through a state: in, to its work, and out.

Every state uses a ``DataFlow``; each query language has its own way to make one.  An unchanged payload
is passed on as the same object, so its text is written, measured and stored once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from asl_engine.states.jsonata_flow import compile_jsonata_flow
from asl_engine.states.jsonpath_flow import compile_jsonpath_flow

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.payload import Payload
    from asl_engine.states.compiling import Compiling

__all__ = ["DataFlow", "compile_data_flow"]


class DataFlow(Protocol):
    """The compiled data fields of one state.  Each method raises ``EvaluationError`` with AWS's text."""

    def input(self, decision: Decision) -> Payload:
        """What the state works on."""
        ...

    def arguments(self, decision: Decision) -> Payload:
        """What the state's work is given."""
        ...

    def exit(self, decision: Decision, result: Payload, target: str | None) -> None:
        """Leave the state for ``target`` with the result of its work."""
        ...


def compile_data_flow(compiling: Compiling) -> DataFlow:
    """Fields that a state type does not have are absent from its source and keep their defaults."""
    return compile_jsonata_flow(compiling) if compiling.language == "JSONata" else compile_jsonpath_flow(compiling)
