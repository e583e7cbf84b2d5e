"""The program: its commands by name, each imported when it is called.

To add a command: write a module in ``commands/`` with a function ``command``, which takes the options, does the
work and returns the exit code; name the module here, with the first paragraph of its help.
"""

from __future__ import annotations

from typing import Annotated

import typer

from asl_engine.cli.groups import Entry, LazyGroup, help_without_command

__all__ = ["COMMANDS", "app"]

COMMANDS = {  # in the order in which the help lists them
    "init": Entry(
        "asl_engine.cli.commands.init",
        "Make a new project: a state machine, its tasks, and a test that passes. Nothing is overwritten.",
    ),
    "run": Entry(
        "asl_engine.cli.commands.run",
        "Run a state machine. Its output goes to stdout, everything else to stderr.",
    ),
    "resume": Entry(
        "asl_engine.cli.commands.resume",
        "Continue an execution whose process was interrupted or killed.",
    ),
    "debug": Entry(
        "asl_engine.cli.commands.debug",
        "Debug a state machine: stop at states and errors, look at the data, edit it, step on and back.",
    ),
    "redrive": Entry(
        "asl_engine.cli.commands.redrive",
        "Continue an execution that failed, timed out or was aborted, from the state where it stopped.",
    ),
    "fork": Entry(
        "asl_engine.cli.commands.fork",
        "Go on with a copy of an execution from one of its states, with another input or definition if you like.",
    ),
    "pin": Entry(
        "asl_engine.cli.commands.pin",
        "Write a pytest file that runs an execution again, mocks and all: what failed passes once it is mended.",
    ),
    "explore": Entry(
        "asl_engine.cli.commands.explore",
        "Try every error and every rule of a state machine, all tasks mocked. Exit code 1 if something is wrong.",
    ),
    "diff": Entry(
        "asl_engine.cli.commands.diff",
        "Compare two executions: path, data, attempts and durations. Exit code 1 if they differ.",
    ),
    "import": Entry(
        "asl_engine.cli.commands.import_",
        "Bring home an execution that ran on AWS: then it is shown, replayed, forked and redriven as one of here.",
    ),
    "stop": Entry(
        "asl_engine.cli.commands.stop",
        "Abort an execution, whichever process runs it.",
    ),
    "history": Entry(
        "asl_engine.cli.commands.history",
        "Show what an execution did, state by state; with --events, as GetExecutionHistory lists it.",
    ),
    "timeline": Entry(
        "asl_engine.cli.commands.timeline",
        "Show when each state of an execution worked, waited and was tried again, as a waterfall.",
    ),
    "graph": Entry(
        "asl_engine.cli.commands.graph",
        "Draw a state machine, and what an execution made of it.",
    ),
    "open": Entry(
        "asl_engine.cli.commands.open",
        "Put an execution into one HTML page: its graph, its timeline and its data, secrets left out.",
    ),
    "list": Entry(
        "asl_engine.cli.commands.list",
        "List executions, the newest first.",
    ),
    "show": Entry(
        "asl_engine.cli.commands.show",
        "Show one execution: its status, input, output and current state.",
    ),
    "replay": Entry(
        "asl_engine.cli.commands.replay",
        "Replay a recorded execution without calling any task. Exit code 1 if it comes out different.",
    ),
    "validate": Entry(
        "asl_engine.cli.commands.validate",
        "Report all errors in definitions, and likely mistakes. Exit code 2 if there is an error.",
    ),
    "saga": Entry(
        "asl_engine.cli.commands.saga",
        "Write a saga: a state machine that does steps in a row, and undoes them where one fails.",
    ),
    "coverage": Entry(
        "asl_engine.cli.commands.coverage",
        "Show which states, rules, retries and catchers were taken, and name those that never were.",
    ),
    "cost": Entry(
        "asl_engine.cli.commands.cost",
        "Show what a run costs on AWS as Standard, Express or a durable function, and which quotas it heads for.",
    ),
    "test-state": Entry(
        "asl_engine.cli.commands.state_test",
        "Run a single state, with real or mocked work. Exit code 1 if it fails and nothing catches the error.",
    ),
    "tasks": Entry(
        "asl_engine.cli.commands.tasks",
        "List the project's task callables, and where they were looked for.",
    ),
    "prune": Entry(
        "asl_engine.cli.commands.prune",
        "Delete executions that ended long ago, and definitions that nothing uses; what runs stays.",
    ),
    "backup": Entry(
        "asl_engine.cli.commands.backup",
        "Copy the database to a file, as it is at this moment, while others go on writing.",
    ),
    "check": Entry(
        "asl_engine.cli.commands.check",
        "Check the database: its file, what refers to what, and every log. Exit code 1 if anything is damaged.",
    ),
    "serve": Entry(
        "asl_engine.cli.commands.serve",
        "Answer the Step Functions API, until interrupted; what runs then goes on with the next start.",
    ),
    "events": Entry(
        "asl_engine.cli.commands.events",
        "Put events on the project's bus, and see and repeat what becomes of them.",
    ),
    "mappings": Entry(
        "asl_engine.cli.commands.mappings",
        "See how queues and streams are worked off, and repeat what was given up.",
    ),
    "dev": Entry(
        "asl_engine.cli.commands.dev",
        "Run a whole project: machines, functions, HTTP APIs and event buses, as its files say while they change.",
    ),
    "deploy": Entry(
        "asl_engine.cli.commands.deploy",
        "Deploy a state machine to AWS Step Functions, or bring what is deployed up to date.",
    ),
    "export": Entry(
        "asl_engine.cli.commands.export",
        "Write what `asl deploy` would deploy as files of SAM, CloudFormation or Terraform.",
    ),
    "mcp": Entry(
        "asl_engine.cli.commands.mcp",
        "Offer the project's state machines to agents as tools, over MCP on standard input and output.",
    ),
    "workers": Entry(
        "asl_engine.cli.commands.workers",
        "Do the tasks of activities with the project's callables, until interrupted.",
    ),
    "remote": Entry(
        "asl_engine.cli.commands.remote",
        "Start, see and operate executions on AWS, or where --endpoint-url or AWS_ENDPOINT_URL_SFN leads.",
    ),
}


class Commands(LazyGroup):
    """``asl`` and its commands."""

    entries = COMMANDS


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,  # rich takes longer to import than most commands to run
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from asl_engine import __version__
        from asl_engine.cli.output import out

        out(f"asl {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def asl(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> int:
    """Run Amazon States Language workflows on your own machine."""
    del version
    return help_without_command(context)
