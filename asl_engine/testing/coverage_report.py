"""What a report says: shares, gaps by their places, JSON, and Cobertura's XML for CI services."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from asl_engine.testing.coverage import VERBS, CoveragePoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from asl_engine.testing.coverage_data import DefinitionCoverage

__all__ = ["Share", "cobertura", "gap_lines", "report_json", "report_lines", "share_of", "share_of_all"]


class Share(NamedTuple):
    """How many of the points were taken."""

    covered: int
    points: int

    @property
    def percent(self) -> float:
        return 100 * self.covered / self.points if self.points else 0.0

    def is_under(self, percent: float) -> bool:
        """Whether it is less than what is asked for.  Where there is nothing, any percentage is more."""
        return self.percent < percent

    def __str__(self) -> str:
        """Rounded down: it is 100 % only where nothing is missing."""
        return f"{math.floor(self.percent * 10) / 10:g} %"


def share_of(covered: DefinitionCoverage) -> Share:
    counts = covered.counts()
    return Share(sum(1 for point in covered.points if counts[point.key]), len(covered.points))


def share_of_all(definitions: Iterable[DefinitionCoverage]) -> Share:
    shares = [share_of(one) for one in definitions]
    return Share(sum(one.covered for one in shares), sum(one.points for one in shares))


# -- for people ---------------------------------------------------------------------------------------


def report_lines(definitions: Sequence[DefinitionCoverage]) -> Iterator[str]:
    """A line for each definition, and one for each gap in it."""
    for covered in definitions:
        share = share_of(covered)
        executions = f"{covered.executions} execution{'' if covered.executions == 1 else 's'}"
        yield f"{covered.name}: {share}, {share.covered} of {share.points} points in {executions}"
        for line in gap_lines(covered):
            yield f"  {line}"
        for reason in covered.left_out:
            yield f"  not counted: {reason}"
    if not definitions:
        yield "no state machine was run"
    if len(definitions) > 1:
        share = share_of_all(definitions)
        yield f"all {len(definitions)} definitions: {share}, {share.covered} of {share.points} points"


def gap_lines(covered: DefinitionCoverage) -> Iterator[str]:
    """``FILE:LINE: States.Pay.Catch[0] was never taken``.  What lies within a gap is counted, not listed."""
    for gap, within in _gaps(covered):
        line = covered.lines.get(gap.key)
        where = "" if line is None else f"{covered.name}:{line}: "
        inner = f", nor its {within} point{'s' if within > 1 else ''}" if within else ""
        yield f"{where}{gap.place} was never {VERBS[gap.kind]}{inner}"


def _gaps(covered: DefinitionCoverage) -> list[tuple[CoveragePoint, int]]:
    """The points that nothing took, each with the number of points within it: they cannot be taken without it."""
    counts = covered.counts()
    found: list[tuple[CoveragePoint, int]] = []
    holders: dict[str, int] = {}  # by location, where in ``found`` a gap is that has points within
    for point in covered.points:
        if counts[point.key]:
            continue
        around = next((holders[outer] for outer in _outer(point.location) if outer in holders), None)
        if around is not None:
            found[around] = (found[around][0], found[around][1] + 1)
            continue
        if point.kind in {"state", "branch", "iteration"}:
            holders[point.location] = len(found)
        found.append((point, 0))
    return found


def _outer(location: str) -> Iterator[str]:
    """What may lie around a location: all of its beginnings that a slash follows."""
    return (location[:at] for at, character in enumerate(location) if character == "/" and at)


# -- for programs -------------------------------------------------------------------------------------


def report_json(definitions: Sequence[DefinitionCoverage]) -> dict[str, Any]:
    share = share_of_all(definitions)
    return {**_share_json(share), "definitions": [_definition_json(one) for one in definitions]}


def _share_json(share: Share) -> dict[str, Any]:
    return {"percent": round(share.percent, 2), "covered": share.covered, "total": share.points}


def _definition_json(covered: DefinitionCoverage) -> dict[str, Any]:
    counts = covered.counts()
    return {
        "name": covered.name,
        "digest": covered.digest,
        **_share_json(share_of(covered)),
        "executions": covered.executions,
        "leftOut": covered.left_out,
        "points": [
            {
                "place": point.place,
                "kind": point.kind,
                "state": point.state,
                "target": point.target,
                "location": point.location,
                "line": covered.lines.get(point.key),
                "count": counts[point.key],
                "takenBy": covered.taken_by(point),
            }
            for point in covered.points
        ],
    }


DOCTYPE = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'


class _Lines(NamedTuple):
    """The points of one definition by the line that they are on."""

    name: str
    points: dict[int, list[int]]  # how often each point of a line was taken

    @property
    def lines(self) -> Share:
        return Share(sum(1 for counts in self.points.values() if any(counts)), len(self.points))

    @property
    def branches(self) -> Share:
        """The points on lines that have several: such a line is covered in part where some are missing."""
        several = [count for counts in self.points.values() if len(counts) > 1 for count in counts]
        return Share(sum(1 for count in several if count), len(several))


def cobertura(definitions: Sequence[DefinitionCoverage], source: Path, at: int, version: str) -> str:
    """The report in the format of Cobertura 4, which CI services show beside the lines of a change.

    ``source`` is the folder that the names of the files begin from, ``at`` the moment in milliseconds since the
    epoch.  A definition without a file has no lines, and is left out.
    """
    files = [_by_line(one) for one in definitions if one.lines]
    root = ET.Element("coverage", {**_rates(files), **_totals(files), "version": version, "timestamp": str(at)})
    ET.SubElement(ET.SubElement(root, "sources"), "source").text = source.as_posix()
    packages = ET.SubElement(root, "packages")
    if files:
        package = ET.SubElement(packages, "package", {"name": "statemachines", **_rates(files), "complexity": "0"})
        classes = ET.SubElement(package, "classes")
        for file in files:
            _add_class(classes, file)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{DOCTYPE}\n{text}\n'


def _by_line(covered: DefinitionCoverage) -> _Lines:
    counts = covered.counts()
    found: dict[int, list[int]] = {}
    for point in covered.points:
        found.setdefault(covered.lines.get(point.key, 1), []).append(counts[point.key])
    return _Lines(covered.name, dict(sorted(found.items())))


def _add_class(classes: ET.Element, file: _Lines) -> None:
    attributes = {"name": file.name, "filename": file.name, **_rates([file]), "complexity": "0"}
    element = ET.SubElement(classes, "class", attributes)
    ET.SubElement(element, "methods")
    lines = ET.SubElement(element, "lines")
    for number, counts in file.points.items():
        line = {"number": str(number), "hits": str(max(counts))}
        if len(counts) > 1:
            taken = sum(1 for count in counts if count)
            line["branch"] = "true"
            line["condition-coverage"] = f"{100 * taken // len(counts)}% ({taken}/{len(counts)})"
        ET.SubElement(lines, "line", line)


def _rates(files: Sequence[_Lines]) -> dict[str, str]:
    lines, branches = _together([one.lines for one in files]), _together([one.branches for one in files])
    return {"line-rate": _rate(lines), "branch-rate": _rate(branches)}


def _rate(share: Share) -> str:
    return f"{math.floor(share.percent * 100) / 10_000:g}" if share.points else "1"


def _totals(files: Sequence[_Lines]) -> dict[str, str]:
    lines, branches = _together([one.lines for one in files]), _together([one.branches for one in files])
    return {
        "lines-covered": str(lines.covered),
        "lines-valid": str(lines.points),
        "branches-covered": str(branches.covered),
        "branches-valid": str(branches.points),
        "complexity": "0",
    }


def _together(shares: Sequence[Share]) -> Share:
    return Share(sum(one.covered for one in shares), sum(one.points for one in shares))
