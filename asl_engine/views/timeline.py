"""An execution as a waterfall: a row for each state, with its attempts as bars over the time they took.

The time between an unsuccessful end and the redrive is cut out, and that before a fork: nothing happened in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from asl_engine.arn import is_activity
from asl_engine.graph.overlay import SIGNS
from asl_engine.graph.pieces import STYLES, Piece
from asl_engine.graph.text import columns, cut_columns, visible
from asl_engine.projections.moments import iso, seconds
from asl_engine.views.account import standing
from asl_engine.views.rows import WHOLE_CAUSE, error_text, folded
from asl_engine.views.tree import STATUS_STYLES, title_row
from asl_engine.visits.outline import lane_title, named_rest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.graph.overlay import Standing
    from asl_engine.graph.pieces import Row
    from asl_engine.views.account import Account
    from asl_engine.visits.reading import Attempt, Lane, Visit

__all__ = ["Bar", "Scale", "TimelineRow", "shortened", "timeline", "timeline_json", "timeline_rows"]

BarKind: TypeAlias = Literal["work", "failed", "backoff", "waiting", "inner"]
LOOKS: Final[dict[BarKind, tuple[str, str]]] = {
    "work": ("█", "green"),
    "failed": ("▒", "red"),
    "backoff": ("/", "yellow"),
    "waiting": ("·", "cyan"),
    "inner": ("─", "dim"),
}
MEANINGS: Final = {"work": "work", "failed": "failed", "backoff": "back-off", "waiting": "waiting"}
NAMES_SHARE: Final = 0.38  # of the width, at most
MAX_ROWS: Final = 500  # in a terminal
MIN_BARS: Final = 12
MIN_NAMES: Final = 8


class Bar(NamedTuple):
    """A stretch of time: moments in milliseconds since the epoch."""

    kind: BarKind
    begin: int
    end: int


class TimelineRow(NamedTuple):
    """A state, or a lane of one, or, without a ``visit``, what is folded.  ``note`` says what no bar shows."""

    depth: int
    title: str
    standing: Standing | None
    bars: list[Bar]
    begin: int
    end: int
    note: str = ""
    visit: Visit | None = None


class Scale:
    """Where a moment is on an axis from 0 to 1, from which the pauses are cut out."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.length = max(1, account.path_took)

    def at(self, moment: int) -> float:
        return min(1.0, self._account.between(self._account.path_began, moment) / self.length)


def timeline_rows(account: Account) -> list[TimelineRow]:
    """All rows, in the order of the tree of states."""
    return [*_rows(account, account.visits, 0)]


def shortened(rows: list[TimelineRow], most: int) -> list[TimelineRow]:
    """The first and the last of the rows, so many in all, and between them one for all others."""
    if len(rows) <= most:
        return rows
    half = most // 2
    left = rows[half:-half]
    begin, end = min(row.begin for row in left), max(row.end for row in left)
    rest = TimelineRow(0, f"… {len(left):,} more rows", None, [Bar("inner", begin, end)], begin, end)
    return [*rows[:half], rest, *rows[-half:]]


def _rows(account: Account, visits: list[Visit], depth: int) -> Iterator[TimelineRow]:
    for visit in visits:
        known = standing(visit, is_over=account.is_over)
        end = account.until if visit.ended is None else visit.ended
        failure = visit.failure
        note = visit.caught or (error_text(failure.error, None) if failure is not None else "")
        bars = [*_bars(visit, end)]
        yield TimelineRow(depth, visible(visit.name), known, bars, visit.entered, end, visible(note), visit)
        yield from _lanes(account, visit, depth + 1)


def _lanes(account: Account, visit: Visit, depth: int) -> Iterator[TimelineRow]:
    shown, left = folded(visit.lanes)
    for lane in shown:
        end = account.until if lane.ended is None else lane.ended
        yield TimelineRow(depth, lane_title(lane), None, [Bar("inner", lane.started, end)], lane.started, end)
        yield from _rows(account, lane.visits, depth + 1)
    rest = named_rest(left, visit.unread)
    if rest:
        begin, end = _extent(account, visit, left)
        yield TimelineRow(depth, f"… {rest}", None, [Bar("inner", begin, end)] if left else [], begin, end)


def _extent(account: Account, visit: Visit, lanes: list[Lane]) -> tuple[int, int]:
    if not lanes:
        return visit.entered, account.until if visit.ended is None else visit.ended
    ends = [account.until if lane.ended is None else lane.ended for lane in lanes]
    return min(lane.started for lane in lanes), max(ends)


def _bars(visit: Visit, end: int) -> Iterator[Bar]:
    """What the state did, from its entry to its end."""
    if visit.type == "Wait":
        yield Bar("waiting", visit.entered, end)
        return
    if not visit.attempts:
        yield Bar("work", visit.entered, end)
        return
    before: Attempt | None = None
    for attempt in visit.attempts:
        if before is not None and before.ended is not None and attempt.delay:
            yield Bar("backoff", before.ended, attempt.scheduled)
        yield from _of_attempt(attempt, end, has_lanes=bool(visit.lanes or visit.unread))
        before = attempt
    if visit.due is not None and before is not None and before.ended is not None:
        yield Bar("backoff", before.ended, end)


def _of_attempt(attempt: Attempt, end: int, *, has_lanes: bool) -> Iterator[Bar]:
    begin, over = attempt.scheduled, end if attempt.ended is None else attempt.ended
    if attempt.resource is not None and is_activity(attempt.resource):
        taken = over if attempt.started is None else attempt.started
        yield Bar("waiting", begin, taken)
        begin = taken
        if attempt.started is None:
            return
    if attempt.submitted is not None:
        yield Bar("work", begin, attempt.submitted)
        if not attempt.failed:
            yield Bar("waiting", attempt.submitted, over)
            return
        yield Bar("waiting", attempt.submitted, over)
        begin = over
    if attempt.failed:
        if has_lanes:
            yield Bar("inner", begin, over)
            begin = over
        yield Bar("failed", begin, over)
    else:
        yield Bar("inner" if has_lanes else "work", begin, over)


# -- in a terminal ------------------------------------------------------------------------------------


def timeline(account: Account, width: int) -> Iterator[Row]:
    """The waterfall in ``width`` columns."""
    rows, scale = shortened(timeline_rows(account), MAX_ROWS), Scale(account)
    took = [_took(row, account) for row in rows]
    last = max((columns(text) for text in took), default=0)
    titles = [f"{'  ' * row.depth}{SIGNS[row.standing] + ' ' if row.standing else ''}{row.title}" for row in rows]
    room = max(MIN_NAMES, min(int(width * NAMES_SHARE), width - last - 4 - MIN_BARS))
    names = min(max((columns(title) for title in titles), default=0), room)
    bars = max(MIN_BARS, width - names - last - 4)
    yield title_row(account)
    yield [Piece(" " * (names + 2)), Piece(_axis(scale, bars), "dim")]
    for row, title, text in zip(rows, titles, took, strict=True):
        name = cut_columns(title, names)
        style = STYLES[row.standing] if row.standing in {"failed", "caught", "aborted"} else ""
        gap = " " * (names - columns(name) + 2)
        yield [
            Piece(name, style or ("" if row.visit else "dim")),
            Piece(gap),
            *_drawn(row, scale, bars),
            Piece(f"  {text}"),
        ]
    yield [Piece(" " * (names + 2)), *_legend(rows)]
    ending = error_text(account.execution.error, account.execution.cause, WHOLE_CAUSE)
    if ending:
        yield [Piece(ending, STATUS_STYLES[account.execution.status])]


def _took(row: TimelineRow, account: Account) -> str:
    return seconds(account.between(row.begin, row.end))


def _axis(scale: Scale, width: int) -> str:
    """Durations at even distances, as many as have room."""
    last = seconds(scale.length)
    steps = max(1, min(4, width // (len(last) + 8)))
    line = [" "] * width
    line[0] = "0"
    line[max(2, width - len(last)) :] = last
    for step in range(1, steps):
        text, at = seconds(scale.length * step / steps), round(width * step / steps)
        if at + len(text) < width - len(last) - 1:
            line[at : at + len(text)] = text
    return "".join(line)


def _drawn(row: TimelineRow, scale: Scale, width: int) -> Row:
    """One cell at least for each bar; what failed is not painted over."""
    cells: list[tuple[str, str]] = [(" ", "")] * width
    for bar in sorted(row.bars, key=lambda bar: bar.kind == "failed"):
        begin = min(width - 1, int(scale.at(bar.begin) * width))
        end = max(begin + 1, min(width, round(scale.at(bar.end) * width)))
        if bar.begin == bar.end and bar.kind in {"waiting", "backoff", "inner"}:
            continue
        cells[begin:end] = [LOOKS[bar.kind]] * (end - begin)
    pieces: Row = []
    for text, style in cells:
        if pieces and pieces[-1].style == style:
            pieces[-1] = Piece(pieces[-1].text + text, style)
        else:
            pieces.append(Piece(text, style))
    return pieces


def _legend(rows: list[TimelineRow]) -> Row:
    used = {bar.kind for row in rows for bar in row.bars}
    pieces: Row = []
    for kind, meaning in MEANINGS.items():
        if kind in used:
            character, style = LOOKS[kind]
            pieces += [Piece(character * 2, style), Piece(f" {meaning}  ", "dim")]
    return pieces


# -- for programs -------------------------------------------------------------------------------------


def timeline_json(account: Account) -> dict[str, Any]:
    """The rows with their moments; those that are folded are counted."""
    execution = account.execution
    return {
        "executionArn": execution.identity.arn,
        "status": execution.status,
        "startDate": iso(account.began),
        "stopDate": iso(account.until) if account.is_over else None,
        "tookMilliseconds": account.took,
        "pauses": [{"from": iso(pause.begin), "to": iso(pause.end)} for pause in account.pauses],
        "rows": [_row_json(row) for row in timeline_rows(account)],
    }


def _row_json(row: TimelineRow) -> dict[str, Any]:
    visit = row.visit
    return {
        "depth": row.depth,
        "title": row.title if visit is None else visit.name,
        "state": None if visit is None else visit.name,
        "type": None if visit is None else visit.type,
        "standing": row.standing,
        "from": iso(row.begin),
        "to": iso(row.end),
        "error": row.note or None,
        "attempts": 0 if visit is None else len(visit.attempts),
        "bars": [{"kind": bar.kind, "from": iso(bar.begin), "to": iso(bar.end)} for bar in row.bars],
    }
