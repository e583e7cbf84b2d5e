"""What all state types have in common: their shared fields, and the interface for the interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.states.fields import ANY, BOOLEAN, NULLABLE_PATH, OBJECT, TEXT, Field, one_of, required

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.state import State
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.fields import Shape

__all__ = [
    "ASSIGN_FIELDS",
    "COMMON_FIELDS",
    "INPUT_OUTPUT_FIELDS",
    "OUTPUT_FIELDS",
    "TRANSITION_FIELDS",
    "StateType",
]

COMMON_FIELDS: dict[str, Field] = {
    "Type": required(TEXT),
    "Comment": TEXT,
    "QueryLanguage": one_of("JSONPath", "JSONata"),
}
INPUT_OUTPUT_FIELDS: dict[str, Field] = {"InputPath": NULLABLE_PATH, "OutputPath": NULLABLE_PATH}
ASSIGN_FIELDS: dict[str, Field] = {"Assign": OBJECT}
OUTPUT_FIELDS: dict[str, Field] = {"Output": ANY, "Assign": OBJECT}
TRANSITION_FIELDS: dict[str, Field] = {"Next": TEXT, "End": BOOLEAN}


class StateType(NamedTuple):
    """An entry of the table of state types: the fields in each query language, and how to make a state."""

    fields: Shape
    jsonata_fields: Shape
    compile: Callable[[Compiling], State]
