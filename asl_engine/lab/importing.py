"""An execution of AWS brought here: its answers read, its history followed, its log kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core import events as ev
from asl_engine.core.apply import fold
from asl_engine.errors import InvalidInput
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import canonical_text
from asl_engine.states.distributed_map import processor_of
from asl_engine.store.records import Record
from asl_engine.visits.following import follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.core.execution import Identity
    from asl_engine.core.machine import StateMachine
    from asl_engine.payload import Payload
    from asl_engine.projections.told import Told
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Child
    from asl_engine.store.run_options import RunOptions

__all__ = ["BroughtHome", "brought_home", "check_described", "keep_imported"]


class BroughtHome(NamedTuple):
    """``differing`` counts the events whose data AWS has made otherwise than the engine would."""

    record: Record
    log: list[ev.Event]
    differing: int
    child: Child | None = None


def check_described(described: Mapping[str, Any], imported: BroughtHome, name: str) -> None:
    """Raises ``InvalidInput`` where the description is that of another execution than the history.

    It may have been made while the execution ran.  An input that is too large is in neither.
    """
    execution = fold(imported.record.identity, imported.log)
    status = described.get("status", execution.status)
    if status not in {execution.status, "RUNNING", "PENDING_REDRIVE"}:
        raise InvalidInput(
            f"{name} describes another execution than the history: it is {status} there, {execution.status} here"
        )
    given = described.get("input")
    if isinstance(given, str) and execution.input is not None and not _same(given, execution.input):
        raise InvalidInput(f"{name} describes another execution than the history: its input is another")


def _same(text: str, payload: Payload) -> bool:
    try:
        return text == payload.text or canonical_text(loads(text)) == canonical_text(payload.value)
    except JsonSyntaxError:
        return False


def brought_home(
    machine: StateMachine,
    identity: Identity,
    history: Sequence[Told],
    options: RunOptions,
    child: Child | None = None,
) -> BroughtHome:
    """What the store is to keep.  Raises ``Deviation`` where the definition does not lead to the history."""
    followed = follow(processor_of(machine, identity.machine_name), identity, history, options.limits)
    record = Record(identity, machine.digest, options=options._replace(imported=True))
    return BroughtHome(record, followed.log, len(followed.differing), child)


async def keep_imported(store: Store, machine: StateMachine, imported: Sequence[BroughtHome]) -> None:
    """Keep executions: a parent before the children of its Map Runs.

    Raises ``ExecutionAlreadyExists`` for one that is here already.
    """
    for one in imported:
        first, *redrives = _rounds(one.log)
        await store.create(one.record, machine.text, first, one.child)
        for again in redrives:
            await store.append(one.record.identity.arn, again)


def _rounds(log: Sequence[ev.Event]) -> list[list[ev.Event]]:
    """The events up to the first redrive, and those of each redrive."""
    rounds: list[list[ev.Event]] = [[]]
    for event in log:
        if isinstance(event, ev.ExecutionRedriven):
            rounds.append([])
        rounds[-1].append(event)
    return rounds
