"""Which callable serves which Lambda function: names, and the rules for finding them."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from asl_engine.resources.python.isolation import Isolation

__all__ = ["Registry", "TaskFunction", "accepts_context", "canonical", "where"]

TaskFunction: TypeAlias = "Callable[..., Any]"

_TAKES_CONTEXT = re.compile(r"_*(\w*context|ctx)_*")


def canonical(name: str) -> str:
    """The form in which ``validateOrder``, ``validate-order`` and ``validate_order`` are one name."""
    return name.lower().replace("_", "").replace("-", "")


def where(function: TaskFunction) -> str:
    """``file:line`` of a callable's definition, or its repr if it has no source."""
    code = getattr(inspect.unwrap(getattr(function, "func", function)), "__code__", None)
    return repr(function) if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def accepts_context(function: TaskFunction, name: str) -> bool:
    """Whether a task callable is called ``f(event, context)`` rather than ``f(event)``.

    The context goes to a second positional parameter that has no default or is called context or ctx
    (``retries=3`` is left alone), and to ``*args``.  Raises ``ProjectError`` for a callable that cannot be
    called in either way.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ProjectError(f"{where(function)}: the task {name!r} cannot be called: {error}") from None
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    places = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    required = sum(p.default is p.empty for p in places)
    keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if keywords or required > 2 or not (places or variadic):
        raise ProjectError(
            f"{where(function)}: the task {name!r} takes {inspect.signature(function)}; "
            "a task takes (event) or (event, context)"
        )
    if required == 2 or len(places) < 2:
        return required == 2 or variadic
    return _TAKES_CONTEXT.fullmatch(places[1].name) is not None


class Registry:
    """Task callables by function name.

    ``places`` are the files and folders that were searched.  ``isolation`` runs callables in processes of their
    own, None if they all run in this one.
    """

    def __init__(self, places: tuple[Path, ...] = ()) -> None:
        self.places = places
        self.isolation: Isolation | None = None
        self._functions: dict[str, TaskFunction] = {}

    def add(self, name: str, function: TaskFunction) -> None:
        """Register a callable.  Raises ``ProjectError``, naming both places, if the name is taken."""
        other = self._functions.setdefault(name, function)
        if other is not function:
            raise ProjectError(
                f"two task callables are called {name!r}: {where(other)} and {where(function)}. "
                'Rename one, give it another name with @task("..."), or let a helper\'s name begin with "_".'
            )

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
