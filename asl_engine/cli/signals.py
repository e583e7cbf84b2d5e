"""From a run that has begun to its end, or to the moment when somebody has had enough."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import contextmanager, redirect_stdout, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from asl_engine.cli.ends import end_at_once, told_of_ends
from asl_engine.cli.engine_log import told_on_stderr
from asl_engine.cli.lookup import command_for
from asl_engine.cli.output import err, short_name
from asl_engine.cli.report import report_interruption
from asl_engine.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from asl_engine.cli.progress import Progress
    from asl_engine.core.execution import Execution
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.project.setup import Setup
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["AT_ONCE", "Interrupted", "Signals", "at_the_wheel", "drive", "progress_for"]

CHECK_SECONDS = 0.5  # how soon an `asl stop` from elsewhere is noticed
HEEDED = (signal.SIGINT, signal.SIGTERM)
AT_ONCE = 0.0  # nothing has begun that would have to be left in order
SOON = 0.5  # seconds that the first write may take after a signal: the database may be locked
LONGEST_WRITE = 1.0  # seconds that a process which is about to end lets one write take
PROGRESS_SECONDS = 0.1  # how often a countdown is drawn


class Interrupted(Exception):
    """A signal came.  The execution is where its last event has left it, and can be resumed.

    ``followed``: another process drives it, which goes on.
    """

    def __init__(self, arn: str, signal_number: int, *, followed: bool = False) -> None:
        super().__init__(arn, signal_number)
        self.arn = arn
        self.followed = followed
        self.exit_code = 128 + signal_number  # as a shell reports it


@contextmanager
def at_the_wheel(patience: float | None = None) -> Iterator[Signals]:
    """While executions are driven: signals are caught, and what tasks print does not get into the output.

    ``patience`` is that of ``Signals``.
    """
    ends = told_of_ends("what has not ended is kept; go on with: asl resume --all")
    with redirect_stdout(sys.stderr), ends, Signals(patience) as signals:
        yield signals


def progress_for(*, quiet: bool) -> Progress | None:
    """Progress is for whoever sits in front of a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return None
    from asl_engine.cli.progress import Progress

    return Progress()


async def drive(
    store: SqliteStore,
    setup: Setup,
    begin: Callable[[Engine], Awaitable[Run]],
    signals: Signals,
    *,
    since: int = 0,
    progress: Progress | None = None,
) -> Execution:
    """Let ``begin`` start or resume an execution and see it to its end.

    ``since`` is the time, in milliseconds, that its log has reached.  Raises ``Interrupted`` on SIGINT
    and SIGTERM, and what ``begin`` and ``Run.wait`` raise.
    """
    engine = setup.engine(store, since, None if progress is None else progress.observe)
    if progress is not None:
        progress.map_runs = engine.map_runs
    with told_on_stderr(progress):
        async with engine:
            if signals.patience is not None:
                signals.patience = SOON
            run = await begin(engine)
            signals.patience = None
            name = run.execution.identity.name
            try:
                return await _watch(engine, run, signals, progress)
            except Interrupted as interrupted:
                signals.hurry(store, interrupted.exit_code, partial(report_interruption, name, store.path))
                raise
            except StoreError as error:
                again = command_for("resume", name, store.path)
                kept = f"execution {short_name(name)} is kept as far as it got; go on with: {again}"
                raise StoreError(*error.parts, f"\n{kept}") from error


async def _watch(engine: Engine, run: Run, signals: Signals, progress: Progress | None) -> Execution:
    """Wait for the end; meanwhile look for what others have done to the execution, and show it."""
    ended = asyncio.ensure_future(_all_ended(engine, run))
    either: set[asyncio.Future[Any]] = {ended, signals.received}
    interval = CHECK_SECONDS if progress is None else PROGRESS_SECONDS
    looking = asyncio.ensure_future(_look(engine))
    try:
        while not ended.done():
            await asyncio.wait(either, timeout=interval, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                break
            if signals.received.done():
                raise Interrupted(run.arn, signals.received.result())
            if looking.done():  # it takes seconds where the database is locked
                looking.result()
                looking = asyncio.ensure_future(_look(engine))
            if progress is not None:
                progress.tick(run, engine.clock.now(), stuck=run.arn in engine.retrying.stuck)
        return ended.result()
    finally:
        ended.cancel()
        looking.cancel()
        if progress is not None:
            progress.clear()


async def _look(engine: Engine) -> None:
    with suppress(StoreUnavailable):  # an execution that has to write tells of it, and goes on later
        await engine.check()


async def _all_ended(engine: Engine, run: Run) -> Execution:
    """The execution when it has ended, and those that its tasks have started."""
    execution = await run.wait()
    while engine.runs:
        await asyncio.wait([other.done for other in engine.runs.values()], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)
    return execution


class Signals:
    """SIGINT and SIGTERM as a future.  A second one ends the process on the spot, even where the loop hangs.

    ``patience`` says for how many seconds after the first one somebody has to have looked at it: where a
    database is opened or locked nobody does, and the process ends.  None: whoever drives looks at it.
    """

    def __init__(self, patience: float | None = None) -> None:
        self.patience = patience
        self._loop = asyncio.get_running_loop()
        self.received: asyncio.Future[int] = self._loop.create_future()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in HEEDED:
            self._before[number] = signal.getsignal(number)
            # The system may give the signal to any thread.  What asyncio installs wakes the main one; only
            # then does Python call a handler there.  On Windows the loop wakes by itself.
            with suppress(NotImplementedError):
                self._loop.add_signal_handler(number, _nothing)
            signal.signal(number, self._receive)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            with suppress(NotImplementedError):
                self._loop.remove_signal_handler(number)
            signal.signal(number, handler)

    def _receive(self, number: int, frame: object) -> None:
        del frame
        if self.received.done():
            end_at_once(128 + number)
        self.received.set_result(number)
        if self.patience == AT_ONCE:
            self._give_up()
        elif self.patience is not None:
            self._loop.call_later(self.patience, self._give_up)

    def hurry(self, store: SqliteStore, exit_code: int, say: Callable[[], None]) -> None:
        """The process is about to end, and does not wait for a database that is locked: it is left as it is."""

        def look() -> None:
            if store.seconds_writing() > LONGEST_WRITE:
                say()
                end_at_once(exit_code)
            self._loop.call_later(LONGEST_WRITE / 5, look)

        self._loop.call_later(LONGEST_WRITE, look)

    def _give_up(self) -> None:
        """A thread that waits for the database cannot be told to stop, and Python would wait for it."""
        if self.patience is not None:
            err("interrupted")
            end_at_once(128 + self.received.result())


def _nothing() -> None:
    """``Signals._receive`` does the work."""
