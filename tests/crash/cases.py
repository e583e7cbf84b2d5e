"""Cases: a way of dying, a mode, a workflow and a number, from which everything else follows."""

from __future__ import annotations

import errno
import itertools
import os
import random
import time
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.crash import shim
from tests.crash.client import MENDED, nobody
from tests.crash.laws import OUTPUT, Ack, Outcome, outcome
from tests.crash.lives import SYNCHRONOUS, UNHARMED, Doom
from tests.crash.play import Play, lay_out
from tests.crash.points import POINTS, Point
from tests.crash.power import CREATED, CUT, OPENED, SYNCED, WRITTEN, Disk, changes_in, mark, restore
from tests.crash.recorded import read
from tests.crash.workflows import EXECUTION, WORKFLOWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Case", "Result", "cases"]

KINDS: Final = ("kill", "cut", "fault")
MOST_KILLS: Final = 7  # of one execution, planned
PATIENT: Final = 1000  # such a project starts no processes for its tasks
SELDOM: Final = 8
MOST_CUTS: Final = 3
STRIDES: Final = (101, 103)  # primes
ERRORS: Final = (errno.ENOSPC, errno.EIO)


class Case(NamedTuple):
    kind: str
    mode: str
    workflow: str
    number: int

    def __str__(self) -> str:
        return "/".join(map(str, self))

    @classmethod
    def of(cls, text: str) -> Case:
        kind, mode, workflow, number = text.split("/")
        return cls(kind, mode, workflow, int(number))


class Result(NamedTuple):
    """``blows``: how many kills, power cuts or faults there were."""

    case: str
    blows: int
    checked: dict[str, int]
    broken: list[tuple[str, str]]
    seconds: float


class Disturbed(Exception):
    """A run that nobody has disturbed did not end as it should."""


class Undisturbed(NamedTuple):
    """A run that nobody disturbs: what it comes to, its commits and acts in its longest life, and its length."""

    outcome: Outcome
    commits: int
    acts: int
    seconds: float


def cases(kind: str) -> Iterator[Case]:
    """All cases of a kind: each number for every workflow in every mode, then the next."""
    for number in itertools.count():
        for workflow in WORKFLOWS.values():
            # What a task does in a process of its own is not recorded, and such a process takes long to start.
            if workflow.max_deaths < PATIENT and (kind != "kill" or number % SELDOM):
                continue
            for mode in workflow.modes:
                if SYNCHRONOUS in os.environ and mode == "serve":
                    continue  # its client takes at their word what may be lost
                yield Case(kind, mode, workflow.name, number)


@cache
def undisturbed(folder: Path, mode: str, name: str) -> Undisturbed:
    """Raises ``Disturbed`` where not even that ends as it should."""
    workflow = WORKFLOWS[name]
    lay_out(folder, workflow)
    counted = folder / "outside" / "counted"

    def count(commits: int, acts: int) -> None:
        counted.write_text(f"{commits} {acts}")

    play = Play(folder, workflow, mode, random.Random(0), count=count)
    begin, longest = time.monotonic(), [0, 0]
    while play.one_life(UNHARMED):
        longest = max(longest, [int(text) for text in counted.read_text().split()])
    longest = max(longest, [int(text) for text in counted.read_text().split()])
    seconds = (time.monotonic() - begin) / max(1, len(play.lived))
    found = outcome(folder, EXECUTION, read(play.witness.database))
    if play.witness.broken or found.statuses.get(EXECUTION) != workflow.ends:
        raise Disturbed(f"{name} under asl {mode}: {found.statuses} {play.witness.broken}")
    commits, acts = longest
    return Undisturbed(found, commits, acts, seconds)


def run_case(case: Case, seed: int, folder: Path) -> Result:
    """The result; a workflow that does not even run undisturbed has had its blow."""
    try:
        expected = undisturbed(folder / "undisturbed", case.mode, case.workflow)
    except Disturbed as disturbed:
        return Result(str(case), 1, {}, [(OUTPUT, str(disturbed))], 0.0)
    rng = random.Random(f"{seed}/{case}")
    begin = time.monotonic()
    play = Play(folder / "case", WORKFLOWS[case.workflow], case.mode, rng)
    lay_out(folder / "case", play.workflow)
    if case.kind == "kill":
        play.go_on(killings(case.number, expected, rng))
        blows = play.kills
    elif case.kind == "cut":
        blows = cut(play, folder / "changes", rng)
        play.go_on(iter(()))
    else:
        play.go_on(faults(case, changes(folder, case.mode, case.workflow), rng))
        blows = int((play.folder / "outside" / "struck").exists())
    play.witness.judge(EXECUTION, expected.outcome)
    return Result(str(case), blows, play.witness.checked, play.witness.broken, time.monotonic() - begin)


def killings(number: int, expected: Undisturbed, rng: random.Random) -> Iterator[Doom]:
    """The first kill is the next one in order, of all points of all commits; the others are anywhere."""
    moment = POINTS[number % len(POINTS)]
    total = expected.acts if moment.endswith("act") else expected.commits
    yield Doom(point=Point(moment, 1 + scattered(number // len(POINTS), total)))
    for _ in range(rng.randrange(MOST_KILLS)):
        if rng.random() < 0.5:
            yield Doom(after=rng.random() * expected.seconds)
        else:
            yield Doom(point=Point(rng.choice(POINTS), rng.randint(1, 1 + expected.commits // 2)))


def scattered(number: int, total: int) -> int:
    """All numbers below the total, in an order in which the first few are not neighbours."""
    stride = next(stride for stride in STRIDES if total % stride)
    return number * stride % total


def faults(case: Case, total: int, rng: random.Random) -> Iterator[Doom]:
    """Each change of the database's files fails once; sometimes those after it fail too."""
    error = ERRORS[case.number % len(ERRORS)]
    first = 1 + scattered(case.number // len(ERRORS), total)
    yield Doom(fault=shim.Fault(error, first, rng.choice((1, 1, 2, 5))))


def cut(play: Play, log: Path, rng: random.Random) -> int:
    """Live and lose the power, several times.  How often that was."""
    cuts = rng.randint(1, MOST_CUTS)
    for _ in range(cuts):
        disk = Disk(play.folder)
        is_mended = (play.folder / MENDED).exists()
        heard = {"ack": [*play.client.acks], "sent": [*play.client.sent], "mended": []}
        recorded(play, log)
        done = changes_in(log)
        for change in done[: rng.randint(0, len(done))]:
            if change.is_mark:
                what, told = change.told
                heard[what].append(Ack(*told))
            else:
                disk.take(change)
        restore(play.folder, disk.after_a_cut(rng))
        if is_mended or heard["mended"]:
            (play.folder / MENDED).touch()
        play.client.acks, play.client.sent = heard["ack"], heard["sent"]
        play.witness.look_after_a_cut(play.client.acks)
    return cuts


def recorded(play: Play, log: Path) -> None:
    """Live once, and have it recorded."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        play.client.tell = lambda what, ack: mark(file, [what, ack])
        play.one_life(Doom(log=file))
    finally:
        play.client.tell = nobody
        os.close(file)


@cache
def changes(folder: Path, mode: str, name: str) -> int:
    """How often the first life of a workflow changes the files of the database."""
    play = Play(folder / "undisturbed", WORKFLOWS[name], mode, random.Random(0))
    lay_out(play.folder, play.workflow)
    recorded(play, folder / "changes")
    inodes: set[int] = set()
    total = 0
    for change in changes_in(folder / "changes"):
        if change.kind in {OPENED, CREATED}:
            path = change.content.decode()
            (inodes.add if ".db" in path and "-leases/" not in path else inodes.discard)(change.inode)
        total += change.kind in {CREATED, WRITTEN, CUT, SYNCED} and change.inode in inodes
    return total
