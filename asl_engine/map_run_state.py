"""What the events of Map Runs make of an execution: a part of ``execution.apply``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine import events as ev
from asl_engine.frames import OpenMapRun, Phase, move

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.execution import Execution

__all__ = ["APPLY_MAP_RUN"]


def _map_run_started(x: Execution, event: ev.MapRunStarted) -> None:
    frame = x.frames[event.frame]
    assert frame.items is not None  # noqa: S101  MapStateStarted comes first
    frame.work = event.seq
    work = OpenMapRun(event.seq, frame, event.arn, event.parameters, frame.items, event.previous)
    x.open[event.seq] = frame.map_run = work
    frame.items = None
    move(frame, Phase.WORKING, event)


def _map_run_redriven(x: Execution, event: ev.MapRunRedriven) -> None:
    frame = x.frames[event.frame]
    assert frame.map_run is not None  # noqa: S101  it has run before
    work = frame.map_run._replace(redrives=event.redrive_count)
    x.open[work.key] = frame.map_run = work
    frame.work = work.key
    move(frame, Phase.WORKING, event)


def _map_run_succeeded(x: Execution, event: ev.MapRunSucceeded) -> None:
    frame = x.open.pop(event.map_run).frame
    frame.result = event.output
    move(frame, Phase.SUCCEEDED, event)


def _map_run_failed(x: Execution, event: ev.MapRunFailed) -> None:
    frame = x.open.pop(event.map_run).frame
    frame.error = event.error
    frame.cause = event.cause
    move(frame, Phase.FAILED, event)


def _map_run_aborted(x: Execution, event: ev.MapRunAborted) -> None:
    x.open.pop(event.map_run).frame.last_id = event.id


APPLY_MAP_RUN: dict[type[Any], Callable[..., None]] = {
    ev.MapRunStarted: _map_run_started,
    ev.MapRunRedriven: _map_run_redriven,
    ev.MapRunSucceeded: _map_run_succeeded,
    ev.MapRunFailed: _map_run_failed,
    ev.MapRunAborted: _map_run_aborted,
}
