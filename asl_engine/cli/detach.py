"""``asl run --detach``: the run goes on in a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from asl_engine.cli.lookup import command_for
from asl_engine.cli.output import err, out, pretty_json, short_name
from asl_engine.cli.shapes import start_execution
from asl_engine.cli.start import RunRequest, Start, check_same
from asl_engine.errors import AslError, ExecutionBusy, StoreError
from asl_engine.project.inputs import STDIN
from asl_engine.project.lookup import opened
from asl_engine.project.setup import absolute_mock
from asl_engine.store.sqlite.place import log_path

if TYPE_CHECKING:
    from asl_engine.core.execution import Identity
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["DETACHED_LOG", "detach", "remove_unless_written"]

POLL_SECONDS = 0.05
DETACHED_LOG = "ASL_DETACHED_LOG"  # tells the new process where its stderr goes


def detach(request: RunRequest, start: Start) -> int:
    """Start the execution in another process and return once it is in the database."""
    identity = asyncio.run(_detach(request, start))
    if request.json:
        out(pretty_json(start_execution(identity)))
    else:
        out(short_name(identity.name))
        if not request.quiet:
            db = start.setup.project.db
            err(f"running in the background; follow it with: {command_for('history', identity.name, db)} --follow")
            err(f"its tasks print to {_log_file(start)}")
    return 0


async def _detach(request: RunRequest, start: Start) -> Identity:
    async with opened(start.setup.project.db, create=True) as store:
        record = await store.record(start.arn)
        if record is not None:
            await check_same(store, record, start)
            if await _is_driven(store, start.arn):
                return record.identity
    # The store is closed first: with it goes the claim that has just been made.
    async with opened(start.setup.project.db) as store:
        return await _spawned(request, start, store)


async def _is_driven(store: SqliteStore, arn: str) -> bool:
    try:
        await store.claim(arn)
    except ExecutionBusy:
        return True
    return False


async def _spawned(request: RunRequest, start: Start, store: SqliteStore) -> Identity:
    """Who the execution is that a new process has put into the store."""
    log_file = _log_file(start)
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log = log_file.open("w+b")
    except OSError as error:
        raise StoreError(f"cannot write {log_file}: {error.strerror}") from None
    with log, TemporaryFile() as given:
        given.write(start.input.text.encode())
        given.seek(0)
        child = _spawn(_arguments(request, start), given, log, log_file)
        try:
            return await _recorded(store, start, child, log)
        except BaseException:
            child.kill()  # nothing is stored yet, or only what can be resumed
            raise


async def _recorded(store: SqliteStore, start: Start, child: subprocess.Popen[bytes], log: IO[bytes]) -> Identity:
    while True:
        ended = child.poll() is not None  # asked before the store is: a short run has ended and is there
        record = await store.record(start.arn)
        if record is not None:
            child.returncode = child.returncode or 0  # it is not ours to wait for
            return record.identity
        if ended:
            log.seek(0)
            said = log.read().decode("utf-8", "replace").strip().removeprefix("asl: error: ")
            raise AslError(said or f"the new process ended with exit code {child.returncode}")
        await asyncio.sleep(POLL_SECONDS)


def remove_unless_written(log_file: Path) -> None:
    """Called at the end of the new process: a log in which nothing stands tells nothing."""
    sys.stderr.flush()
    with suppress(OSError):  # it has been removed, or cannot be: then it stays
        found = log_file.stat()
        if found.st_size == 0 and os.path.samestat(found, os.fstat(sys.stderr.fileno())):
            log_file.unlink()


def _log_file(start: Start) -> Path:
    return log_path(start.setup.project.db, start.machine_name, start.name)


def _arguments(request: RunRequest, start: Start) -> list[str]:
    """The same command, with everything that was chosen or found meanwhile written out."""
    arguments = ["run", str(start.setup.how.definition), "--input", STDIN, "--name", start.name, "--quiet"]
    arguments += ["--db", str(start.setup.project.db), "--time", request.time]
    if request.use_lambda:
        arguments.append("--lambda")
    if request.lambda_endpoint:
        arguments += ["--lambda-endpoint", request.lambda_endpoint]
    if request.mock is not None:
        arguments += ["--mock", absolute_mock(request.mock)]
    for fault in request.faults:
        arguments += ["--fault", fault]
    if (seed := start.setup.how.seed) is not None:
        arguments += ["--seed", str(seed)]
    for endpoint in request.endpoints:
        arguments += ["--endpoint", endpoint]
    for given in request.substituting.given:
        arguments += ["--substitute", given]
    if request.substituting.file is not None:
        arguments += ["--substitutions", str(Path(request.substituting.file).absolute())]
    if request.traces:
        arguments.append("--traces")
    if not request.aws_limits:
        arguments.append("--no-aws-limits")
    for given in request.limits:
        arguments += ["--limit", given]
    return arguments


def _spawn(arguments: list[str], given: IO[bytes], log: IO[bytes], log_file: Path) -> subprocess.Popen[bytes]:
    """A process that outlives this one and its terminal."""
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-P", "-m", "asl_engine", *arguments],
        stdin=given,
        stdout=subprocess.DEVNULL,
        stderr=log,
        env=_environment() | {DETACHED_LOG: str(log_file)},
        **apart,
    )


def _environment() -> dict[str, str]:
    """Where the package is not installed, as in a checkout, the new process is told where it is."""
    home = str(Path(__file__).parents[2])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if home in paths or "site-packages" in Path(home).parts:
        return dict(os.environ)
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in (*paths, home) if path)}
