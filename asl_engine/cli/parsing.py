"""Typer's commands, without the price of its conversions.

Typer converts every argument through pydantic's models, which takes as long to import as everything
else that a run needs.  What has its type already (a text that is to be a text) and what was not given
need no conversion: they are passed on as they are, and pydantic stays where it is.
"""

from __future__ import annotations

import os
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typer import Typer

__all__ = ["Command", "Group", "narrowed"]


class Command(TyperCommand):
    """One command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spare_conversions(self.get_params(ctx))
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """The commands together, in the order in which they were written."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spare_conversions(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Raises ``typer.Abort`` for a KeyboardInterrupt, which typer would turn into a silent exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from typer import Abort

            raise Abort from None


def narrowed(app: Typer, arguments: Sequence[str]) -> Typer:
    """The application with no other command than the one that is called, where one is.

    Typer makes every command ready before it looks which one it is to run, and there are many.
    """
    if not arguments or any(variable.endswith("_COMPLETE") for variable in os.environ):
        return app
    wanted = [info for info in app.registered_commands if _name_of(info) == arguments[0]]
    if not wanted:
        return app
    only = copy(app)
    only.registered_commands = wanted
    only.registered_groups = []
    return only


def _name_of(info: Any) -> str:
    return str(info.name or info.callback.__name__.replace("_", "-"))


def spare_conversions(parameters: Iterable[Any]) -> None:
    for parameter in parameters:
        parameter.process_value = partial(value_of, parameter, parameter.process_value)


def value_of(parameter: Any, convert: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    """What ``convert`` would make of ``value``, without calling it where that is known."""
    single = parameter.nargs == 1 and not parameter.multiple
    absent = (value is None or (parameter.multiple and not value)) and not parameter.required
    if absent or (single and type(value) is known_type(parameter)):
        return value if parameter.callback is None else parameter.callback(context, parameter, value)
    return convert(context, value)


def known_type(parameter: Any) -> type | None:
    """``str`` or ``int``, where the parameter is annotated so.  Typers that do not say convert cheaply."""
    annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    return annotation if annotation in (str, int) else None
