"""The Credentials field of a Task: the role that its resource is called with.

AWS Step Functions Developer Guide, "Accessing resources in other AWS accounts in Step Functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.json_text import dumps
from asl_engine.states.fields import TEXT, Shape, check_shape, required

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.expressions.jsonata import JsonataTemplate
    from asl_engine.expressions.template import Template
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.dataflow import DataFlow

__all__ = ["Credentials", "compile_credentials"]

FIELD = "Credentials"
ROLE = "RoleArn"
DYNAMIC_ROLE = "RoleArn.$"
SHAPE: Shape = {ROLE: required(TEXT)}
DYNAMIC_SHAPE: Shape = {DYNAMIC_ROLE: required(TEXT)}


class Credentials(NamedTuple):
    """The role of a Task.  Exactly one field is not None, depending on the query language."""

    template: Template | None
    role: JsonataTemplate | None

    def evaluate(self, decision: Decision, flow: DataFlow) -> str:
        """The role's ARN.  Fails the state where it is no text."""
        if self.role is not None:
            return str(self.role.evaluate(decision.bindings()))
        assert self.template is not None  # noqa: S101  one of the two
        value: Any = self.template.evaluate(decision.scope(flow.input(decision).value))
        role = value[ROLE]
        if not isinstance(role, str):
            raise decision.failure(f"The value for the field '{ROLE}' must be a String, but was {dumps(role)}")
        return role


def compile_credentials(compiling: Compiling) -> Credentials | None:
    """The compiled Credentials, None if the state has none."""
    source = compiling.source.get(FIELD)
    if source is None:
        return None
    jsonata = compiling.language == "JSONata"
    dynamic = not jsonata and ROLE not in source and DYNAMIC_ROLE in source
    if ROLE not in source and not dynamic:
        # Recorded from AWS: the message does not mention the actual value.
        compiling.report(FIELD, f"The field '{ROLE}' is required but was missing")
        return None
    found = check_shape(DYNAMIC_SHAPE if dynamic else SHAPE, source, f"{compiling.location}/{FIELD}")
    compiling.findings += found
    if found:
        return None
    if jsonata:
        return Credentials(None, compiling.expression(f"{FIELD}/{ROLE}", source[ROLE], "string"))
    return Credentials(compiling.template(FIELD), None)
