"""An execution as a tree of states: what each one took, how often it was tried, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.arn import Arn
from asl_engine.graph.overlay import SIGNS
from asl_engine.graph.pieces import STYLES, Piece
from asl_engine.graph.text import columns, visible
from asl_engine.projections.moments import seconds, utc
from asl_engine.views.account import standing
from asl_engine.views.rows import (
    WHOLE_CAUSE,
    attempts_text,
    called,
    error_text,
    folded,
    visit_took,
)
from asl_engine.visits.outline import lane_title, outline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.graph.overlay import Standing
    from asl_engine.graph.pieces import Row
    from asl_engine.views.account import Account
    from asl_engine.visits.reading import Attempt, Lane, Visit

__all__ = ["STATUS_STYLES", "forked_from", "title_row", "tree"]

STATUS_STYLES: Final = {
    "SUCCEEDED": "green",
    "FAILED": "red",
    "TIMED_OUT": "red",
    "ABORTED": "yellow",
    "RUNNING": "cyan",
}
MAX_ALIGNED: Final = 56  # columns: what begins further to the right is not aligned


def title_row(account: Account) -> Row:
    """``order  my-order  SUCCEEDED in 14.0 s``"""
    who, status = account.execution.identity, account.execution.status
    word = "for" if status == "RUNNING" else "in"
    row = [
        Piece(f"{visible(who.machine_name)}  {visible(who.name)}  "),
        Piece(status, f"bold {STATUS_STYLES[status]}"),
        Piece(f" {word} {seconds(account.took)}"),
    ]
    if forked := forked_from(account):
        row.append(Piece(visible(forked)))
    times = account.redrives
    return [*row, Piece(f", redriven{f' {times} times' if times > 1 else ''}")] if times else row


def forked_from(account: Account) -> str:
    """``, forked from my-order after 3.20 s``; "" where it is no fork."""
    fork = account.fork
    if fork is None:
        return ""
    after = account.between(account.path_began, fork.begin)
    return f", forked from {Arn.of(fork.origin).qualifier} after {seconds(after)}"


def tree(account: Account) -> Iterator[Row]:
    """The title, and a line for each state, each attempt that failed, each branch and iteration."""
    lines = [*_lines(account)]
    width = min(MAX_ALIGNED, max((columns(_plain(left)) for left, right in lines if right), default=0))
    took = max((columns(right[0].text) for _, right in lines if right), default=0)
    yield title_row(account)
    for left, right in lines:
        if right:
            gap = max(0, width - columns(_plain(left))) + 2 + took - columns(right[0].text)
            yield [*left, Piece(" " * gap), *right]
        else:
            yield left
    ending = error_text(account.execution.error, account.execution.cause, WHOLE_CAUSE)
    if ending:
        yield [Piece(ending, STATUS_STYLES[account.execution.status])]


def _plain(row: Row) -> str:
    return "".join(piece.text for piece in row)


def _lines(account: Account) -> Iterator[tuple[Row, Row]]:
    """The left and the right part of each line; the right one begins with a duration."""
    for line in outline(account.visits, folded):
        if line.visit is not None:
            yield _state(account, line.rails, line.visit)
            yield from _attempts(account, line.visit, line.inner)
        elif line.lane is not None:
            yield [Piece(f"{line.rails}{lane_title(line.lane)}", "dim")], _lane_told(account, line.lane)
        else:
            yield [Piece(f"{line.rails}{line.rest}", "dim")], []


def _state(account: Account, rails: str, visit: Visit) -> tuple[Row, Row]:
    known = standing(visit, is_over=account.is_over)
    left = [
        Piece(rails, "dim"),
        Piece(f"{SIGNS[known]} ", STYLES[known]),
        Piece(visible(visit.name), "bold" if known in {"failed", "running"} else ""),
    ]
    return left, _told(account, visit, known)


def _told(account: Account, visit: Visit, known: Standing) -> Row:
    """How long it took, and what is worth telling."""
    row = [Piece(seconds(visit_took(visit, account)))]
    if attempts_text(visit):
        row.append(Piece(f"  {attempts_text(visit)}", "yellow"))
    if known == "caught":
        row.append(Piece(f"  {visible(visit.caught or '')} caught, on to {visible(visit.next or '')}", "yellow"))
    elif known == "running" and visit.due is not None:
        waits = "retried at" if visit.attempts else "waits until"
        row.append(Piece(f"  {waits} {utc(visit.due)} UTC", "cyan"))
    elif known in {"running", "aborted"}:
        row.append(Piece(f"  {known}", STYLES[known]))
    return row


def _attempts(account: Account, visit: Visit, indent: str) -> Iterator[tuple[Row, Row]]:
    """The attempts, where one failed."""
    if not any(attempt.failed for attempt in visit.attempts):
        return
    for number, attempt in enumerate(visit.attempts):
        later = visit.attempts[number + 1] if number + 1 < len(visit.attempts) else None
        alone = len(visit.attempts) == 1
        title = "" if alone else f"attempt {number + 1} "
        if attempt.failed:
            text = f"{title}{error_text(attempt.error, attempt.cause)}{_again(account, attempt, later)}"
            yield [Piece(f"{indent}   ", "dim"), Piece(text, "red")], []
        else:
            yield [Piece(f"{indent}   ", "dim"), Piece(f"{title}{_fared(attempt)}".strip(), "dim")], []


def _again(account: Account, attempt: Attempt, later: Attempt | None) -> str:
    """What led to the next attempt."""
    if later is None:
        return ""
    for pause in account.pauses:
        if attempt.scheduled <= pause.begin and pause.end <= later.scheduled:
            return ", then forked" if pause.origin else ", then redriven"
    return f", tried again after {seconds(later.delay)}"


def _fared(attempt: Attempt) -> str:
    work = f"{called(attempt)} " if called(attempt) else ""
    if attempt.ended is None:
        return f"{work}is under way"
    return f"{work}took {seconds(attempt.ended - attempt.scheduled)}"


def _lane_told(account: Account, lane: Lane) -> Row:
    took = Piece(seconds(account.between(lane.started, lane.ended)), "dim")
    if lane.status == "SUCCEEDED":
        return [took]
    told = lane.status.lower().replace("_", " ")
    if not lane.visits and lane.error is not None:  # only its beginning and its end were kept
        told = f"{told} with {error_text(lane.error, lane.cause)}"
    return [took, Piece(f"  {told}", STATUS_STYLES[lane.status])]
