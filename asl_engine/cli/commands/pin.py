"""``asl pin``: a pytest file that runs an execution again, with the answers that its tasks gave then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.arn import function_name
from asl_engine.cli import options
from asl_engine.cli.lookup import find_one, parent_of
from asl_engine.cli.output import STDOUT, err, out, write_file
from asl_engine.cli.whereabouts import where_failed
from asl_engine.errors import InvalidInput
from asl_engine.json_text import loads
from asl_engine.lab.chance import certain_output
from asl_engine.lab.pinning import Pinned, identifier, pinned_test
from asl_engine.lab.recalling import Recalled, recall
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.project.setup import project_tasks

if TYPE_CHECKING:
    from asl_engine.project.configuration import Project

__all__ = ["command"]


def command(
    *,
    execution: options.Execution,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE|-", help="The file. Default: test_NAME.py, in tests/ if it is there"
        ),
    ] = None,
    mock_all: Annotated[
        bool,
        typer.Option("--mock-all", help="Mock the task that failed too. Default: the project's own is called"),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    db: options.Db = None,
) -> int:
    """Write a pytest file that runs an execution again, mocks and all: what failed passes once it is mended."""
    past, definition = asyncio.run(_load(database(db), execution))
    name = past.record.identity.name
    if past.execution.status == "RUNNING":
        raise InvalidInput(f"the execution {name} has not ended: pin it when it has")
    if past.edited:
        raise InvalidInput(
            f"{name} is a fork with edited data: a test begins at the beginning, and cannot end as it did; "
            "pin its origin"
        )
    found = where_failed(past.events)
    place = None if found is None else found.state
    left = frozenset() if mock_all else _own_failure(past, place)
    pinned = Pinned(past.execution, past.events, _definition(past, definition), past.calls, left, place)
    text = pinned_test(pinned._replace(output=certain_output(past, definition)))
    if output == STDOUT:
        write_file(output, text)
        return 0
    file = _file(name) if output is None else Path(output)
    if file.exists() and not force:
        raise InvalidInput(f"{file} is there already: name another with --output FILE, or give --force")
    write_file(str(file), text)
    out(str(file))
    err(f"run it with: pytest {file}")
    return 0


async def _load(db: Path, text: str) -> tuple[Recalled, str]:
    async with opened(db, reading=True) as store:
        record = await find_one(store, text)
        if record.identity.map_run is not None:
            raise InvalidInput(
                f"{record.identity.name} belongs to a Map Run: "
                f"pin the execution that started it, {await parent_of(store, record)}"
            )
        return await recall(store, record), await store.definition(record.definition)


def _file(name: str) -> Path:
    folder = Path("tests")
    return (folder if folder.is_dir() else Path()) / f"test_{identifier(name)}.py"


def _definition(past: Recalled, text: str) -> str | dict[str, Any]:
    """The file, as a path from here; the definition itself where there is no file of it."""
    file = past.record.options.definition
    if not file.is_file():
        document: Any = loads(text)
        return document if isinstance(document, dict) else text
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else str(file)


def _own_failure(past: Recalled, place: str | None) -> frozenset[str]:
    """The state whose task has failed the execution, where a callable of the project does that task.

    That is ``place``; or where a state without a task has failed, such as a Fail state, that of the last call.
    """
    of_place = [call for call in past.calls if call.state == place and call.answer.error is not None]
    last = next(reversed(of_place or past.calls), None)
    if last is None or last.answer.error is None or past.execution.status == "SUCCEEDED":
        return frozenset()
    function = function_name(last.resource)
    found = None if function is None else project_tasks(_project(past)).find(function)
    return frozenset() if found is None else frozenset({last.state})


def _project(past: Recalled) -> Project:
    file = past.record.options.definition
    return project_of(file if file.is_file() else Path.cwd())
