"""An execution as one HTML page that needs nothing else: graph, timeline, and the data of each state.

The page has no script, loads nothing, and may not: its content security policy says so to the browser.  Whatever
comes from a definition or an execution is text.  Secrets are left out by rule.  A long history is folded: of a
state that was entered often, the first visits and those that failed are shown.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asl_engine.graph.overlay import SIGNS
from asl_engine.graph.svg import style_sheet, svg
from asl_engine.graph.text import visible
from asl_engine.projections.causes import readable_cause
from asl_engine.projections.moments import seconds, utc
from asl_engine.views.account import standing
from asl_engine.views.marks import execution_graph, execution_overlay, recorded_machine, uncounted_children
from asl_engine.views.rows import attempts_text, called, visit_took
from asl_engine.views.timeline import Scale, shortened, timeline_rows
from asl_engine.views.tree import forked_from
from asl_engine.visits.outline import lane_title
from asl_engine.visits.reading import all_visits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.payload import Payload
    from asl_engine.views.account import Account
    from asl_engine.views.redaction import Redaction
    from asl_engine.views.timeline import Bar, TimelineRow
    from asl_engine.visits.reading import Attempt, Visit

__all__ = ["page"]

MAX_TEXT: Final = 6_000  # characters of an input, an output or a cause
MAX_DATA: Final = 6_000_000  # characters of them all together: a page that can go on a ticket
FEW_VISITS: Final = 25  # of a state, and as many more that failed
MAX_ROWS: Final = 600  # of the timeline
MAX_DEPTH: Final = 5
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
PATTERNS: Final = """<svg width="0" height="0" aria-hidden="true"><defs>
<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<path d="M0,0 V6"/></pattern>
<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse"><circle cx="3" cy="3" r="1.6"/></pattern>
</defs></svg>"""
MEANINGS: Final = (("work", "work"), ("failed", "failed"), ("backoff", "back-off"), ("waiting", "waiting"))


def page(account: Account, redaction: Redaction, version: str) -> str:
    """The whole page.  ``version`` is that of the program."""
    writing = _Page(account, redaction)
    body = [*writing.body()]
    who = account.execution.identity
    title = f"{who.machine_name} {who.name} {account.execution.status}"
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{_text(redaction.text(title))}</title>",
            f"<style>{style}{style_sheet()}</style>",
            "</head>",
            "<body>",
            *body,
            f"<footer>Made by asl-engine {_text(version)}. {_hidden(redaction.hidden)} Times are in UTC.</footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _hidden(count: int) -> str:
    if not count:
        return "Nothing was redacted."
    return f"{count:,} {'value was' if count == 1 else 'values were'} redacted."


class _Page:
    """What the parts of a page share: the account, how many characters of data are left, the states' anchors."""

    def __init__(self, account: Account, redaction: Redaction) -> None:
        self.account = account
        self.redaction = redaction
        self.left = MAX_DATA
        self.shown: dict[str, str] = {}  # data by its text: a payload passes through many states unchanged
        self.visits: dict[str, list[Visit]] = {}
        for visit in all_visits(account.visits):
            self.visits.setdefault(visit.name, []).append(visit)
        self.anchors = {name: f"state-{number}" for number, name in enumerate(self.visits)}

    def body(self) -> Iterator[str]:
        yield PATTERNS
        yield from self.head()
        yield "<main>"
        yield from self.graph()
        yield from self.timeline()
        yield from self.data()
        yield "</main>"

    # -- what it was --------------------------------------------------------------------------------

    def head(self) -> Iterator[str]:
        execution, who = self.account.execution, self.account.execution.identity
        status = execution.status
        yield f"<header><h1>{self.bdi(who.machine_name)} · {self.bdi(who.name)}</h1>"
        word = "for" if status == "RUNNING" else "in"
        times = self.account.redrives
        counted = "once" if times == 1 else f"{times} times"
        redriven = f", redriven {counted}" if times else ""
        yield (
            f'<p><span class="status {status.lower()}">{status}</span> {word} {seconds(self.account.took)}'
            f"{self.bdi(forked_from(self.account))}{redriven}</p>"
        )
        stopped = None if execution.stopped_at is None else utc(execution.stopped_at)
        facts = [
            ("ARN", self.redaction.text(who.arn)),
            ("started", utc(who.started_at)),
            ("stopped", stopped),
            ("history", f"{execution.history_length:,} events"),
            ("error", execution.error and self.redaction.text(execution.error)),
        ]
        yield '<dl class="facts">'
        for name, text in facts:
            if text:
                yield f"<dt>{name}</dt><dd>{_text(text)}</dd>"
        yield "</dl>"
        yield from self.cause(execution.cause)
        yield from self.payload("input", execution.input)
        yield from self.payload("output", execution.output)
        yield "</header>"

    def bdi(self, name: str) -> str:
        return f"<bdi>{_text(self.redaction.text(name))}</bdi>"

    # -- graph --------------------------------------------------------------------------------------

    def graph(self) -> Iterator[str]:
        machine = recorded_machine(self.account)
        graph = execution_graph(self.account, machine)
        overlay = execution_overlay(self.account, graph, machine)
        links = {name: f"#{anchor}" for name, anchor in self.anchors.items()}
        picture = svg(graph, self.account.execution.identity.machine_name, overlay, styled=False, links=links)
        yield '<h2>Graph</h2><div class="scroll" tabindex="0" role="region" aria-label="Graph">'
        yield picture
        yield "</div>"
        if overlay.uncounted:
            yield f'<p class="quiet">Not counted: {overlay.uncounted:,} of which only the ends were kept.</p>'
        for name, left in uncounted_children(self.account).items():
            yield f'<p class="quiet">Not counted: {left:,} more children of <bdi>{_text(name)}</bdi>.</p>'

    # -- timeline -----------------------------------------------------------------------------------

    def timeline(self) -> Iterator[str]:
        rows, scale = shortened(timeline_rows(self.account), MAX_ROWS), Scale(self.account)
        yield '<h2>Timeline</h2><p class="legend">'
        used = {bar.kind for row in rows for bar in row.bars}
        for kind, meaning in MEANINGS:
            if kind in used:
                yield (
                    '<svg aria-hidden="true" viewBox="0 0 22 11">'
                    f'<rect class="bar {kind}" width="22" height="11"/></svg>{meaning}'
                )
        yield "</p>"
        axis = f'<th class="axis">0<span>{seconds(scale.length)}</span></th>'
        yield '<table class="timeline"><thead><tr><th class="title">state</th>'
        yield f'{axis}<th class="took">took</th></tr></thead><tbody>'
        for row in rows:
            yield self.row(row, scale)
        yield "</tbody></table>"

    def row(self, row: TimelineRow, scale: Scale) -> str:
        took = seconds(self.account.between(row.begin, row.end))
        title = f"<bdi>{_text(row.title)}</bdi>"
        if row.visit is not None:
            title = f'<a href="#{self.anchors[row.visit.name]}">{title}</a>'
        told = ""
        if row.standing is not None:
            note = f" {_text(self.redaction.text(row.note))}" if row.note else ""
            told = f'<span class="told {row.standing}">{SIGNS[row.standing]}</span> '
            title += f' <span class="told {row.standing}">{note}</span>' if note else ""
        bars = "".join(_bar(bar, scale) for bar in row.bars)
        return (
            f'<tr><td class="title depth-{min(row.depth, MAX_DEPTH)}">{told}{title}</td>'
            f'<td><svg aria-hidden="true">{bars}</svg></td><td class="took">{took}</td></tr>'
        )

    # -- data ---------------------------------------------------------------------------------------

    def data(self) -> Iterator[str]:
        yield "<h2>States</h2>"
        for name, visits in self.visits.items():
            yield f'<section class="state" id="{self.anchors[name]}">'
            yield f'<h3><bdi>{_text(name)}</bdi> <span class="quiet">{_text(visits[0].type)}</span></h3>'
            shown = self._chosen(visits)
            for number, visit in shown:
                yield from self.visit(visit, number, len(visits))
            if len(shown) < len(visits):
                left = len(visits) - len(shown)
                yield f'<p class="quiet">{left:,} of its {len(visits):,} visits are left out.</p>'
            yield "</section>"

    def _chosen(self, visits: list[Visit]) -> list[tuple[int, Visit]]:
        """The first ones, and those that failed, with their numbers."""
        numbered = [*enumerate(visits, 1)]
        failed = [
            one for one in numbered[FEW_VISITS:] if self._standing(one[1]) in {"failed", "caught", "running"}
        ]
        return [*numbered[:FEW_VISITS], *failed[:FEW_VISITS]]

    def _standing(self, visit: Visit) -> str:
        return standing(visit, is_over=self.account.is_over)

    def visit(self, visit: Visit, number: int, of: int) -> Iterator[str]:
        known = standing(visit, is_over=self.account.is_over)
        count = f"visit {number:,} of {of:,}: " if of > 1 else ""
        facts = [f"{SIGNS[known]} {known}", seconds(visit_took(visit, self.account)), attempts_text(visit)]
        opened = " open" if known == "failed" and number <= FEW_VISITS else ""
        yield f"<details{opened}><summary>{count}"
        told = _text(" · ".join(fact for fact in facts if fact))
        yield f'<span class="told {known}">{told}</span></summary><div>'
        yield f'<p class="quiet">entered {utc(visit.entered)}{self._way_on(visit)}</p>'
        yield from self.payload("input", visit.given)
        for index, attempt in enumerate(visit.attempts):
            yield from self.attempt(attempt, index, len(visit.attempts))
        yield from self.payload("output", visit.result)
        if visit.lanes:
            lanes = ", ".join(lane_title(lane) for lane in visit.lanes[:FEW_VISITS])
            more = f" and {len(visit.lanes) - FEW_VISITS:,} more" if len(visit.lanes) > FEW_VISITS else ""
            yield f'<p class="quiet">{_text(lanes)}{more}</p>'
        yield "</div></details>"

    def _way_on(self, visit: Visit) -> str:
        left = "" if visit.ended is None else f", left {utc(visit.ended)}"
        if visit.next is None:
            return left
        target, anchor = f"<bdi>{_text(visit.next)}</bdi>", self.anchors.get(visit.next)
        if anchor is not None:
            target = f'<a href="#{anchor}">{target}</a>'
        return f"{left}, on to {target}"

    def attempt(self, attempt: Attempt, index: int, of: int) -> Iterator[str]:
        """What was called, and what went wrong."""
        if of == 1 and not attempt.failed and attempt.parameters is None:
            return
        over = "under way" if attempt.ended is None else seconds(attempt.ended - attempt.scheduled)
        delay = f", after {seconds(attempt.delay)}" if attempt.delay else ""
        yield f"<h4>attempt {index + 1}: {_text(called(attempt))} {over}{delay}</h4>"
        if attempt.parameters is not None and (index == 0 or attempt.failed):
            yield from self.payload("called with", attempt.parameters)
        if attempt.failed:
            error = _text(self.redaction.text(attempt.error or "failed"))
            yield f'<p class="told failed">{SIGNS["failed"]} {error}</p>'
            yield from self.cause(attempt.cause)

    def cause(self, cause: str | None) -> Iterator[str]:
        told = readable_cause(cause)
        if told:
            yield from self._pre("cause", self.redaction.text(told))

    def payload(self, title: str, payload: Payload | None) -> Iterator[str]:
        if payload is None:
            return
        text = payload.text
        if text not in self.shown:
            self.shown[text] = self.redaction.json(text)
        yield from self._pre(title, self.shown[text])

    def _pre(self, title: str, text: str) -> Iterator[str]:
        yield f"<h4>{title}</h4>"
        room = min(MAX_TEXT, self.left)
        kept = text if len(text) <= room else text[:room]
        self.left -= len(kept)
        if kept:
            yield f'<pre dir="auto">{_text(kept)}</pre>'
        if len(kept) < len(text):
            yield f'<p class="quiet">cut: {len(text):,} characters in all</p>'


def _bar(bar: Bar, scale: Scale) -> str:
    begin, end = scale.at(bar.begin) * 100, scale.at(bar.end) * 100
    width = max(0.3, end - begin)
    thin = bar.kind == "inner"
    place = f'y="{5 if thin else 1}" height="{3 if thin else 12}"'
    return f'<rect class="bar {bar.kind}" x="{min(begin, 99.7):.2f}%" width="{width:.2f}%" {place}/>'


def _text(text: str) -> str:
    """A text that no browser takes for anything else; lines stay lines."""
    return "\n".join(escape(visible(line)) for line in text.split("\n"))
