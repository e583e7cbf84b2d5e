"""State transitions, as AWS counts them: the one place that does.

"Step Functions counts a state transition each time a step of your workflow is executed", and "each retry will be
charged as an additional state transition" (AWS Step Functions Pricing).  A redrive counts as one, too ("Redriving
executions" in the Developer Guide), and so does not what it tries again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asl_engine.core import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["StateCount", "Transitions", "transitions_in"]

# With what an attempt at the work of a state begins.
WORK = (ev.TaskScheduled, ev.TaskScheduleFailed, ev.ParallelStateStarted, ev.MapStateStarted)


@dataclass
class StateCount:
    """How often a state was entered, and its work tried again."""

    type: str
    entered: int = 0
    retried: int = 0

    @property
    def transitions(self) -> int:
        return self.entered + self.retried


@dataclass
class Transitions:
    """The transitions of one or more executions, by the name of the state in the order of the first entry."""

    by_state: dict[str, StateCount] = field(default_factory=dict)
    redrives: int = 0

    @property
    def total(self) -> int:
        return self.redrives + sum(count.transitions for count in self.by_state.values())

    def add(self, other: Transitions) -> None:
        self.redrives += other.redrives
        for name, count in other.by_state.items():
            own = self.by_state.setdefault(name, StateCount(count.type))
            own.entered += count.entered
            own.retried += count.retried


def transitions_in(events: Iterable[ev.Event]) -> Transitions:
    """Those of one execution, by its log."""
    found = Transitions()
    at: dict[int, StateCount] = {}  # the state that each frame is in
    tried: set[int] = set()  # the frames whose state has begun its work
    for event in events:
        if isinstance(event, ev.StateEntered):
            count = found.by_state.setdefault(event.name, StateCount(event.type))
            count.entered += 1
            at[event.frame] = count
            tried.discard(event.frame)
        elif isinstance(event, WORK):
            if event.frame in tried:
                at[event.frame].retried += 1
            tried.add(event.frame)
        elif isinstance(event, ev.ExecutionRedriven):
            found.redrives += 1
            tried.clear()
    return found
