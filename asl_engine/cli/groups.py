"""Groups of commands that import a command when it is called, and commands that start without pydantic.

Typer converts every argument through pydantic's models, which takes as long to import as everything
else that a run needs.  What has its type already (a text that is to be a text) and what was not given
need no conversion: they are passed on as they are, and pydantic stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Entry", "LazyGroup"]


class Entry(NamedTuple):
    """Where a command is, and the first paragraph of its help: listing the commands imports none of them."""

    module: str
    summary: str


class LazyGroup(TyperGroup):
    """Commands, each in a module of its own, which is imported when the command is asked for."""

    entries: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        commands: Any = Imported(self.entries)
        self.commands = commands

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(self.entries)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        del ctx
        width = formatter.width - max(map(len, self.entries)) - 6  # as the base class reckons it
        outlines = [TyperCommand(name, help=entry.summary) for name, entry in self.entries.items()]
        with formatter.section("Commands"):
            formatter.write_dl([(str(one.name), one.get_short_help_str(width)) for one in outlines])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spare_conversions(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Raises ``typer.Abort`` for a KeyboardInterrupt, which typer would turn into a silent exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None


class Command(TyperCommand):
    """One command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        spare_conversions(self.get_params(ctx))
        return super().parse_args(ctx, args)


class Imported(Mapping[str, Any]):
    """Commands by their names: looking one up imports its module, looking at the names imports nothing."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, name: str) -> Any:
        return made(name, import_module(self._entries[name].module).command)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def made(name: str, command: typer.Typer | Callable[..., int]) -> Any:
    """The command of a function, or of a group of commands."""
    if isinstance(command, typer.Typer):
        return typer.main.get_command(command)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name, cls=Command)(command)
    return typer.main.get_command(alone)


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
