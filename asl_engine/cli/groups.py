"""Groups of commands that import a command when it is called, and commands that start without pydantic.

Typer converts every argument through pydantic's models, which takes as long to import as everything
else that a run needs.  Texts, whole numbers and what was not given need no model: the options and arguments of our
commands convert them themselves, and pydantic stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Entry", "LazyGroup", "help_without_command"]


class Entry(NamedTuple):
    """Where a command is, and the first paragraph of its help: listing the commands imports none of them."""

    module: str
    summary: str


def help_without_command(context: typer.Context) -> int:
    """What a group itself does: where no command of it is named, show which there are."""
    if context.invoked_subcommand is None:
        from asl_engine.cli.output import out

        out(context.get_help())
    return 0


class LazyGroup(TyperGroup):
    """Commands, each in a module of its own, which is imported when the command is asked for."""

    entries: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._leaned: dict[Any, Any] = {}
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

    def get_params(self, ctx: Any) -> list[Any]:
        return leaned(super().get_params(ctx), self._leaned)

    def invoke(self, ctx: Any) -> Any:
        """Raises ``typer.Abort`` for a KeyboardInterrupt, which typer would turn into a silent exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None


class Command(TyperCommand):
    """One command."""

    def __init__(self, *given: Any, **attributes: Any) -> None:
        super().__init__(*given, **attributes)
        self._leaned: dict[Any, Any] = {}

    def get_params(self, ctx: Any) -> list[Any]:
        return leaned(super().get_params(ctx), self._leaned)


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


class LeanOption(TyperOption):
    """An option that converts what is simple by itself."""

    def process_value(self, ctx: Any, value: Any) -> Any:
        done, result = converted(self, ctx, value)
        return result if done else super().process_value(ctx, value)


class LeanArgument(TyperArgument):
    """An argument that converts what is simple by itself."""

    def process_value(self, ctx: Any, value: Any) -> Any:
        done, result = converted(self, ctx, value)
        return result if done else super().process_value(ctx, value)


def leaned(parameters: list[Any], known: dict[Any, Any]) -> list[Any]:
    """The parameters as such that convert by themselves: each the same one whenever a command is asked for it."""
    return [known[one] if one in known else known.setdefault(one, lean(one)) for one in parameters]


def lean(parameter: Any) -> Any:
    """The parameter as one that converts by itself.  Typer has no way to say which class it is to make."""
    kind = LeanOption if isinstance(parameter, TyperOption) else LeanArgument
    made = kind.__new__(kind)
    vars(made).update(vars(parameter))
    return made


def converted(parameter: Any, context: Any, value: Any) -> tuple[bool, Any]:
    """Whether a value needs no model, and what it is converted to.  Raises ``typer.BadParameter``."""
    kind = known_type(parameter)
    single = parameter.nargs == 1 and not parameter.multiple
    absent = (value is None or (parameter.multiple and not value)) and not parameter.required
    if single and kind is int and isinstance(value, str):
        value = whole_number(value, context, parameter)
    if not absent and not (single and type(value) is kind):
        return False, None
    return True, value if parameter.callback is None else parameter.callback(context, parameter, value)


def whole_number(text: str, context: Any, parameter: Any) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number", ctx=context, param=parameter) from None


def known_type(parameter: Any) -> type | None:
    """``str`` or ``int``, where the parameter is annotated so and any will do; None for others."""
    described = getattr(parameter, "type_descriptor", None)  # Typers that do not say convert cheaply
    annotation = getattr(described, "annotation", None)
    return annotation if annotation in (str, int) and not getattr(described, "is_ranged", False) else None
