"""Processes that run cases side by side; each forks its own lives."""

from __future__ import annotations

import itertools
import os
import pickle
import selectors
import signal
import struct
import time
import traceback
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from tests.crash.cases import Result, cases, run_case
from tests.crash.lives import end_all
from tests.crash.processes import SAMPLE, run_process_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["work"]

LENGTH: Final = struct.Struct("=I")


class Share(NamedTuple):
    """What one worker does: so many blows of each kind, by the cases of these numbers."""

    wanted: Mapping[str, int]
    first: int
    step: int
    seed: int
    deadline: float | None


def work(wanted: Mapping[str, int], seed: int, root: Path, jobs: int, deadline: float | None) -> Iterator[Result]:
    """The results of as many cases as it takes for so many blows of each kind, or until the deadline.

    Raises ``RuntimeError`` where a worker fails.
    """
    pipes = selectors.DefaultSelector()
    workers = []
    for number in range(jobs):
        readable, writable = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.close(readable)
            shares = {kind: -(-count // jobs) for kind, count in wanted.items()}
            share = Share(shares, number, jobs, seed, deadline)
            _work(share, root / str(number), writable)
        os.close(writable)
        workers.append(worker)
        pipes.register(readable, selectors.EVENT_READ, open(readable, "rb"))  # noqa: PTH123, SIM115  a number, closed below
    try:
        while pipes.get_map():
            for key, _ in pipes.select():
                head = key.data.read(LENGTH.size)
                if not head:
                    pipes.unregister(key.fileobj)
                    key.data.close()
                    continue
                result = pickle.loads(key.data.read(*LENGTH.unpack(head)))  # noqa: S301  from our own process
                if not isinstance(result, Result):
                    raise RuntimeError(result)  # noqa: TRY004  what a worker has told of its own failure
                yield result
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)
            os.waitpid(worker, 0)


def _work(share: Share, root: Path, pipe: int) -> NoReturn:
    def send(what: object) -> None:
        content = pickle.dumps(what)
        with open(pipe, "wb", closefd=False) as file:
            file.write(LENGTH.pack(len(content)) + content)

    signal.signal(signal.SIGTERM, _leave)
    try:
        root.mkdir()
        for kind, wanted in share.wanted.items():
            blows = 0
            for case in itertools.islice(cases(kind), share.first, None, share.step):
                if blows >= wanted or (share.deadline is not None and time.monotonic() > share.deadline):
                    break
                result = (run_process_case if kind == SAMPLE else run_case)(case, share.seed, root)
                blows += result.blows
                send(result)
    except BaseException:  # noqa: BLE001  the parent is told
        send(traceback.format_exc())
    finally:
        _leave()


def _leave(*_: object) -> NoReturn:
    """Wherever that comes upon: an exception might be lost."""
    end_all()
    os._exit(0)
