"""The events of Map states: iterations that are part of the execution, and Map Runs that are not.

They are used through ``events``, where the others are and where the head of five fields is explained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from asl_engine.payload import Payload

__all__ = [
    "MapIterationAborted",
    "MapIterationFailed",
    "MapIterationStarted",
    "MapIterationSucceeded",
    "MapRunAborted",
    "MapRunFailed",
    "MapRunRedriven",
    "MapRunStarted",
    "MapRunSucceeded",
    "MapStateFailed",
    "MapStateStarted",
    "MapStateSucceeded",
]


class MapStateStarted(NamedTuple):
    """``items`` is what the iterations are given, before ItemSelector; ``concurrency`` how many run at once.

    ``distributed``: they are executions of their own, of a Map Run that is about to be started.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    length: int
    items: Payload
    concurrency: int
    distributed: bool = False


class MapStateSucceeded(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int


class MapStateFailed(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int


class MapIterationStarted(NamedTuple):
    """An iteration of the Map state in ``frame`` begins; its own frame goes by this event's ``seq``."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    number: int
    start_at: str
    input: Payload


class MapIterationSucceeded(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    number: int


class MapIterationFailed(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    number: int
    error: str | None
    cause: str | None


class MapIterationAborted(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    number: int


class MapRunStarted(NamedTuple):
    """A Map Run begins: its ARN, and its evaluated configuration (``distributed_map.Configuration``)."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    arn: str
    parameters: Payload


class MapRunRedriven(NamedTuple):
    """A Map Run that has not succeeded goes on, with all of its children that have not."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    map_run: int
    arn: str
    redrive_count: int


class MapRunSucceeded(NamedTuple):
    """``map_run``, here and below, is the ``seq`` of the MapRunStarted event."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    map_run: int
    output: Payload


class MapRunFailed(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    map_run: int
    error: str | None
    cause: str | None


class MapRunAborted(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    map_run: int
