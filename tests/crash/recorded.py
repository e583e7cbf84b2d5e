"""What the database says, read from a copy: so the next life finds what the last one left."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import is_activity
from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.core.replay import Difference, replay
from asl_engine.core.task_tokens import task_token
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.payload import Payload
from asl_engine.states.distributed_map import processor_of
from asl_engine.store.run_options import RunOptions
from asl_engine.store.sqlite.checking import Damage, check
from asl_engine.store.sqlite.codec import COLUMNS, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.core.machine import StateMachine

__all__ = ["ENDED", "Log", "Recorded", "plain", "read"]

ENDED: Final = (ev.TaskSucceeded, ev.TaskFailed, ev.TaskTimedOut)
# What tells of the process and not of the execution: it was restarted, a heartbeat came.  The answer to a callback
# may be quicker than the call that asks for it.
OF_THE_PROCESS: Final = (ev.TaskRestarted, ev.TaskHeartbeatReceived, ev.TaskSubmitted)
OF_TASKS: Final = (ev.TaskStarted, *ENDED)
SCOPES: Final = (ev.BranchStarted, ev.MapIterationStarted)
# Numbers, moments and secrets, which differ from run to run.
DIFFERENT: Final = frozenset(
    {"seq", "id", "previous", "at", "frame", "task", "map_run", "salt", "due", "heard", "token"}
)
BLANKED: Final = frozenset(
    {
        "token",
        "StartDate",
        "StopDate",
        "RedriveDate",
        "requestId",
        "stackTrace",
        "Etag",
        "LastModified",
        "Size",
        "Date",
        "X-Amzn-Trace-Id",
    }
)
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Log(NamedTuple):
    """An execution: its row, and its events.  ``child`` is its Map Run's number and its own there."""

    identity: Identity
    status: str
    redrive_count: int
    definition: str
    options: RunOptions
    events: list[ev.Event]
    child: tuple[int, int] | None

    @property
    def salt(self) -> str:
        first = self.events[0]
        assert isinstance(first, ev.ExecutionStarted)
        return first.salt

    def key(self, task: int) -> str:
        """The idempotency key of a task."""
        return f"{self.identity.arn}:{task}"

    def token(self, task: int) -> str:
        return task_token(self.salt, self.identity.arn, task)

    def difference(self) -> Difference | None:
        """Where a replay leaves the log."""
        machine = processor_of(_machine(self.definition), self.identity.machine_name)
        return replay(machine, self.identity, self.events, self.options.limits)

    def faults(self) -> Iterator[str]:
        """Where the numbers of the events, or of those that the history shows, are not what they have to be."""
        if [event.seq for event in self.events] != [*range(1, len(self.events) + 1)]:
            yield f"{self.identity.name}: the log has a gap"
        shown = [event for event in self.events if event.id]
        if [event.id for event in shown] != [*range(1, len(shown) + 1)]:
            yield f"{self.identity.name}: the history has a gap"
        yield from (
            f"{self.identity.name}: event {event.id} follows from event {event.previous}"
            for event in shown
            if not 0 <= event.previous < event.id
        )

    def story(self) -> dict[str, list[Any]]:
        """What has happened in each scope, in its order, without what differs from run to run."""
        lost = _lost_attempts(self.events)
        names = _scopes(self.events)
        story: dict[str, list[Any]] = {}
        places: dict[int, tuple[str | None, int]] = {0: (None, 0)}
        for event in self.events:
            scope = names[event.frame]
            told = story.setdefault(scope, [])
            if event.seq in lost or isinstance(event, OF_THE_PROCESS):
                if event.id:
                    places[event.id] = places[event.previous]
                continue
            within, number = places[event.previous]
            # Which of several branches was the last to end is a matter of chance.
            before = "a branch" if within and within.startswith(f"{scope}/") else [within, number]
            told.append([type(event).__name__, _details(event), before if event.id else None])
            if event.id:
                places[event.id] = (scope, len(told))
        return story


class Recorded(NamedTuple):
    """A database, at one moment.  None of it where there is no database yet."""

    logs: dict[str, Log]
    map_runs: dict[int, str]  # the executions that have started them, by number
    machines: set[str]
    activities: set[str]
    damage: list[Damage]

    def closed(self) -> set[str]:
        """The keys of the tasks that have been recorded as ended."""
        return {
            log.key(event.task) for log in self.logs.values() for event in log.events if isinstance(event, ENDED)
        }

    def scheduled(self) -> set[str]:
        """The keys of the tasks that may have been called."""
        return {
            log.key(event.seq)
            for log in self.logs.values()
            for event in log.events
            if isinstance(event, ev.TaskScheduled)
        }

    def tokens(self, *kinds: type[ev.Event]) -> set[str]:
        """The tokens of the tasks that have come to one of these events."""
        return {
            log.token(event.task)
            for log in self.logs.values()
            for event in log.events
            if isinstance(event, OF_TASKS) and isinstance(event, kinds)
        }

    def named(self, name: str) -> Log | None:
        return next((log for log in self.logs.values() if log.identity.name == name and log.child is None), None)

    def story(self) -> dict[str, Any]:
        """Everything that has happened, comparable with another run's."""
        told = {}
        for log in self.logs.values():
            name = log.identity.name
            if log.child is not None:
                map_run, number = log.child
                name = f"{self.map_runs[map_run]}/{number}"
            told[name] = {"status": log.status, "redrives": log.redrive_count, "events": log.story()}
        return told


NOTHING: Final = Recorded({}, {}, set(), set(), [])


def read(database: Path, *, checked: bool = False) -> Recorded:
    """``checked``: look for damage too, as `asl check` does."""
    if not database.exists() or not database.stat().st_size:
        return NOTHING
    with TemporaryDirectory(dir=database.parents[1].parent, prefix="look-") as folder:
        copy = Path(folder) / database.name
        for path in (
            database,
            database.with_name(f"{database.name}-wal"),
            database.with_name(f"{database.name}-journal"),
        ):
            if path.exists():
                shutil.copyfile(path, copy.with_name(path.name))
        with closing(sqlite3.connect(copy)) as db:
            if not db.execute("PRAGMA user_version").fetchone()[0]:
                return NOTHING
            found = _read(db)
        return found._replace(damage=check(copy).faults) if checked else found


def _read(db: sqlite3.Connection) -> Recorded:
    children = {
        key: (map_run, number)
        for map_run, number, key in db.execute("SELECT map_run, number, execution FROM children")
    }
    rows = db.execute(
        "SELECT execution, arn, name, machine_arn, machine_name, role_arn, started_at, version_arn, alias_arn,"
        " status, redrive_count, text, options FROM executions JOIN definitions ON definition = digest"
    ).fetchall()
    logs, names = {}, {}
    for key, *row in rows:
        *who, status, redrives, definition, options = row
        identity = Identity._make(who)
        names[key] = identity.name
        logs[identity.arn] = Log(
            identity,
            status,
            redrives,
            definition,
            RunOptions.of(json.loads(options)),
            _events(db, key),
            children.get(key),
        )
    return Recorded(
        logs,
        {number: names[key] for number, key in db.execute("SELECT map_run, execution FROM map_runs")},
        {arn for (arn,) in db.execute("SELECT arn FROM state_machines")},
        {arn for (arn,) in db.execute("SELECT arn FROM activities")},
        [],
    )


def _events(db: sqlite3.Connection, key: int) -> list[ev.Event]:
    payloads: dict[int, Payload] = {}
    rows = db.execute(f"SELECT {', '.join(COLUMNS)} FROM events WHERE execution = ? ORDER BY seq", (key,))  # noqa: S608  constants
    return [event for row in rows for event in decode([row], payloads)]


@lru_cache(maxsize=64)
def _machine(definition: str) -> StateMachine:
    return load(definition, "the recorded definition", NO_LIMITS)


def _scopes(events: Iterable[ev.Event]) -> dict[int, str]:
    """The name of each frame: which branch or iteration of which scope, for the how-manieth time."""
    names = {0: ""}
    times: dict[str, int] = {}
    for event in events:
        if isinstance(event, SCOPES):
            name = f"{names[event.frame]}/{event.number}"
            times[name] = times.get(name, 0) + 1
            names[event.seq] = f"{name}#{times[name]}"
    return names


def _lost_attempts(events: list[ev.Event]) -> set[int]:
    """The events of the attempts of activities that nobody answered.

    The answer to GetActivityTask goes down with its server; the missed heartbeat brings the task again.
    """
    lost: set[int] = set()
    for event in events:
        if isinstance(event, ev.TaskTimedOut):
            scheduled = events[event.task - 1]
            assert isinstance(scheduled, ev.TaskScheduled)
            if is_activity(scheduled.resource):
                retry = next(one.seq for one in events[event.seq :] if one.frame == event.frame)
                started = {one.seq for one in events if isinstance(one, ev.TaskStarted) and one.task == event.task}
                lost |= {event.task, event.seq, retry, *started}
    return lost


def _details(event: ev.Event) -> dict[str, Any]:
    left_out = DIFFERENT
    if isinstance(event, ev.TaskScheduled) and is_activity(event.resource):
        left_out |= {"attempt"}  # see above
    return {
        name: plain(value.value if isinstance(value, Payload) else value)
        for name, value in event._asdict().items()
        if name not in left_out
    }


def plain(value: Any) -> Any:
    """A value without what differs from run to run; JSON in texts is read."""
    if isinstance(value, dict):
        return {key: None if key in BLANKED else plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        if value[:1] in {"{", "["}:
            try:
                return plain(json.loads(value))
            except ValueError:
                pass
        return MOMENT.sub("<moment>", UUID.sub("<uuid>", value))
    return value
