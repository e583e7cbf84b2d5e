"""Numbers for what an editor asks for later: threads, frames, values with something in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from asl_engine.debugging.places import Thread
    from asl_engine.json_values import Json

__all__ = ["Container", "Handles", "changed", "shown_value"]

MAX_TEXT = 2000  # characters of a value in a line
VALUE = "(value)"  # the name of what a scope holds where that has no members


class Container(NamedTuple):
    """A value in a scope of a thread: ``scope`` is input, variables, context or error, ``path`` leads to it."""

    thread: Thread
    scope: str
    path: tuple[str | int, ...]
    value: Json


class Handles:
    """Threads keep their numbers; frames and values lose theirs when the execution goes on."""

    def __init__(self) -> None:
        self._threads: dict[Thread, int] = {}
        self._frames: list[Thread] = []
        self._values: list[Container] = []

    def forget(self) -> None:
        self._frames.clear()
        self._values.clear()

    def of_thread(self, thread: Thread) -> int:
        return self._threads.setdefault(thread, len(self._threads) + 1)

    def thread(self, number: Any) -> Thread:
        """Raises ``InvalidInput``."""
        for thread, known in self._threads.items():
            if known == number:
                return thread
        raise InvalidInput(f"there is no thread {number!r}")

    def of_frame(self, thread: Thread) -> int:
        self._frames.append(thread)
        return len(self._frames)

    def frame(self, number: Any) -> Thread:
        """Raises ``InvalidInput``."""
        if not isinstance(number, int) or not 1 <= number <= len(self._frames):
            raise InvalidInput(f"there is no frame {number!r}: the execution has gone on")
        return self._frames[number - 1]

    def of_value(self, container: Container) -> int:
        """0 for what has nothing in it."""
        if not isinstance(container.value, dict | list) or not container.value:
            return 0
        self._values.append(container)
        return len(self._values)

    def of_scope(self, container: Container) -> int:
        """A scope has a number, whatever is in it."""
        self._values.append(container)
        return len(self._values)

    def value(self, number: Any) -> Container:
        """Raises ``InvalidInput``."""
        if not isinstance(number, int) or not 1 <= number <= len(self._values):
            raise InvalidInput(f"there is no variable {number!r}: the execution has gone on")
        return self._values[number - 1]

    def members(self, container: Container) -> list[dict[str, Any]]:
        """The protocol's Variables of a value."""
        value = container.value
        if isinstance(value, dict):
            keyed: list[tuple[str | int, Json]] = [*value.items()]
        elif isinstance(value, list):
            keyed = [*enumerate(value)]
        else:
            return [self.variable(VALUE, container)]
        return [
            self.variable(str(key), container._replace(path=(*container.path, key), value=one))
            for key, one in keyed
        ]

    def variable(self, name: str, container: Container) -> dict[str, Any]:
        value = container.value
        return {
            "name": name,
            "value": shown_value(value),
            "type": _type(value),
            "variablesReference": self.of_value(container),
            "namedVariables": len(value) if isinstance(value, dict) else 0,
            "indexedVariables": len(value) if isinstance(value, list) else 0,
            "evaluateName": _expression(container),
        }


def shown_value(value: Json) -> str:
    text = dumps(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _type(value: Json) -> str:
    if value is None:
        return "null"
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean"}
    return kinds.get(type(value), "number")


def _expression(container: Container) -> str:
    """What to ask for to see the value again."""
    path = [*container.path]
    if container.scope == "variables":
        root = f"${path.pop(0)}" if path else "$"
    else:
        root = "$$" if container.scope == "context" else "$"
    return root + "".join(f"[{step}]" if isinstance(step, int) else f"[{step!r}]" for step in path)


def changed(value: Json, path: tuple[str | int, ...], new: Json) -> Json:
    """A copy of a value with another one at a path.  Raises ``InvalidInput`` for a path that leads nowhere."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        return {**value, step: changed(value[step], rest, new)}
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return [*value[:step], changed(value[step], rest, new), *value[step + 1 :]]
    raise InvalidInput(f"there is no {step!r} to set")
