"""The coverage report as one HTML page that needs nothing else: no script, no network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from asl_engine.graph.model import graph_of, scopes_within
from asl_engine.graph.overlay import TIMES, Mark, Overlay
from asl_engine.graph.svg import style_sheet, svg
from asl_engine.json_text import loads
from asl_engine.testing.coverage import VERBS, places_taken
from asl_engine.testing.coverage_report import share_of, share_of_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.testing.coverage import CoveragePoint
    from asl_engine.testing.coverage_data import DefinitionCoverage

__all__ = ["coverage_svg", "html_page"]

POINTS = (
    "A point is a state, the way out of it, a Choice rule, a Retry entry (attempted, exhausted), a Catch clause, "
    "the iterations of a Map, or a branch of a Parallel."
)
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 3rem; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
tr.state td { font-weight: 600; border-top: 2px solid #8884; }
tr.missing td:first-child { border-left: 4px solid #d04a35; }
tr.taken td:first-child { border-left: 4px solid #2e8540; }
tr.missing .count { color: #d04a35; font-weight: 600; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.scroll { overflow: auto; max-height: 85vh; border: 1px solid #8884; border-radius: 8px; }
.scroll svg { display: block; margin: 0 auto; }
details ul { margin: .3rem 0; padding-left: 1.2rem; }
"""


def html_page(definitions: Sequence[DefinitionCoverage]) -> str:
    """The whole page."""
    share = share_of_all(definitions)
    body = [
        f"<h1>Coverage of state machines: {share}</h1>",
        f"<p>{share.covered} of {share.points} points were taken. {POINTS}</p>",
        *(line for one in definitions for line in _section(one)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Coverage of state machines</title>\n<style>{STYLE}{style_sheet()}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _section(covered: DefinitionCoverage) -> Iterator[str]:
    share = share_of(covered)
    yield f"<h2>{escape(covered.name)}: {share}</h2>"
    yield f"<p>{share.covered} of {share.points} points, {covered.executions} executions</p>"
    yield from _graph(covered)
    yield "<table>"
    yield (
        '<thead><tr><th>point</th><th>leads to</th><th class="number">line</th>'
        '<th class="number">times</th><th>taken by</th></tr></thead>'
    )
    yield "<tbody>"
    counts = covered.counts()
    for point in covered.points:
        yield _row(covered, point, counts[point.key])
    yield "</tbody>"
    yield "</table>"


def _graph(covered: DefinitionCoverage) -> Iterator[str]:
    """The graph; nothing where the definition is not known any more."""
    drawn = coverage_svg(covered)
    if drawn is None:
        return
    yield f'<div class="scroll on-canvas" tabindex="0" role="region" aria-label="Graph of {escape(covered.name)}">'
    yield drawn
    yield "</div>"


def coverage_svg(covered: DefinitionCoverage) -> str | None:
    """The graph with how often each state and edge was taken; None where the definition is not known any more."""
    if covered.text is None:
        return None
    graph = graph_of(loads(covered.text))
    counts = places_taken(covered.counts())
    counts[graph.location] = covered.executions
    marks = {
        node.location: Mark("succeeded", f"{TIMES} {counts[node.location]:,}")
        for scope in scopes_within(graph)
        for node in scope.nodes
        if counts.get(node.location)
    }
    overlay = Overlay(f"{share_of(covered)} covered", marks, counts, shows_zero=True)
    return svg(graph, covered.name, overlay, styled=False)


def _row(covered: DefinitionCoverage, point: CoveragePoint, count: int) -> str:
    line = covered.lines.get(point.key, "")
    times = f"{VERBS[point.kind]} {count}" if count else f"never {VERBS[point.kind]}"
    kinds = f"{'taken' if count else 'missing'}{' state' if point.kind == 'state' else ''}"
    return (
        f'<tr class="{kinds}"><td><code>{escape(point.place)}</code></td>'
        f'<td>{escape(point.target or "")}</td><td class="number">{line}</td>'
        f'<td class="number count">{times}</td><td>{_tests(covered, point)}</td></tr>'
    )


def _tests(covered: DefinitionCoverage, point: CoveragePoint) -> str:
    tests = covered.taken_by(point)
    if not tests:
        return ""
    items = "".join(f"<li><code>{escape(test)}</code> ({count})</li>" for test, count in tests.items())
    return f"<details><summary>{len(tests)}</summary><ul>{items}</ul></details>"
