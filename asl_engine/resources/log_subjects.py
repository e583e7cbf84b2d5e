"""What a log line is about, as keys of the line."""

from __future__ import annotations

from typing import Any, Final

from asl_engine.arn import parse_arn

__all__ = ["about"]

EXECUTIONS: Final = frozenset({"execution", "express"})


def about(arn: str) -> dict[str, Any]:
    """The keys of a line about an execution; of one about anything else that has one, its ARN."""
    found = parse_arn(arn)
    if found is None:
        return {}
    if found.service != "states" or found.kind not in EXECUTIONS or found.qualifier is None:
        return {"caller": arn}
    _, machine, name, *_ = found.parts
    return {"execution_arn": arn, "execution_name": name, "state_machine": machine}
