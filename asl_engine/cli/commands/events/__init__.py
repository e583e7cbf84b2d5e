"""``asl events``: the event bus of the project's database, with or without a server."""

from __future__ import annotations

import typer

from asl_engine.cli.groups import Entry, LazyGroup, help_without_command

__all__ = ["command"]


class EventCommands(LazyGroup):
    """``asl events`` and its commands."""

    entries = {  # noqa: RUF012  the class says what it is
        "put": Entry(
            "asl_engine.cli.commands.events.put",
            "Put events on a bus. They are on disk when this ends; `asl serve` delivers them.",
        ),
        "tail": Entry(
            "asl_engine.cli.commands.events.tail",
            "Show events as they are accepted, until interrupted.",
        ),
        "log": Entry(
            "asl_engine.cli.commands.events.log",
            "Show the last events and what has become of their deliveries; with --failed, the dead letters.",
        ),
        "redrive": Entry(
            "asl_engine.cli.commands.events.redrive",
            "Deliver dead letters once more.",
        ),
        "replay": Entry(
            "asl_engine.cli.commands.events.replay",
            "Put the events of an archive on their bus again.",
        ),
        "test-pattern": Entry(
            "asl_engine.cli.commands.events.test_pattern",
            "Say whether an event matches a pattern. Exit code 1 if it does not, 2 if the pattern is none.",
        ),
    }


command = typer.Typer(name="events", cls=EventCommands, add_completion=False, rich_markup_mode=None)


@command.callback(invoke_without_command=True)
def events(context: typer.Context) -> int:
    """Put events on the project's bus, and see and repeat what becomes of them."""
    return help_without_command(context)
