"""Parity: what a test runs is run here, as a target would run it, and on the target; then the two are compared."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from asl_engine.arn import activity_arn
from asl_engine.projections.parity import first_difference
from asl_engine.testing.deployment import deployed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asl_engine.api import Prepared
    from asl_engine.testing.workflow_run import WorkflowRun

__all__ = ["REHEARSAL", "Rehearsal", "parity_problems"]


class Rehearsal:
    """A target that is this process: runs have activities where a target has them."""

    is_here = True

    def prepared(self, start: Prepared, states: Sequence[str]) -> Prepared:
        home = (start.project.region, start.project.account)
        activities = {state: activity_arn(*home, f"asl-test-{number}") for number, state in enumerate(states)}
        machine = deployed(start.machine, activities, start.how.limits)
        return start._replace(machine=machine, served=start.served._replace(activities=[*activities.values()]))


REHEARSAL = Rehearsal()


def parity_problems(here: Iterable[WorkflowRun], there: Iterable[WorkflowRun]) -> list[str]:
    """What differs, a text for each run, with the first event that is another one."""
    problems = []
    for number, (one, other) in enumerate(zip_longest(here, there), 1):
        if one is None or other is None:
            where = "on the target only" if one is None else "here only"
            problems.append(f"run {number} was started {where}")
            continue
        names = dict(zip(other.names, one.names, strict=True))
        found = first_difference(one.history, other.history, names)
        if found is not None:
            problems.append(
                f"run {number} of {one.machine_name}: {found}\n\nhere\n{one.tree}\n\nthere\n{other.tree}"
            )
    return problems
