"""``asl coverage``: what of a definition the executions of a database, or the tests, have taken."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.output import STDOUT, err, out, pretty_json, table, write_file
from asl_engine.errors import AslError, InvalidInput
from asl_engine.language.document import load_source
from asl_engine.limits import NO_LIMITS
from asl_engine.project.definitions import read_definition
from asl_engine.project.lookup import database, opened
from asl_engine.testing.coverage import VERBS
from asl_engine.testing.coverage_data import CoverageData
from asl_engine.testing.coverage_report import cobertura, report_json, report_lines, share_of_all
from asl_engine.testing.recorded_coverage import recorded_coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.language.document import DefinitionSource
    from asl_engine.testing.coverage_data import DefinitionCoverage

__all__ = ["command", "coverage"]


def command(
    *,
    definition: Annotated[
        str | None,
        typer.Argument(metavar="[DEFINITION]", help="Of this definition only, as its file is now."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help="What tests have measured, such as .asl-coverage."),
    ] = None,
    machine: Annotated[
        str | None, typer.Option("--machine", metavar="NAME", help="Of this state machine only.")
    ] = None,
    taken_by: Annotated[
        str | None,
        typer.Option("--taken-by", metavar="PLACE", help="List the tests or executions that take this point."),
    ] = None,
    fail_under: Annotated[
        str | None,
        typer.Option("--fail-under", metavar="PERCENT", help="Exit code 1 where less is covered."),
    ] = None,
    xml: Annotated[
        str | None, typer.Option("--xml", metavar="FILE|-", help="Write Cobertura's XML, for CI services.")
    ] = None,
    html: Annotated[str | None, typer.Option("--html", metavar="FILE|-", help="Write one HTML page.")] = None,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Show which states, rules, retries and catchers were taken, and name those that never were."""
    lowest = _percent(fail_under)
    if data is not None and (db is not None or machine is not None):
        other = "--db" if db is not None else "--machine"
        raise InvalidInput(f"--data has what tests have measured: leave {other} out")
    if [xml, html, STDOUT if json else None].count(STDOUT) > 1:
        raise InvalidInput("stdout takes one report: give one of --json, --xml - and --html -")
    source = None if definition is None else read_definition(definition, local=True)
    if data is None:
        covered = asyncio.run(_recorded(database(db), source, machine))
    else:
        covered = _measured(Path(data), source)
    if taken_by is not None:
        return _tell_tests(covered, taken_by)
    return coverage(covered, lowest, xml=xml, html=html, as_json=json)


def coverage(
    covered: Sequence[DefinitionCoverage], lowest: float, *, xml: str | None, html: str | None, as_json: bool
) -> int:
    """Write the reports.  1 where less than ``lowest`` percent of the points were taken.

    Stdout has one of them: the file that is ``-``, the JSON, or the lines for people.
    """
    if xml is not None:
        from asl_engine import __version__

        write_file(xml, cobertura(covered, Path.cwd(), int(time.time() * 1000), __version__))
    if html is not None:
        from asl_engine.testing.coverage_html import html_page

        write_file(html, html_page(covered))
    if STDOUT in {xml, html}:
        pass
    elif as_json:
        out(pretty_json(report_json(covered)))
    else:
        for line in report_lines(covered):
            out(line)
    share = share_of_all(covered)
    if share.is_under(lowest):
        err(f"asl: the coverage is {share}, less than --fail-under {lowest:g}")
        return 1
    return 0


def _percent(given: str | None) -> float:
    if given is None:
        return 0.0
    try:
        percent = float(given)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise InvalidInput(f"--fail-under {given}: it is a number from 0 to 100")
    return percent


def _tell_tests(covered: Sequence[DefinitionCoverage], place: str) -> int:
    """The tests that take the points at a place.  1 where none does."""
    found = [(one, point) for one in covered for point in one.points if point.place == place]
    if not found:
        raise InvalidInput(
            f"--taken-by {place}: there is no such point{_near(covered, place)}; --json lists all places"
        )
    rows = [
        (test, VERBS[point.kind], str(count))
        for one, point in found
        for test, count in one.taken_by(point).items()
    ]
    table(("by", "what", "times"), rows)
    return 0 if rows else 1


def _near(covered: Sequence[DefinitionCoverage], place: str) -> str:
    """The points of a state within another one, which was named without that one."""
    places = dict.fromkeys(point.place for one in covered for point in one.points)
    within = [one for one in places if one.endswith(f".{place}")]
    return f"; did you mean {' or '.join(map(repr, within))}?" if within else ""


# -- from the file of the tests -----------------------------------------------------------------------


def _measured(path: Path, source: DefinitionSource | None) -> list[DefinitionCoverage]:
    data = CoverageData.read(path)
    if source is None:
        for one in data.sorted():
            _warn_of_change(one)
        return data.sorted()
    wanted = load_source(source, NO_LIMITS)
    if wanted.digest in data.definitions:
        return [data.definitions[wanted.digest]]
    names = [one.name for one in data.sorted()]
    if source.name in names:
        raise InvalidInput(f"{source.name} has changed since the tests in {path} ran: run them again")
    raise InvalidInput(f"{path} has nothing about {source.name}: it is about {', '.join(names) or 'nothing'}")


def _warn_of_change(covered: DefinitionCoverage) -> None:
    """Say so where the file of a definition is another now; values of its placeholders may be the tests' own."""
    if not covered.lines or not Path(covered.name).is_file():
        return
    try:
        changed = load_source(read_definition(covered.name, local=True), NO_LIMITS).digest != covered.digest
    except AslError:
        changed = True
    if changed:
        err(f"asl: {covered.name} has changed since its tests ran, or they fill its placeholders otherwise")


async def _recorded(db: Path, source: DefinitionSource | None, machine: str | None) -> list[DefinitionCoverage]:
    async with opened(db, reading=True) as store:
        found = await recorded_coverage(store, source, machine)
    if found.earlier:
        err(f"asl: {found.earlier} executions of earlier definitions are left out")
    return found.coverage
