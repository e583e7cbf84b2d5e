"""``asl replay --all``: a changed definition, held against all past executions of its state machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.cli.output import STDOUT, counted, err, out, pretty_json, short_name, table, write_file
from asl_engine.errors import InvalidInput
from asl_engine.lab.recalling import recall
from asl_engine.lab.reviewing import CHANGES, markdown, review
from asl_engine.project.checking import load_definition
from asl_engine.project.definitions import read_machine
from asl_engine.project.lookup import opened, project_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.lab.recalling import Recalled
    from asl_engine.lab.reviewing import Review

__all__ = ["ReviewOptions", "review_all"]


class ReviewOptions(NamedTuple):
    """What to review by: the file of the definition, whose executions and how many, and where the report goes."""

    definition: str
    machine: str | None
    limit: int
    report: str | None
    as_json: bool


def review_all(db: Path, how: ReviewOptions) -> int:
    """Write what would become of the past executions.  1 where one of them would fail, or where that is open."""
    if how.limit < 1:
        raise InvalidInput(f"--limit {how.limit}: it has to be at least 1")
    given = read_machine(how.definition, local=True)
    states = load_definition(given.source).states  # its errors are told once, not for each
    name = given.name if how.machine is None else how.machine
    ended, others = asyncio.run(_load(db, name, how.limit))
    past = [one for one in ended if not one.edited]
    left_out = len(ended) - len(past)
    if left_out:
        err(f"left out: {counted(left_out, 'fork')} with edited data")
    if not past:
        raise InvalidInput(
            f"{db} has no {'other ' if left_out else ''}ended execution of {name}{_instead(others)}"
        )
    root = str(project_of(Path(how.definition).absolute()).root)
    reviews = [review(one, how.definition, states, root) for one in past]
    if how.report is not None:
        _write(how.report, markdown(reviews, how.definition, left_out))
    if how.as_json:
        out(pretty_json([one._asdict() for one in reviews]))
    elif how.report != STDOUT:
        _tell(reviews)
    return 1 if any(one.verdict in {"FAILS", "OPEN"} for one in reviews) else 0


async def _load(db: Path, name: str, limit: int) -> tuple[list[Recalled], list[str]]:
    """The executions; where there are none, the names of the state machines that have some."""
    async with opened(db, reading=True) as store:
        records = await store.executions(name, limit=limit)
        past = [await recall(store, record) for record in records if record.status != "RUNNING"]
        others = [] if past else await store.executions(limit=limit)
        return past, sorted({record.identity.machine_name for record in others} - {name})


def _instead(machines: Sequence[str]) -> str:
    return f": name another state machine with --machine; there are {', '.join(machines)}" if machines else ""


def _write(report: str, text: str) -> None:
    write_file(report, text)
    if report != STDOUT:
        err(f"the report is in {report}")


def _tell(reviews: Sequence[Review]) -> None:
    changed = [one for one in reviews if one.verdict != "SAME" or one.more]
    for verdict, what in CHANGES.items():
        number = sum(one.verdict == verdict for one in reviews)
        if number:
            out(f"{counted(number, 'execution')} {what}")
    more = sum(one.more for one in reviews)
    if more:
        out(f"{more:+,} state transitions in all")
    if changed:
        table(("execution", "was", "change", "detail", "transitions"), [_row(one) for one in changed])


def _row(one: Review) -> tuple[str, ...]:
    taken: Any = "?" if one.would_take is None else one.would_take
    return short_name(one.name), one.status, one.verdict, one.detail, f"{one.transitions} > {taken}"
