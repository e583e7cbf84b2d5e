"""The paths of InputPath and InputPathsMap: ``$.detail.items[0].id``, ``$.resources[*]``.

"Amazon EventBridge input transformation" in the User Guide: dots, dashes, underscores, letters, digits, slashes,
array indices and wildcards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.events.language.faults import InvalidTransformer
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.json_values import Json, Missing

__all__ = ["compile_path"]

STEP: Final = re.compile(r"\.(?P<name>\*|[^.\[\]*\s]+)|\[(?:'(?P<quoted>[^']+)'|(?P<index>\d+|\*))\]")


def compile_path(text: str, where: str) -> Callable[[Json], Json | Missing]:
    """What reads a path in an event; MISSING where that has nothing there.

    Raises ``InvalidTransformer`` that begins with ``where``.
    """
    steps: list[str | int | None] = []
    at = 1
    while at < len(text) and text.startswith("$"):
        step = STEP.match(text, at)
        if step is None:
            break
        name, quoted, index = step["name"], step["quoted"], step["index"]
        if "*" in (name, index):
            steps.append(None)
        else:
            steps.append(int(index) if index is not None else name or quoted)
        at = step.end()
    if not text.startswith("$") or at < len(text):
        failed = at if text.startswith("$") else 0
        raise InvalidTransformer(
            f"{where}: {text!r} is not a JSON path of EventBridge, at character {failed}: "
            "it begins with $ and goes on with .name, [0] or [*], as in $.detail.items[0].id"
        )

    def read(event: Json) -> Json | Missing:
        found: list[Any] = [event]
        several = False
        for step in steps:
            several = several or step is None
            found = [inner for value in found for inner in _inner(value, step)]
        return found if several else found[0] if found else MISSING

    return read


def _inner(value: Any, step: str | int | None) -> list[Any]:
    if step is None:
        return value if isinstance(value, list) else [*value.values()] if isinstance(value, dict) else []
    if isinstance(step, int):
        return [value[step]] if isinstance(value, list) and step < len(value) else []
    return [value[step]] if isinstance(value, dict) and step in value else []
