"""Map: the same states for each item of an array.  Specification: "Map State".

Inline processing: the iterations are part of the execution and of its history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from asl_engine.core.events import MapIterationStarted, MapStateFailed, MapStateStarted, MapStateSucceeded
from asl_engine.core.state import State
from asl_engine.payload import Payload
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.distributed_map import DISTRIBUTED_FIELDS, compile_distributed_map
from asl_engine.states.fields import ANY, COMPUTED, NULLABLE_PATH, OBJECT, TEXT, integer, number, required
from asl_engine.states.forking import fork_of, joined
from asl_engine.states.map_items import ItemSource, compile_items
from asl_engine.states.processor_config import is_distributed
from asl_engine.states.recovery import Recovery, recover
from asl_engine.states.recovery_fields import RECOVERY_FIELDS, compile_recovery
from asl_engine.states.state import (
    ASSIGN_FIELDS,
    COMMON_FIELDS,
    INPUT_OUTPUT_FIELDS,
    OUTPUT_FIELDS,
    TRANSITION_FIELDS,
    StateType,
)
from asl_engine.states.tolerances import Tolerances, compile_tolerances

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.states.compiling import Compiling

__all__ = ["TYPE", "Map"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **ASSIGN_FIELDS,
    **RECOVERY_FIELDS,
    "ItemProcessor": OBJECT,
    "Iterator": OBJECT,
    "ItemsPath": TEXT,
    "ItemSelector": ANY,
    "Parameters": ANY,
    "MaxConcurrency": integer(0),
    "MaxConcurrencyPath": TEXT,
    "ToleratedFailureCount": integer(0),
    "ToleratedFailureCountPath": TEXT,
    "ToleratedFailurePercentage": number(0, 100),
    "ToleratedFailurePercentagePath": TEXT,
    **DISTRIBUTED_FIELDS,
    "ResultSelector": ANY,
    "ResultPath": NULLABLE_PATH,
}
JSONATA_FIELDS = {
    **COMMON_FIELDS,
    **OUTPUT_FIELDS,
    **TRANSITION_FIELDS,
    **RECOVERY_FIELDS,
    "ItemProcessor": required(OBJECT),
    "Items": COMPUTED,
    "ItemSelector": ANY,
    "MaxConcurrency": COMPUTED,
    "ToleratedFailureCount": COMPUTED,
    "ToleratedFailurePercentage": COMPUTED,
    **DISTRIBUTED_FIELDS,
}
# Inline, a MaxConcurrency of 0 means as many as the service runs at once (AWS documentation, "Inline mode").
INLINE_CONCURRENCY = 40


@dataclass(eq=False, repr=False)
class Map(State):
    """``start_at`` is the first state of the item processor."""

    type: ClassVar[str] = "Map"

    flow: DataFlow
    recovery: Recovery
    source: ItemSource
    tolerances: Tolerances
    start_at: str

    def enter(self, decision: Decision) -> None:
        given = self.flow.input(decision)
        items = self.source.items(decision, given)
        concurrency = self.source.concurrency(decision, given) or INLINE_CONCURRENCY
        self.tolerances.evaluate(decision, given)  # inline they change nothing, but have to be sound
        values: Any = items.value
        decision.emit(MapStateStarted, len(values), items, concurrency)

    def fork(self, decision: Decision) -> None:
        fork = fork_of(decision)
        assert fork.items is not None  # noqa: S101  the fork of a Map
        items: Any = fork.items.value
        given = self.flow.input(decision)
        while fork.started < len(items) and len(fork.children) < fork.concurrency:
            index = fork.started
            value = self.source.select_item(decision, given, {"Index": index, "Value": items[index]})
            fields = (self.name, index, self.start_at, decision.within_limit(Payload(value)))
            decision.emit(MapIterationStarted, *fields, previous=fork.chain)
            decision.mark_ready(fork.children[index])

    def succeeded(self, decision: Decision) -> None:
        if not decision.frame.outcome_shown:
            decision.emit(MapStateSucceeded)
        self.flow.exit(decision, joined(decision), self.next)

    def failed(self, decision: Decision, error: str | None, cause: str | None) -> None:
        recover(decision, self.recovery, error, cause, shown=MapStateFailed)


def compile_map(compiling: Compiling) -> State:
    processor = compiling.only_one_of("ItemProcessor", "Iterator")
    if processor is None:
        compiling.report("", "The field 'ItemProcessor' is required but was missing")
    elif is_distributed(compiling.source[processor]):
        return compile_distributed_map(compiling, processor)
    for field in DISTRIBUTED_FIELDS.keys() - {"Label"}:
        if field in compiling.source:
            compiling.report(field, f"{field} needs a ProcessorConfig with the Mode DISTRIBUTED")
    # Here Parameters is an old name of ItemSelector, and not part of the data flow.
    fields = {name: value for name, value in compiling.source.items() if name != "Parameters"}
    return Map(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling.with_source(fields)),
        recovery=compile_recovery(compiling),
        source=compile_items(compiling),
        tolerances=compile_tolerances(compiling),
        start_at="" if processor is None else compiling.inner_states(processor, compiling.source[processor]),
    )


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_map)
