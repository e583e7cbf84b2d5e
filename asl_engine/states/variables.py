"""The size limits of variables.  AWS documentation, "Service quotas": each, all of one Assign, all together.

The sizes and the texts are those recorded from AWS: a variable counts with its value as JSON text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.core.frames import variables_bytes
from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from asl_engine.limits import utf8_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.core.decision import Decision
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload

__all__ = ["within_variable_limits"]

ERROR = "States.DataLimitExceeded"


def within_variable_limits(decision: Decision, assigned: Payload, place: str | None = None) -> Payload:
    """What an Assign sets.  Raises ``StatesError`` States.DataLimitExceeded at ``place`` where it is too much."""
    values: Any = assigned.value
    size = utf8_length(assigned.text)  # more than the values are together
    each, total = decision.limits.variable_bytes, decision.limits.variables_bytes
    if each is not None and size > each:
        _check_assign(decision.frame.state, values, each, place)
    x = decision.execution
    if total is not None and x.assigned_bytes + size > total:
        excess = variables_bytes(x.frames.values(), decision.frame, values) - total
        if excess > 0:
            raise StatesError(
                ERROR,
                f"Execution total variable size limit exceeded. State '{decision.frame.state}' assigned variables "
                f"that exceed the total execution limit by {excess} bytes.",
                place,
            )
    return assigned


def _check_assign(state: str, values: Mapping[str, Json], limit: int, place: str | None) -> None:
    together = 0
    for name, value in values.items():
        size = utf8_length(dumps(value))
        if size > limit:
            cause = (
                f"Variable size limit exceeded. Variable '{name}' in state '{state}' was assigned {size} bytes."
            )
            raise StatesError(ERROR, cause, place)
        together += size
        if together > limit:
            raise StatesError(
                ERROR,
                f"State total variable size limit exceeded. Variable '{name}' in state '{state}' was assigned "
                f"{size} bytes, which caused the size of variables assigned in the state to exceed its limit by "
                f"{together - limit} bytes.",
                place,
            )
