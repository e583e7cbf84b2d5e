"""What was covered, of which definitions and by whom: gathered, merged, kept in a file.

The file is JSON.  Several processes that measure at a time write parts beside it, which are merged into it
in the end: all counts are sums, so the order does not matter.
"""

from __future__ import annotations

import glob
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from asl_engine.errors import InvalidInput
from asl_engine.json_text import loads
from asl_engine.language.positions import locate
from asl_engine.testing.coverage import VERBS, CoveragePoint, PointKind, coverage_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from asl_engine.core.machine import StateMachine
    from asl_engine.language.document import DefinitionSource

__all__ = ["DATA_FILE", "CoverageData", "DefinitionCoverage", "combine", "parts_of"]

DATA_FILE: Final = ".asl-coverage"
FORMAT: Final = 1  # what is in the file; another number is another shape


@dataclass
class DefinitionCoverage:
    """What was covered of one definition.

    ``name`` is its file, or the state machine's name where it has none.  ``digest`` is the address of its text.
    ``lines`` are the points' lines in the file, by key.  ``tests`` are the counts of the points, by key, for each
    test: those of its executions together.  Outside of tests, the names of executions stand for them.
    ``left_out`` says of each execution that is not counted why it is not.  ``text`` is the definition itself, None
    where it is not known any more.
    """

    name: str
    digest: str
    points: list[CoveragePoint]
    lines: dict[str, int] = field(default_factory=dict)
    executions: int = 0
    left_out: list[str] = field(default_factory=list)
    tests: dict[str, Counter[str]] = field(default_factory=dict)
    text: str | None = None

    @classmethod
    def of(cls, machine: StateMachine, name: str, file: DefinitionSource | None = None) -> Self:
        """A definition of which nothing is covered yet.  ``file`` is what was read of its file, if it has one."""
        points = coverage_points(loads(machine.text))
        lines = {} if file is None else _lines(points, file)
        return cls(name, machine.digest, points, lines, text=machine.text)

    def add(self, test: str, taken: Mapping[str, int]) -> None:
        """Take in what an execution has taken."""
        self.executions += 1
        self.tests.setdefault(test, Counter()).update(taken)

    def take_back(self, test: str, taken: Mapping[str, int]) -> None:
        """Forget an execution that was taken in, as it has gone on since."""
        self.executions -= 1
        self.tests[test].subtract(taken)

    def merge(self, other: DefinitionCoverage) -> None:
        """Take in what was covered elsewhere of the same definition."""
        self.executions += other.executions
        self.left_out += other.left_out
        for test, taken in other.tests.items():
            self.tests.setdefault(test, Counter()).update(taken)

    def counts(self) -> Counter[str]:
        """How often each point was taken, by its key."""
        total: Counter[str] = Counter()
        for taken in self.tests.values():
            total.update(taken)
        return total

    def taken_by(self, point: CoveragePoint) -> dict[str, int]:
        """The tests that take a point, and how often each does."""
        return {test: taken[point.key] for test, taken in self.tests.items() if taken[point.key]}


class CoverageData:
    """What was covered of all definitions, by their digests."""

    def __init__(self, definitions: Iterable[DefinitionCoverage] = ()) -> None:
        self.definitions = {one.digest: one for one in definitions}

    def merge(self, other: CoverageData) -> None:
        for digest, covered in other.definitions.items():
            if digest in self.definitions:
                self.definitions[digest].merge(covered)
            else:
                self.definitions[digest] = covered

    def sorted(self) -> list[DefinitionCoverage]:
        return sorted(self.definitions.values(), key=lambda one: (one.name, one.digest))

    # -- the file -----------------------------------------------------------------------------------

    def write(self, path: Path) -> None:
        """Replace the file.  Raises ``InvalidInput`` where it cannot be written."""
        plain = {"asl-coverage": FORMAT, "definitions": [_to_plain(one) for one in self.sorted()]}
        draft = path.with_name(f"{path.name}.{uuid4().hex}")
        try:
            draft.write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise InvalidInput(f"cannot write the coverage data {path}: {error.strerror}") from None

    def write_part(self, path: Path) -> None:
        """Write a part beside the file, for whoever merges the parts."""
        self.write(path.with_name(f"{path.name}.part-{os.getpid()}-{uuid4().hex}"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """What is in a file.  Raises ``InvalidInput`` where it cannot be read, or is something else."""
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InvalidInput(f"there is no coverage data {path}: run the tests with coverage first") from None
        except IsADirectoryError:
            raise InvalidInput(f"{path} is a folder, not coverage data") from None
        except OSError as error:
            raise InvalidInput(f"cannot read the coverage data {path}: {error.strerror}") from None
        except ValueError as error:
            raise InvalidInput(f"{path} is no coverage data: {error}") from None
        form = plain.get("asl-coverage") if isinstance(plain, dict) else None
        if form is None:
            raise InvalidInput(f"{path} is no coverage data: it lacks the member asl-coverage")
        if form != FORMAT:
            raise InvalidInput(f"{path} was written by another version of asl-engine: measure again")
        try:
            return cls(map(_from_plain, plain["definitions"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"{path} is damaged, measure again: {type(error).__name__}: {error}") from None


def combine(path: Path, parts: Iterable[Path], data: CoverageData) -> None:
    """Merge parts into ``data``, write all of it to the file, and remove the parts.  Raises ``InvalidInput``."""
    for part in parts:
        data.merge(CoverageData.read(part))
        part.unlink()
    data.write(path)


def parts_of(path: Path) -> list[Path]:
    """The parts that lie beside a file."""
    return sorted(path.parent.glob(f"{glob.escape(path.name)}.part-*"))


def _lines(points: Iterable[CoveragePoint], file: DefinitionSource) -> dict[str, int]:
    find = file.origin.locate if file.origin is not None else partial(locate, file.text)
    positions = {point.key: find(point.location) for point in points}
    return {key: position[0] for key, position in positions.items() if position is not None}


def _to_plain(covered: DefinitionCoverage) -> dict[str, Any]:
    return {
        "name": covered.name,
        "digest": covered.digest,
        "executions": covered.executions,
        "leftOut": covered.left_out,
        "definition": covered.text,
        "points": [{**point._asdict(), "line": covered.lines.get(point.key)} for point in covered.points],
        "tests": {test: dict(sorted(taken.items())) for test, taken in sorted(covered.tests.items())},
    }


def _from_plain(plain: dict[str, Any]) -> DefinitionCoverage:
    """Raises what a wrong shape raises, ``KeyError`` and the like."""
    covered = DefinitionCoverage(_text(plain["name"]), _text(plain["digest"]), [])
    covered.executions = _number(plain["executions"])
    covered.left_out = [_text(one) for one in plain["leftOut"]]
    for one in plain["points"]:
        target = None if one["target"] is None else _text(one["target"])
        location, place, state = (_text(one[name]) for name in ("location", "place", "state"))
        point = CoveragePoint(_KINDS[one["kind"]], location, place, state, target)
        covered.points.append(point)
        if one["line"] is not None:
            covered.lines[point.key] = _number(one["line"])
    text = plain.get("definition")  # a file of an older version has none
    covered.text = None if text is None else _of_digest(_text(text), covered.digest)
    for test, taken in plain["tests"].items():
        covered.tests[test] = Counter({_text(key): _number(count) for key, count in taken.items()})
    return covered


_KINDS: Final[dict[str, PointKind]] = {kind: kind for kind in VERBS}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _of_digest(text: str, digest: str) -> str:
    if sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != digest:
        raise ValueError("the definition is not the one that was measured")
    return text


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value
