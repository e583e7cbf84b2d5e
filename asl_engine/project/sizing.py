"""What a project says of its functions, whatever runs them: memory, architecture, reserved concurrency.

A table of ``functions`` with nothing else is about a callable, or about a function that a template declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from asl_engine.templates.declarations import DeclaredFunction

__all__ = ["ARCHITECTURES", "FunctionSizing", "declared_sizing", "is_only_sizing", "read_sizing"]

ARCHITECTURES: Final = ("arm64", "x86_64")
MEMORY: Final = range(128, 10_241)  # megabytes: Lambda's own bounds
MAX_CONCURRENCY: Final = 1_000_000


class FunctionSizing(NamedTuple):
    """``concurrency`` is how many calls run at a time, ``memory`` is in megabytes; None for what is not said."""

    concurrency: int | None = None
    memory: int | None = None
    architecture: str | None = None


def _is_number(value: object, numbers: range) -> bool:
    return type(value) is int and value in numbers


CHECKS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "concurrency": (
        lambda value: _is_number(value, range(MAX_CONCURRENCY + 1)),
        f"a whole number of calls at a time, from 0 to {MAX_CONCURRENCY}",
    ),
    "memory": (
        lambda value: _is_number(value, MEMORY),
        f"a whole number of megabytes from {MEMORY[0]} to {MEMORY[-1]}",
    ),
    "architecture": (lambda value: value in ARCHITECTURES, f"one of {', '.join(ARCHITECTURES)}"),
}


def is_only_sizing(table: object) -> bool:
    """Whether a function's table says nothing of what runs it."""
    return isinstance(table, dict) and bool(table) and table.keys() <= CHECKS.keys()


def read_sizing(tables: Mapping[str, Any], source: str) -> dict[str, FunctionSizing]:
    """The settings by function.  Raises ``ProjectError`` for a value that does not fit."""
    found: dict[str, FunctionSizing] = {}
    for name, table in tables.items():
        given = {key: table[key] for key in CHECKS if isinstance(table, dict) and key in table}
        for key, value in given.items():
            fits, allowed = CHECKS[key]
            if not fits(value):
                raise ProjectError(f"{source}: functions.{name}.{key} has to be {allowed}; it is {value!r}")
        if given:
            found[name] = FunctionSizing(**given)
    return found


def declared_sizing(
    functions: Iterable[DeclaredFunction], configured: Mapping[str, FunctionSizing]
) -> dict[str, FunctionSizing]:
    """The settings of functions that a template declares, after what the project itself says of them."""
    settings = dict(configured)
    for function in functions:
        own = configured.get(function.name, FunctionSizing())
        settings[function.name] = FunctionSizing(
            function.reserved if own.concurrency is None else own.concurrency,
            function.memory if own.memory is None else own.memory,
            function.architecture if own.architecture is None else own.architecture,
        )
    return settings
