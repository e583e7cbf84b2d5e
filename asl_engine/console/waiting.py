"""Tasks that wait for somebody: those with a task token, and those of activities."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from asl_engine.core.execution import OpenTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.engine.run import Run
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = ["MAX_LOOKED_AT", "count_waiting", "waiting_tasks"]

TOKEN: Final = ".waitForTaskToken"  # noqa: S105  how a Resource says so
MAX_LOOKED_AT: Final = 20_000  # executions: it takes some 10 ms


def waiting_tasks(service: Service, request: Request) -> Iterator[tuple[Run, OpenTask]]:
    """Those of the executions that this server drives, the oldest execution first."""
    for run in islice(service.engine.runs.values(), MAX_LOOKED_AT):
        if not run.execution.open or not request.owns(run.arn):
            continue
        for task in run.execution.open.values():
            if isinstance(task, OpenTask) and _waits(run, task):
                yield run, task


def _waits(run: Run, task: OpenTask) -> bool:
    return task.is_activity or (task.resource.endswith(TOKEN) and (task.started or task.key in run.pending))


def count_waiting(service: Service, request: Request) -> int:
    return sum(1 for _ in waiting_tasks(service, request))
