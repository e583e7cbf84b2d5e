"""Review a change of a definition by past executions: each is run again, with the answers that its tasks gave.

So a change shows before it is deployed: which executions would take another path, fail, give another output or
cost other transitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from asl_engine.core import events as ev
from asl_engine.costing.report import cell
from asl_engine.costing.transitions import transitions_in
from asl_engine.errors import AslError
from asl_engine.lab.chance import without_chance
from asl_engine.projections.moments import iso
from asl_engine.testing.differences import differences
from asl_engine.testing.recordings import answers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from asl_engine.lab.recalling import Recalled
    from asl_engine.testing.workflow_run import WorkflowRun

__all__ = ["CHANGES", "Review", "Verdict", "markdown", "review"]

Verdict: TypeAlias = Literal["SAME", "FAILS", "MENDED", "PATH", "OUTPUT", "OPEN"]
CHANGES: dict[Verdict, str] = {
    "FAILS": "would fail",
    "PATH": "would take another path",
    "OUTPUT": "would give another output",
    "OPEN": "would call what was not called",
    "MENDED": "would succeed instead of failing",
    "SAME": "would end as before",
}


class Review(NamedTuple):
    """An execution, and what would become of it.

    ``transitions`` are those that it took, those of retries and of the Standard children of its Map Runs included;
    ``would_take`` those that it would take, None where that is open.
    """

    name: str
    status: str
    verdict: Verdict
    detail: str
    transitions: int
    would_take: int | None

    @property
    def more(self) -> int:
        """How many transitions more it would take."""
        return 0 if self.would_take is None else self.would_take - self.transitions


def review(past: Recalled, definition: str, states: Container[str], project: str) -> Review:
    """What would become of an execution by the definition in a file, which has ``states``.

    It calls nothing outside.
    """
    from asl_engine.testing import Workflow
    from asl_engine.testing.workflow_run import StillWaiting

    execution, name = past.execution, past.record.identity.name
    took = past.transitions

    def run_again() -> WorkflowRun:
        workflow = Workflow(
            definition,
            {**answers_of(call for call in past.calls if call.state in states)},
            project=project,
            now=iso(execution.identity.started_at),
            validation="NONE",
            aws_limits=past.record.options.limits._asdict(),
        )
        with workflow:
            return workflow.run(past.input)

    try:
        run = run_again()
        verdict, detail = _verdict(past, run, run_again)
    except (StillWaiting, AslError) as error:
        first = str(error).splitlines()[0]
        return Review(name, execution.status, "OPEN", first, took, None)
    own, *others = run.logs
    counted = [
        own,
        *(log for log in others if log.identity.map_run is not None and log.identity.type == "STANDARD"),
    ]
    would_take = sum(transitions_in(log.events).total for log in counted)
    return Review(name, execution.status, verdict, detail, took, would_take)


def path_in(events: Iterable[ev.Event]) -> list[str]:
    """The machine's own states, in the order in which they were entered."""
    return [event.name for event in events if isinstance(event, ev.StateEntered) and event.frame == 0]


def _verdict(past: Recalled, run: WorkflowRun, run_again: Callable[[], WorkflowRun]) -> tuple[Verdict, str]:
    execution, path = past.execution, path_in(past.events)
    if run.status != execution.status:
        told = f"{run.status}{f' with {run.error}' if run.error else ''}"
        return ("MENDED" if run.status == "SUCCEEDED" else "FAILS"), told
    if run.path != path:
        return "PATH", _parting(path, run.path)
    if execution.status != "SUCCEEDED":
        same = run.error == execution.error
        return ("SAME", "") if same else ("FAILS", f"with {run.error} instead of {execution.error}")
    other = differences(past.output, run.output)
    if other:  # of chance, perhaps: another run tells
        other = differences(without_chance(past.output, run.output, run_again().output), run.output)
    return ("OUTPUT", other[0]) if other else ("SAME", "")


def _parting(before: Sequence[str], now: Sequence[str]) -> str:
    """Where two paths part."""
    same = 0
    while same < min(len(before), len(now)) and before[same] == now[same]:
        same += 1
    place = f"after {before[same - 1]}" if same else "at the beginning"
    there, here = (path[same] if same < len(path) else "the end" for path in (before, now))
    return f"{place}: {here} instead of {there}"


def markdown(reviews: Sequence[Review], definition: str, left_out: int = 0) -> str:
    """A report for a pull request.  ``left_out`` is how many forks with edited data were not looked at."""
    counted = {verdict: sum(one.verdict == verdict for one in reviews) for verdict in CHANGES}
    number = f"{len(reviews)} past execution{'' if len(reviews) == 1 else 's'}"
    lines = [f"### {definition}, by {number}", "", "| | executions |", "|---|---|"]
    lines += [f"| {what} | {counted[verdict]} |" for verdict, what in CHANGES.items() if counted[verdict]]
    more = sum(one.more for one in reviews)
    lines += ["", f"State transitions: {more:+,} in all."]
    if left_out:
        lines += ["", f"Forks with edited data, left out: {left_out}."]
    changed = [one for one in reviews if one.verdict != "SAME" or one.more]
    if changed:
        lines += ["", "| execution | was | what changes | transitions |", "|---|---|---|---|"]
        lines += [
            f"| {cell(one.name)} | {one.status} | {CHANGES[one.verdict]}: {cell(one.detail)} | {_taken(one)} |"
            for one in changed
        ]
    return "\n".join(lines) + "\n"


def _taken(one: Review) -> str:
    return f"{one.transitions} → {'?' if one.would_take is None else one.would_take}"
