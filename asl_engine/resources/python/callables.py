"""Task callables: their names, their places, and how each is called."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TaskFunction", "accepts_context", "canonical", "where"]

TaskFunction: TypeAlias = "Callable[..., Any]"

_TAKES_CONTEXT = re.compile(r"_*(\w*context|ctx)_*")


def canonical(name: str) -> str:
    """The form in which ``validateOrder``, ``validate-order`` and ``validate_order`` are one name."""
    return name.lower().replace("_", "").replace("-", "")


class Clash:
    """Stands for several callables of one name: a machine that needs the name is refused, and no other."""

    def __init__(self, name: str, *functions: TaskFunction) -> None:
        self.name = name
        self.functions = functions

    def __call__(self, event: Any) -> Any:
        del event
        raise ProjectError(self.message)

    @property
    def message(self) -> str:
        return (
            f"{len(self.functions)} task callables are called {self.name!r}: {where(self)}. "
            'Rename one, give it another name with @task("..."), or let a helper\'s name begin with "_".'
        )


def where(function: TaskFunction) -> str:
    """``file:line`` of a callable's definition, or its repr if it has no source."""
    if isinstance(function, Clash):
        return " and ".join(map(where, function.functions))
    code = getattr(inspect.unwrap(getattr(function, "func", function)), "__code__", None)
    return repr(function) if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def accepts_context(function: TaskFunction, name: str) -> bool:
    """Whether a task callable is called ``f(event, context)`` rather than ``f(event)``.

    The context goes to a second positional parameter that has no default or is called context or ctx
    (``retries=3`` is left alone), and to ``*args``.  Raises ``ProjectError`` for a callable that cannot be
    called in either way, and for a name that several callables have.
    """
    if isinstance(function, Clash):
        raise ProjectError(function.message)
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
