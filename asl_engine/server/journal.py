"""Writes log records and status-change events for the outside world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.core.execution import OpenTask
from asl_engine.limits import AWS_LIMITS
from asl_engine.projections.history import project
from asl_engine.projections.log_records import is_logged, log_record
from asl_engine.projections.status_events import status_event, status_of
from asl_engine.server.configuration import shown_configuration

if TYPE_CHECKING:
    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.limits import Limits
    from asl_engine.projections.log_records import LogLevel
    from asl_engine.server.lines import Lines

__all__ = ["Journal"]


class Journal:
    """Its ``observe`` takes events once they are stored.

    Log records go to ``records``, status-change events to ``statuses``; None drops them.
    """

    def __init__(
        self, records: Lines | None = None, statuses: Lines | None = None, limits: Limits = AWS_LIMITS
    ) -> None:
        self._limits = limits
        self._records = records
        self._statuses = statuses
        # The resources of the open tasks of each execution, by the event that scheduled them.
        self._tasks: dict[str, dict[int, str]] = {}

    def observe(self, run: Run, events: list[Event]) -> None:
        if self._records is not None:
            self._log(self._records, run, events)
        # AWS sends EventBridge no events of Express executions.
        if self._statuses is not None and run.execution.identity.type != "EXPRESS":
            for event in events:
                status = status_of(event)
                if status is not None:
                    told = status_event(run.execution, status, event.at, str(uuid4()), self._limits)
                    self._statuses.put(told)

    def _log(self, records: Lines, run: Run, events: list[Event]) -> None:
        level, data = _asked_for(run)
        if level == "OFF":
            return
        tasks = self._tasks.get(run.arn)
        if tasks is None:  # the execution is new, or was resumed with open tasks
            work = run.execution.open.values()
            tasks = self._tasks[run.arn] = {one.key: one.resource for one in work if isinstance(one, OpenTask)}
        for shown in project(run.execution.identity, events, tasks):
            if is_logged(shown["type"], level):
                records.put(log_record(shown, run.arn, data=data, redrive_count=run.execution.redrive_count))
        if run.execution.status != "RUNNING":
            self._tasks.pop(run.arn, None)


def _asked_for(run: Run) -> tuple[LogLevel, bool]:
    """The log level of an execution, and whether its log includes data."""
    revision: Any = run.options.revision
    configuration: Any = shown_configuration(revision)["loggingConfiguration"]
    return configuration["level"], configuration["includeExecutionData"]
