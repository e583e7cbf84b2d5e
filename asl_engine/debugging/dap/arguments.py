"""The arguments of requests, of the types that they are to be."""

from __future__ import annotations

from typing import Any

from asl_engine.errors import InvalidInput

__all__ = ["Arguments"]


class Arguments:
    """Each method raises ``InvalidInput`` for a value of another type."""

    def __init__(self, given: Any) -> None:
        if given is None:
            given = {}
        if not isinstance(given, dict):
            raise InvalidInput("the arguments are no object")
        self.all: dict[str, Any] = given

    def text(self, name: str, default: str = "") -> str:
        found = self.optional_text(name)
        return default if found is None else found

    def optional_text(self, name: str) -> str | None:
        return self._of(name, str, "a text")  # type: ignore[no-any-return]  # a text, or None

    def needed_text(self, name: str, example: str) -> str:
        found = self.optional_text(name)
        if not found:
            raise InvalidInput(f'"{name}" is needed, such as {example}')
        return found

    def flag(self, name: str, *, default: bool = False) -> bool:
        found = self._of(name, bool, "true or false")
        return default if found is None else bool(found)

    def object(self, name: str) -> dict[str, Any]:
        found = self._of(name, dict, "an object")
        return {} if found is None else dict(found)

    def list(self, name: str) -> list[Any]:
        found = self._of(name, list, "an array")
        return [] if found is None else list(found)

    def _of(self, name: str, kind: type[Any], what: str) -> Any:
        value = self.all.get(name)
        if value is not None and not isinstance(value, kind):
            raise InvalidInput(f'"{name}" has to be {what}, and is {value!r}')
        return value
