"""``asl debug``: run a state machine state by state, look at an execution back and forth, change what comes."""

from __future__ import annotations

import asyncio
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.debug_lines import drive_terminal, lines_of
from asl_engine.cli.ends import told_of_ends
from asl_engine.cli.engine_log import told_on_stderr
from asl_engine.cli.lookup import command_for, find_one
from asl_engine.cli.output import compact_json, err, flush, is_terminal, out, pretty_json, short_name
from asl_engine.engine.clock import SKIP, checked_time
from asl_engine.errors import InvalidInput
from asl_engine.project.definitions import Substituting
from asl_engine.project.lookup import database, opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from asl_engine.cli.debug_lines import TypedLines
    from asl_engine.cli.start import RunRequest
    from asl_engine.debugging.gate import Stop
    from asl_engine.debugging.session import Session
    from asl_engine.json_values import Json
    from asl_engine.project.setup import Setup
    from asl_engine.store.protocol import Store

__all__ = ["command"]

# Of what is written on a terminal, by its beginning.
STYLES = {
    "error:": "red",
    "log:": "magenta",
    "before ": "bold cyan",
    "at the end of ": "bold cyan",
    "at an error of ": "bold red",
    "within ": "bold yellow",
    "the execution has ended: SUCCEEDED": "bold green",
    "the execution has ended: ": "bold red",
}


def command(
    *,
    definition: Annotated[
        str | None, typer.Argument(metavar="[DEFINITION]", help="The state machine: a JSON or YAML file.")
    ] = None,
    execution: Annotated[
        str | None,
        typer.Option("--execution", metavar="EXECUTION", help="Debug an execution that is in the database."),
    ] = None,
    given: options.Input = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The execution's name. Default: a UUID")
    ] = None,
    commands: Annotated[
        str | None,
        typer.Option("--commands", metavar="FILE", help="Carry out the commands of a file. Default: stdin"),
    ] = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Keep the execution in memory, not in the database.")
    ] = False,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            metavar="skip|real|scale=N",
            help="How time passes while the execution is not held. Default: skip",
        ),
    ] = None,
    use_lambda: options.Lambda = False,
    lambda_endpoint: options.LambdaEndpoint = None,
    endpoint: options.Endpoints = None,
    limit: options.Limits = None,
    mock: options.Mock = None,
    fault: options.Faults = None,
    seed: options.Seed = None,
    no_aws_limits: options.AwsLimitsOff = False,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
    db: options.Db = None,
    dap: Annotated[
        bool, typer.Option("--dap", help="Serve an editor on stdin and stdout: the Debug Adapter Protocol.")
    ] = False,
    dap_port: Annotated[
        int | None,
        typer.Option("--dap-port", metavar="N", help="Serve editors on this port of 127.0.0.1; 0 for a free one."),
    ] = None,
) -> int:
    """Debug a state machine: stop at states and errors, look at the data, edit it, step on and back."""
    if dap or dap_port is not None:
        if dap and dap_port is not None:
            raise InvalidInput("--dap is on stdin and stdout, --dap-port on a port: give one of them")
        if definition is not None or execution is not None:
            raise InvalidInput("what an editor debugs is said by its launch configuration: name nothing here")
        from asl_engine.cli.debug_adapter import serve_editor

        return serve_editor(dap_port)
    if (definition is None) == (execution is None):
        raise InvalidInput("name a definition to run, or a past execution with --execution")
    if execution is not None and (given is not None or name is not None or memory):
        raise InvalidInput("--input, --name and --memory are for a new execution, and --execution names one")
    if commands is None and "-" in {definition, given}:
        raise InvalidInput("the commands come from the standard input: give them, or the rest, in a file")
    lines = lines_of(commands)
    if execution is not None:
        return asyncio.run(_past(execution, database(db), checked_time(time or SKIP), lines))
    from asl_engine.cli.start import RunRequest

    assert definition is not None  # noqa: S101  asked before
    request = RunRequest(
        definition=definition,
        input=given,
        name=name,
        db=db,
        time=time or SKIP,
        use_lambda=use_lambda,
        lambda_endpoint=lambda_endpoint,
        limits=limit or (),
        aws_limits=not no_aws_limits,
        substituting=Substituting(tuple(substitute or ()), substitutions),
        endpoints=tuple(endpoint or ()),
        mock=mock,
        faults=tuple(fault or ()),
        seed=seed,
    )
    return asyncio.run(_new(request, lines, memory=memory))


async def _new(request: RunRequest, lines: TypedLines, *, memory: bool) -> int:
    from asl_engine.cli.start import prepare
    from asl_engine.debugging.places import FreshStart

    start = prepare(request)
    beginning = FreshStart(start.machine_name, start.name, start.input)
    db = start.setup.project.db
    if memory:
        from asl_engine.store.memory.store import MemoryStore

        return await _debug(MemoryStore(), start.setup, lines, lambda session: session.start(beginning), None)
    async with opened(db, create=True) as store:
        return await _debug(store, start.setup, lines, lambda session: session.start(beginning), db)


async def _past(text: str, db: Path, time: str, lines: TypedLines) -> int:
    from asl_engine.debugging.source_lines import changed_since
    from asl_engine.project.setup import recorded_setup

    async with opened(db) as store:
        record = await find_one(store, text)
        how = record.options._replace(time=time)
        setup = await recorded_setup(store, record._replace(options=how))
        changed = changed_since(setup)
        if changed is not None:
            err(changed)
        return await _debug(store, setup, lines, lambda session: session.attach(record), db)


async def _debug(
    store: Store, setup: Setup, lines: TypedLines, begin: Callable[[Session], Awaitable[Stop]], db: Path | None
) -> int:
    """A session from its beginning to its end.  ``db`` is where the execution is kept."""
    from asl_engine.debugging.session import Session
    from asl_engine.debugging.terminal.terminal import Terminal

    write, write_value = writers()
    ends = told_of_ends("what has not ended is kept; go on with: asl resume --all")
    with redirect_stdout(sys.stderr), ends, told_on_stderr(None):
        session = Session(store, setup, lambda text: write(f"log: {text}"))
        terminal = Terminal(session, write, write_value)
        try:
            await terminal.show(await begin(session))
            sound = await drive_terminal(terminal, lines)
            status = await session.status()
        finally:
            await session.leave()
    name = session.identity.name
    if status == "RUNNING" and db is not None:
        err(f"left: execution {short_name(name)} is kept; go on with: {command_for('resume', name, db)}")
    return 0 if sound else 2


def writers() -> tuple[Callable[[str], None], Callable[[Json], None]]:
    """What writes a line to the standard output of now, and a JSON value: in colours on a terminal."""
    stream = sys.stdout

    def write(text: str) -> None:
        if is_terminal(stream):
            from rich.console import Console
            from rich.text import Text

            style = next((style for begin, style in STYLES.items() if text.startswith(begin)), "")
            first, *rest = text.split("\n", 1)
            lines = Text.assemble((first, style), *("\n" + one for one in rest))
            Console(file=stream, highlight=False).print(lines, soft_wrap=True)
            return
        with redirect_stdout(stream):
            out(text)
            flush()

    def write_value(value: Json) -> None:
        if not is_terminal(stream):
            write(pretty_json(value) if isinstance(value, dict | list) else compact_json(value))
            return
        from rich.console import Console

        Console(file=stream).print_json(compact_json(value))

    return write, write_value
