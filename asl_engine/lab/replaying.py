"""A recorded execution, decided again: by the definition that it ran, or by another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core.apply import fold
from asl_engine.core.replay import replay as decide_again
from asl_engine.errors import InvalidInput
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.payload import Payload
from asl_engine.states.distributed_map import processor_of
from asl_engine.visits.following import follow_again

if TYPE_CHECKING:
    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.replay import Difference
    from asl_engine.store.records import Record

__all__ = ["Recorded", "plain_event", "replay_again", "replay_json"]


class Recorded(NamedTuple):
    """What the store has of an execution."""

    record: Record
    definition: str
    events: list[Event]

    @property
    def length(self) -> int:
        """The number of its last history event."""
        return max(event.id for event in self.events)

    @property
    def status(self) -> str:
        return fold(self.record.identity, self.events).status


def replay_again(recorded: Recorded, edited: StateMachine | None = None) -> Difference | None:
    """The first difference between the record and what the definition makes of it, the recorded or the edited one.

    Raises ``InvalidInput`` where nothing was recorded that could be decided again.
    """
    machine = edited or load(recorded.definition, "the recorded definition", NO_LIMITS)
    who = recorded.record.identity
    if who.map_run is not None and who.type == "EXPRESS":
        raise InvalidInput(f"{who.name} is an Express child of a Map Run: what it did in between is not kept")
    machine = processor_of(machine, who.machine_name)
    decide = follow_again if recorded.record.options.imported else decide_again
    return decide(machine, who, recorded.events, recorded.record.options.limits)


def replay_json(recorded: Recorded, difference: Difference | None) -> dict[str, Any]:
    """How it came out, as plain data."""
    return {
        "executionArn": recorded.record.identity.arn,
        "status": recorded.status,
        "historyLength": recorded.length,
        "result": "SAME" if difference is None else "DIFFERENT",
        "difference": None
        if difference is None
        else {"recorded": plain_event(difference.recorded), "replayed": plain_event(difference.replayed)},
    }


def plain_event(event: Event | None) -> dict[str, Any] | None:
    """An event's members, with payloads as text."""
    if event is None:
        return None
    texts = {name: value.text if isinstance(value, Payload) else value for name, value in event._asdict().items()}
    return {"event": type(event).__name__, **texts}
