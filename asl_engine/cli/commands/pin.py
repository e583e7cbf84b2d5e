"""``asl pin``: a pytest file that runs an execution again, with the answers that its tasks gave then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.lookup import find_one, parent_of
from asl_engine.cli.output import STDOUT, err, out, write_file
from asl_engine.errors import InvalidInput
from asl_engine.lab.pinning import identifier
from asl_engine.lab.pins import pin
from asl_engine.lab.recalling import recall
from asl_engine.project.lookup import database, opened

if TYPE_CHECKING:
    from asl_engine.lab.recalling import Recalled

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
    text = pin(past, definition, mock_all=mock_all)
    if output == STDOUT:
        write_file(output, text)
        return 0
    file = _file(past.record.identity.name) if output is None else Path(output)
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
