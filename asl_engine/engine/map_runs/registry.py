"""The Map Runs of an engine: those that this process drives, and those that are still to be finalized."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from asl_engine.core.interpreter import defect_cause
from asl_engine.core.stimuli import MapRunReported
from asl_engine.engine.effects import report_defect
from asl_engine.engine.map_runs.driver import MapRun
from asl_engine.engine.map_runs.finalizing import finalize
from asl_engine.errors import AslError, StatesError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from asl_engine.core.execution import OpenMapRun
    from asl_engine.datasets import Storage
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run

__all__ = ["MapRunRegistry"]

log = logging.getLogger("asl_engine.engine")

FAREWELL_TIMEOUT = 5.0  # for aborting children when the engine is left


class MapRunRegistry:
    """The Map Runs of an engine.

    ``buckets`` are folders that stand for S3 buckets; ``s3``: all other buckets are in S3.
    """

    def __init__(self, host: Host, buckets: Mapping[str, Path], *, s3: bool = True) -> None:
        self._host = host
        self._live: dict[str, MapRun] = {}
        self._aborting: set[asyncio.Task[None]] = set()
        self._buckets = buckets
        self._s3 = s3
        self._storage: Storage | None = None

    def _datasets(self) -> Storage:
        """Where datasets are and results go."""
        if self._storage is None:
            from asl_engine.datasets import storage_of

            self._storage = storage_of(self._buckets, self._host.region, s3=self._s3)
        return self._storage

    def live(self, arn: str) -> MapRun | None:
        """The Map Run, if this process drives it."""
        return self._live.get(arn)

    async def drive(self, run: Run, work: OpenMapRun) -> MapRunReported:
        """See a Map Run to its end."""
        map_run = self._live[work.arn] = MapRun(self._host, self._datasets, run, work)
        clock = self._host.clock
        is_given_up = False
        try:
            output = await map_run.drive()
        except StatesError as error:
            await map_run.abort_children()
            return MapRunReported(clock.now(), work.key, None, error.error, error.cause)
        except AslError:  # of a child, or of the store: the execution is given up, and asks for the children
            is_given_up = True
            raise
        except Exception as defect:  # noqa: BLE001  it is reported, and ends this execution alone
            report_defect(run.arn, defect)
            await map_run.abort_children()
            return MapRunReported(clock.now(), work.key, None, "States.Runtime", defect_cause(defect))
        finally:
            if not (map_run.closed or is_given_up):
                self._live.pop(work.arn, None)
        self._live.pop(work.arn, None)
        return MapRunReported(clock.now(), work.key, output)

    def let_go(self, run: Run) -> list[Run]:
        """Forget the Map Runs of an execution that is given up; the children, which are to be given up as well."""
        left = [one for one in self._live.values() if one.run is run and not one.closed]
        for map_run in left:
            del self._live[map_run.arn]
        return [child for map_run in left for child in map_run.children]

    def close(self, run: Run) -> None:
        """The execution has ended or has given up some of its Map Runs: abort their children."""
        for map_run in list(self._live.values()):
            given_up = run.execution.status != "RUNNING" or map_run.work.key not in run.execution.open
            if map_run.run is run and given_up and not map_run.closed:
                map_run.closed = True
                busy = self._host.timers.busy()  # or what the children wait for would come about
                task = self._host.spawn(self._abort(map_run), busy)
                self._aborting.add(task)
                task.add_done_callback(self._aborting.discard)

    async def _abort(self, map_run: MapRun) -> None:
        try:
            await map_run.abort_children()
        finally:
            self._live.pop(map_run.arn, None)

    async def closed(self) -> None:
        """Wait until the children of those that were given up have been aborted; not for long."""
        while self._aborting and not self._host.retrying.is_waiting:
            _, late = await asyncio.wait(self._aborting, timeout=FAREWELL_TIMEOUT)
            if late:
                break  # they are aborted when the database is next resumed

    async def finalize_those_of(self, execution: str) -> None:
        """Finalize the Map Runs of an execution that is about to be redriven."""
        if self._aborting:
            await asyncio.wait(self._aborting)
        for arn in await self._host.store.map_runs.unsettled():
            record = await self._host.store.map_runs.get(arn)
            if record is not None and record.execution == execution:
                await finalize(self._host, arn)

    async def finalize_all(self) -> None:
        """Finalize the Map Runs that are over and that a process which is gone has not finalized.

        One that cannot be, for a defect of ours, is left as it is, and keeps nobody else waiting.
        """
        for arn in await self._host.store.map_runs.unsettled():
            if arn in self._live:
                continue
            try:
                await finalize(self._host, arn)
            except AslError:
                raise
            except Exception:
                log.exception("a defect of asl-engine keeps the Map Run %s from being finalized", arn)
