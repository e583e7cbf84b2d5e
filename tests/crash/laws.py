"""The laws, and a witness that holds them against the database and the world."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.core import events as ev
from tests.crash.recorded import plain, read
from tests.crash.workflows import HANGING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.crash.recorded import Recorded

__all__ = ["LAWS", "OUTPUT", "SYNCED", "TOO_LATE", "Ack", "Outcome", "Witness", "outcome"]

OUTPUT = "the output is that of an undisturbed run"
ONCE = "a task whose end is recorded is not run again"
KEYS = "a key repeats only in another process"
SHOWN = "what has been done was on disk before"
ACKNOWLEDGED = "what was acknowledged is on disk"
GAPLESS = "the numbers of the history have no gaps"
SAME = "the history is that of an undisturbed run"
WHOLE = "the database is sound, and every log folds"
REPLAYED = "a replay comes to the same events"
GETS_ON = "what runs gets on, or its command says why not"
TOO_LATE: Final = "too late"
# Those that need each commit to be synced.
SYNCED: Final = frozenset({SHOWN, ACKNOWLEDGED})
LAWS: Final = (OUTPUT, ONCE, KEYS, SHOWN, ACKNOWLEDGED, GAPLESS, SAME, WHOLE, REPLAYED, GETS_ON)


class Ack(NamedTuple):
    """Something that the client was told: that a call has done what it is for, ``about`` what."""

    call: str
    about: str
    more: str = ""


class Outcome(NamedTuple):
    """What a run comes to, comparable with another run's."""

    statuses: dict[str, str]
    output: Any
    story: dict[str, Any]
    files: dict[str, Any]
    effects: dict[str, int]  # by state: for how many attempts it was called


def outcome(folder: Path, name: str, recorded: Recorded) -> Outcome:
    log = recorded.named(name)
    last = log.events[-1] if log is not None and log.events else None
    output = plain(last.output.value) if isinstance(last, ev.ExecutionSucceeded) else None
    files = {
        plain(str(path.relative_to(folder))): plain(path.read_text("utf-8"))
        for path in sorted((folder / "data").glob("results/**/*"))
        if path.is_file() and not path.name.startswith(".asl-")
    }
    done: dict[str, set[str]] = {}
    for effect in effects(folder):
        if effect["state"] in HANGING:
            continue
        done.setdefault(effect["state"], set()).add(effect["key"])
    statuses = {log.identity.name: log.status for log in recorded.logs.values() if log.child is None}
    return Outcome(statuses, output, recorded.story(), files, {state: len(keys) for state, keys in done.items()})


def effects(folder: Path) -> list[dict[str, Any]]:
    """All that the tasks have done, in order."""
    path = folder / "outside" / "effects"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


class Witness:
    """Looks at a run between its lives.  ``broken`` is each law that did not hold, with what was seen."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / ".asl" / "asl.db"
        self.checked = dict.fromkeys(LAWS, 0)
        self.broken: list[tuple[str, str]] = []
        self._folder = folder
        self._seen = 0  # effects, at the last look
        self._closed: set[str] = set()  # tasks whose end had been recorded then

    def expect(self, law: str, holds: object, told: object) -> None:
        self.checked[law] += 1
        if not holds:
            self.broken.append((law, str(told)))

    def look(self, acks: Iterable[Ack]) -> Recorded:
        """Between two lives.  What is recorded now."""
        recorded = read(self.database)
        done = effects(self._folder)
        fresh = done[self._seen :]
        repeated = [effect for effect in fresh if effect["key"] in self._closed]
        self.expect(ONCE, not repeated, repeated)
        calls = [(effect["key"], effect["process"]) for effect in done]
        twice = sorted({call for call in calls if calls.count(call) > 1})
        self.expect(KEYS, not twice, twice)
        scheduled = recorded.scheduled()
        unknown = [effect for effect in done if effect["key"] not in scheduled]
        self.expect(SHOWN, not unknown, unknown)
        for ack in acks:
            self.expect(ACKNOWLEDGED, _is_kept(ack, recorded), ack)
        self._seen, self._closed = len(done), recorded.closed()
        return recorded

    def look_after_a_cut(self, acks: Iterable[Ack]) -> Recorded:
        """Time has gone back, for the world too: what was recorded since the last look may be lost."""
        self._seen, self._closed = len(effects(self._folder)), set()
        return self.look(acks)

    def judge(self, name: str, expected: Outcome) -> None:
        """At the end."""
        recorded = read(self.database, checked=True)
        self.expect(WHOLE, not recorded.damage, recorded.damage)
        for log in recorded.logs.values():
            faults = [*log.faults()]
            self.expect(GAPLESS, not faults, faults)
            difference = log.difference()
            self.expect(REPLAYED, difference is None, (log.identity.name, difference))
        found = outcome(self._folder, name, recorded)
        same = found.output == expected.output and found.statuses == expected.statuses
        told = f"{found.statuses} {found.output} instead of {expected.statuses} {expected.output}"
        self.expect(OUTPUT, same, told)
        for part in ("files", "effects"):
            was, should = getattr(found, part), getattr(expected, part)
            self.expect(OUTPUT, was == should, f"{part}: {was} instead of {should}")
        self.expect(SAME, found.story == expected.story, difference_of(found.story, expected.story))


def difference_of(found: Any, expected: Any, place: str = "") -> str:
    """The first place in which two values differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            if found.get(key) != expected.get(key):
                return difference_of(found.get(key), expected.get(key), f"{place}.{key}")
    if isinstance(found, list) and isinstance(expected, list):
        for number, (one, other) in enumerate(zip(found, expected, strict=False)):
            if one != other:
                return difference_of(one, other, f"{place}[{number}]")
        more = found[len(expected) :] or expected[len(found) :]
        return f"{place} has {len(found)} instead of {len(expected)}: {more}"
    return f"{place}: {found!r} instead of {expected!r}"


def _is_kept(ack: Ack, recorded: Recorded) -> bool:
    call, about, more = ack
    if call == "CreateStateMachine":
        return about in recorded.machines
    if call == "CreateActivity":
        return about in recorded.activities
    if call == "GetActivityTask":
        return about in recorded.tokens(ev.TaskStarted)
    if call == "SendTaskSuccess":
        return about in recorded.tokens(ev.TaskSucceeded)
    if call == TOO_LATE:
        return True  # it was told that its answer does not count
    if call == "SendTaskFailure":
        return about in recorded.tokens(ev.TaskFailed)
    log = recorded.named(about)
    if log is None:
        return False
    if call == "StartExecution":
        return True
    if call == "StopExecution":
        return log.status == "ABORTED"
    if call == "RedriveExecution":
        return log.redrive_count >= int(more)
    # It has ended so, unless it has been redriven since.
    return log.redrive_count > 0 or log.status == more
