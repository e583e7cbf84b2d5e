"""Which callable serves which Lambda function: names, and the rules for finding them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.errors import ProjectError
from asl_engine.resources.python.callables import Clash, TaskFunction, accepts_context, canonical, where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asl_engine.resources.concurrency import Reserved
    from asl_engine.resources.python.isolation import Isolation

__all__ = ["Registry", "TaskFunction", "accepts_context", "canonical", "where"]


class Registry:
    """Task callables by function name.

    ``places`` are the files and folders that were searched.  ``isolation`` runs callables in processes of their
    own, None if they all run in this one; ``reserved`` is how many calls of each run at a time.
    """

    def __init__(self, places: tuple[Path, ...] = ()) -> None:
        self.places = places
        self.isolation: Isolation | None = None
        self.reserved: Reserved | None = None
        self._functions: dict[str, TaskFunction] = {}

    def add(self, name: str, function: TaskFunction) -> None:
        """Register a callable.  If another one has the name, a machine that needs the name is refused."""
        other = self._functions.setdefault(name, function)
        if isinstance(other, Clash):
            self._functions[name] = Clash(name, *other.functions, function)
        elif other is not function:
            self._functions[name] = Clash(name, other, function)

    def become(self, other: Registry) -> None:
        """Have the callables of another registry, and no others, from now on."""
        self._functions = dict(other._functions)

    def find(self, name: str) -> TaskFunction | None:
        """The callable of that name, or else the one whose name differs only in case, "_" and "-".

        Raises ``ProjectError`` if there are several.
        """
        if name in self._functions:
            return self._functions[name]
        wanted = canonical(name)
        candidates = [known for known in self if canonical(known) == wanted]
        if len(candidates) > 1:
            listed = ", ".join(f"{known} ({where(self._functions[known])})" for known in candidates)
            raise ProjectError(f"the function {name!r} could be any of {listed}: name one of them {name!r}")
        return self._functions[candidates[0]] if candidates else None

    def __iter__(self) -> Iterator[str]:
        """The names, sorted."""
        return iter(sorted(self._functions))

    def __len__(self) -> int:
        return len(self._functions)
