"""``asl mappings``: the event source mappings of the project, with or without a server."""

from __future__ import annotations

import typer

from asl_engine.cli.groups import Entry, LazyGroup, help_without_command

__all__ = ["command"]


class MappingCommands(LazyGroup):
    """``asl mappings`` and its commands."""

    entries = {  # noqa: RUF012  the class says what it is
        "list": Entry(
            "asl_engine.cli.commands.mappings.list",
            "Show each mapping: what it reads, how far it has come, what came of it last.",
        ),
        "log": Entry(
            "asl_engine.cli.commands.mappings.log",
            "Show the batches that were given up, and what has become of them.",
        ),
        "redrive": Entry(
            "asl_engine.cli.commands.mappings.redrive",
            "Call the function with batches that were given up once more.",
        ),
    }


command = typer.Typer(name="mappings", cls=MappingCommands, add_completion=False, rich_markup_mode=None)


@command.callback(invoke_without_command=True)
def mappings(context: typer.Context) -> int:
    """See how queues and streams are worked off, and repeat what was given up."""
    return help_without_command(context)
