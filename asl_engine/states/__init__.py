"""The state types, one file each: its fields, how it is compiled, what it does.

``STATE_TYPES`` is the table that the definition loader reads.  To add a state type, write its file and
add it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.states import choice, fail, map, parallel, pass_, succeed, task, wait  # noqa: A004  the type's name

if TYPE_CHECKING:
    from asl_engine.states.state import StateType

__all__ = ["STATE_TYPES"]

STATE_TYPES: dict[str, StateType] = {
    "Task": task.TYPE,
    "Pass": pass_.TYPE,
    "Choice": choice.TYPE,
    "Wait": wait.TYPE,
    "Succeed": succeed.TYPE,
    "Fail": fail.TYPE,
    "Parallel": parallel.TYPE,
    "Map": map.TYPE,
}
