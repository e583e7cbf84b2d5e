"""Run the command line, and die by SIGKILL at an append of the store: ``killed.py MOMENT NUMBER ARGUMENTS...``.

MOMENT is "before" or "after" the NUMBER-th write has reached the disk.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from asl_engine.cli import main
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.store.records import Child, Record

moment, number, arguments = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
writes = 0
create, append = SqliteStore.create, SqliteStore.append


def die_if(now: str) -> None:
    if moment == now and writes == number:
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


async def deadly_create(
    self: SqliteStore, record: Record, definition: str, events: Sequence[Event], child: Child | None = None
) -> None:
    global writes  # noqa: PLW0603  a script
    writes += 1
    die_if("before")
    await create(self, record, definition, events, child)
    die_if("after")


async def deadly_append(self: SqliteStore, arn: str, events: Sequence[Event]) -> None:
    global writes  # noqa: PLW0603  a script
    writes += 1
    die_if("before")
    await append(self, arn, events)
    die_if("after")


SqliteStore.create = deadly_create  # type: ignore[method-assign]  # that is the point
SqliteStore.append = deadly_append  # type: ignore[method-assign]  # that is the point
sys.argv = ["asl", *arguments]
main()
