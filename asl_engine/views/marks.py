"""What an execution made of the states and edges of its definition: the overlay for its graph."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from asl_engine.graph.model import child_graph, scopes_within
from asl_engine.graph.overlay import Mark, Overlay
from asl_engine.json_text import loads
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.states.distributed_map import DistributedMap
from asl_engine.testing.coverage import NotOfDefinition, places_taken, points_taken
from asl_engine.views.account import standing
from asl_engine.views.rows import mark_text
from asl_engine.visits.reading import all_visits

if TYPE_CHECKING:
    from asl_engine.core.machine import StateMachine
    from asl_engine.graph.model import GraphScope
    from asl_engine.graph.overlay import Standing
    from asl_engine.views.account import Account
    from asl_engine.visits.reading import Visit

__all__ = ["execution_graph", "execution_overlay", "recorded_machine", "uncounted_children"]

# Of several visits of a state, the one that tells most.
WEIGHT: Final[dict[Standing, int]] = {
    "failed": 5,
    "running": 4,
    "caught": 3,
    "aborted": 2,
    "succeeded": 1,
    "not-reached": 0,
}


def execution_graph(account: Account, machine: StateMachine) -> GraphScope:
    """The graph of what the execution runs."""
    labels = {name: one.label for name, one in machine.states.items() if isinstance(one, DistributedMap)}
    return child_graph(loads(machine.text), account.execution.identity.machine_name, labels)


def execution_overlay(account: Account, graph: GraphScope, machine: StateMachine) -> Overlay:
    """How each state fared, and how often each edge was taken."""
    location = {node.name: node.location for scope in scopes_within(graph) for node in scope.nodes}
    visits: dict[str, list[Visit]] = {}
    for visit in all_visits(account.visits):
        visits.setdefault(visit.name, []).append(visit)
    marks = {location[name]: _mark(found, account) for name, found in visits.items() if name in location}
    taken, uncounted = _taken(account, machine)
    counts = places_taken(taken)
    counts[graph.location] = 1
    status = account.execution.status
    return Overlay(f"{account.execution.identity.name}, {status}", marks, counts, uncounted=uncounted)


def _taken(account: Account, machine: StateMachine) -> tuple[Counter[str], int]:
    """The points taken by the execution and its children, and how many logs do not tell them."""
    total: Counter[str] = Counter()
    untold = 0
    for record, events in account.logs:
        try:
            total.update(points_taken(machine, events, record.identity, record.options.limits))
        except NotOfDefinition:
            untold += 1
    return total, untold


def _mark(visits: list[Visit], account: Account) -> Mark:
    known = max((standing(visit, is_over=account.is_over) for visit in visits), key=lambda one: WEIGHT[one])
    return Mark(known, mark_text(visits, account))


def uncounted_children(account: Account) -> dict[str, int]:
    """How many children of each distributed Map are not among those that are counted."""
    left: dict[str, int] = {}
    for visit in all_visits(account.visits):
        if visit.unread:
            left[visit.name] = left.get(visit.name, 0) + sum(visit.unread.values())
    return left


def recorded_machine(account: Account) -> StateMachine:
    """The machine that the execution runs, as it was when it was started."""
    return load(account.definition, "the recorded definition", NO_LIMITS)
