"""``asl remote``: shows and operates executions elsewhere as the local commands do here."""

from __future__ import annotations

import typer

from asl_engine.cli.groups import Entry, LazyGroup, help_without_command

__all__ = ["command"]


class RemoteCommands(LazyGroup):
    """``asl remote`` and its commands."""

    entries = {  # noqa: RUF012  the class says what it is
        "run": Entry(
            "asl_engine.cli.commands.remote.run",
            "Start an execution: its ARN, or with --wait its output, goes to stdout.",
        ),
        "history": Entry(
            "asl_engine.cli.commands.remote.history",
            "Show the events of an execution.",
        ),
        "list": Entry(
            "asl_engine.cli.commands.remote.list",
            "List executions, the newest first.",
        ),
        "stop": Entry(
            "asl_engine.cli.commands.remote.stop",
            "Abort an execution.",
        ),
        "redrive": Entry(
            "asl_engine.cli.commands.remote.redrive",
            "Continue a failed execution from the state that it did not leave.",
        ),
    }


command = typer.Typer(name="remote", cls=RemoteCommands, add_completion=False, rich_markup_mode=None)


@command.callback(invoke_without_command=True)
def remote(context: typer.Context) -> int:
    """Start, see and operate executions on AWS, or where --endpoint-url or AWS_ENDPOINT_URL_SFN leads."""
    return help_without_command(context)
