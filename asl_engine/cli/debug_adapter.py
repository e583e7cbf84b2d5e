"""`asl debug` for editors: what they ask to be debugged, as the command line would read it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.cli.ends import told_of_ends
from asl_engine.cli.engine_log import told_on_stderr
from asl_engine.cli.lookup import find_one
from asl_engine.cli.output import err
from asl_engine.cli.start import RunRequest, prepare
from asl_engine.debugging.dap.launching import Debuggee
from asl_engine.debugging.dap.serving import serve_port, serve_stdio
from asl_engine.debugging.places import FreshStart
from asl_engine.engine.clock import SKIP, checked_time
from asl_engine.errors import InvalidInput, Parameter
from asl_engine.json_text import dumps
from asl_engine.project.definitions import Substituting
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.project.setup import recorded_setup
from asl_engine.store.memory.store import MemoryStore

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from asl_engine.debugging.dap.arguments import Arguments

__all__ = ["serve_editor"]


class EditorLauncher:
    """Reads an editor's launch configuration.  Paths in it are relative to its ``cwd``, or the process's."""

    async def launch(self, arguments: Arguments, stack: AsyncExitStack) -> Debuggee:
        folder = Path(arguments.text("cwd", "."))
        program = arguments.needed_text("program", "statemachines/order.asl.json")
        start = prepare(
            RunRequest(
                definition=str(folder / program),
                input=_input(arguments, folder),
                name=arguments.optional_text("executionName"),
                db=_path(arguments.optional_text("db"), folder),
                time=arguments.text("time", SKIP),
                use_lambda=arguments.flag("lambda"),
                substituting=_substituting(arguments),
                mock=_path(arguments.optional_text("mock"), folder),
                project=_path(arguments.optional_text("project"), folder),
            )
        )
        fresh = FreshStart(start.machine_name, start.name, start.input)
        if arguments.flag("memory"):
            return Debuggee(MemoryStore(), start.setup, fresh, kept=False)
        store = await stack.enter_async_context(opened(start.setup.project.db, create=True))
        return Debuggee(store, start.setup, fresh)

    async def attach(self, arguments: Arguments, stack: AsyncExitStack) -> Debuggee:
        folder = Path(arguments.text("cwd", "."))
        execution = arguments.needed_text("execution", "the name of an execution")
        given = _path(arguments.optional_text("db"), folder)
        db = _database(given, folder)
        store = await stack.enter_async_context(opened(db))
        record = await find_one(store, execution)
        how = record.options._replace(time=checked_time(arguments.text("time", SKIP)))
        setup = await recorded_setup(store, record._replace(options=how))
        return Debuggee(store, setup, record=record)


def _database(given: str | None, folder: Path) -> Path:
    return project_of(folder.absolute()).db if given is None else database(given)


def _path(given: str | None, folder: Path) -> str | None:
    return None if given is None else str(folder / given)


def _input(arguments: Arguments, folder: Path) -> str | None:
    """The member ``input``, any JSON, or the file that ``inputFile`` names."""
    file = arguments.optional_text("inputFile")
    if file is not None:
        if "input" in arguments.all:
            raise InvalidInput('give "input" or "inputFile", not both')
        return str(folder / file)
    return dumps(arguments.all["input"]) if "input" in arguments.all else None


def _substituting(arguments: Arguments) -> Substituting:
    given = arguments.object("substitutions")
    for name, value in given.items():
        if not isinstance(value, str):
            raise InvalidInput(f'"substitutions": {name} has to be a text')
    return Substituting(tuple(f"{name}={value}" for name, value in given.items()))


def serve_editor(port: int | None) -> int:
    """Serve an editor: on the standard streams, or on this port of the loopback interface."""
    ends = told_of_ends("what has not ended is kept; go on with: asl resume --all")
    with ends, told_on_stderr(None):
        if port is None:
            fault = asyncio.run(serve_stdio(EditorLauncher()))
            if fault is not None:
                err(f"asl: error: {fault}")
            return 0 if fault is None else 2
        if not 0 <= port <= 65_535:
            raise InvalidInput(Parameter("dap_port", str(port)), ": a port is a number from 0 to 65535")
        try:
            asyncio.run(serve_port(port, EditorLauncher(), _listening))
        except OSError as error:
            raise InvalidInput(Parameter("dap_port", str(port)), f": {error.strerror}") from None
    return 0


def _listening(port: int) -> None:
    err(f"listening for an editor on 127.0.0.1:{port}")
