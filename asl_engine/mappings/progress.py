"""How far a shard has been read, and the batches that are under way: what is kept of it in the database.  Pure.

A shard has *lanes*, as many as its ParallelizationFactor: all records of a partition key go to the same one, and
each lane calls the function with one batch after the other.  A batch is on disk before the function is called with
it, so it is the same batch, with the same key, after a crash.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LaneProgress", "Range", "ReadRecord", "ShardProgress"]


@dataclass(slots=True)
class Range:
    """Consecutive records of a lane, up to ``last``: a batch, or what is left of one.

    ``attempts`` are the calls that failed; ``calls`` also those that did not reach the function.
    """

    last: str
    attempts: int = 0
    calls: int = 0

    def kept(self) -> dict[str, Any]:
        return {"last": self.last, "attempts": self.attempts, "calls": self.calls}

    def halves(self, middle: str) -> list[Range]:
        """Two batches in its place.  Splitting a batch does not count as an attempt."""
        return [Range(middle), Range(self.last)]


@dataclass(slots=True)
class LaneProgress:
    """``done`` is the last record that needs nothing more; ``ranges`` are the batches to come, in order."""

    done: str | None = None
    ranges: deque[Range] = field(default_factory=deque)


class ShardProgress:
    """The progress of a shard.

    ``position`` is the last record before which, and with which, all need nothing more: reading goes on after it.
    ``start`` says where reading begins without one, ``begun`` whether it has.
    """

    def __init__(self, factor: int, start: str | int, kept: Mapping[str, Any] | None = None) -> None:
        kept = kept or {}
        self.start: str | int = kept.get("start", start)
        self.position: str | None = kept.get("position")
        self.begun = bool(kept.get("begun"))
        self._older: list[tuple[int, dict[int, int]]] = [
            (int(one["factor"]), {int(lane): int(done) for lane, done in one["done"].items()})
            for one in kept.get("older", ())
        ]
        self.lanes = [LaneProgress() for _ in range(factor)]
        self._open: deque[ReadRecord] = deque()
        lanes = kept.get("lanes", ())
        if len(lanes) == factor:
            for lane, told in zip(self.lanes, lanes, strict=True):
                lane.done = told.get("done")
                lane.ranges.extend(Range(one["last"], one["attempts"], one["calls"]) for one in told["ranges"])
        elif lanes:  # of another factor: a key may have gone to another lane
            done = {n: int(told["done"]) for n, told in enumerate(lanes) if told.get("done") is not None}
            self._older.append((len(lanes), done))

    def kept(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "start": self.start,
            "begun": self.begun,
            "position": self.position,
            "lanes": [{"done": lane.done, "ranges": [one.kept() for one in lane.ranges]} for lane in self.lanes],
        }
        position = -1 if self.position is None else int(self.position)
        older = [(factor, done) for factor, done in self._older if max(done.values(), default=-1) > position]
        if older:
            told["older"] = [{"factor": n, "done": {str(k): str(v) for k, v in done.items()}} for n, done in older]
        return told

    def lane_of(self, key: str) -> int:
        return _lane(key, len(self.lanes))

    def is_done(self, sequence: str, key: str) -> bool:
        """Whether a record that is read again needs nothing more."""
        number = int(sequence)
        if self.position is not None and number <= int(self.position):
            return True
        done = self.lanes[self.lane_of(key)].done
        if done is not None and number <= int(done):
            return True
        return any(number <= done.get(_lane(key, factor), -1) for factor, done in self._older)

    def read(self, sequence: str) -> ReadRecord:
        """A record has been read; ``close`` it when it needs nothing more."""
        one = ReadRecord(sequence)
        self._open.append(one)
        return one

    def close(self, one: ReadRecord) -> None:
        one.closed = True
        while self._open and self._open[0].closed:
            self.position = self._open.popleft().sequence

    @property
    def is_quiet(self) -> bool:
        """Whether all that was read needs nothing more."""
        return not self._open


class ReadRecord:
    """A record that was read; ``closed``: it needs nothing more."""

    __slots__ = ("closed", "sequence")

    def __init__(self, sequence: str) -> None:
        self.sequence = sequence
        self.closed = False


def _lane(key: str, factor: int) -> int:
    return crc32(key.encode("utf-8", "surrogatepass")) % factor
