"""Map in distributed mode: every item, or batch of items, is an execution of its own.

AWS Step Functions Developer Guide, "Using Map state in Distributed mode".  These executions belong to a
Map Run; to the state it is open work, like a task, which ends with an output or a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from asl_engine.arn import map_run_arn, unlabelled, uuid_text
from asl_engine.core.decision import Decision
from asl_engine.core.events import (
    MapRunRedriven,
    MapRunStarted,
    MapStateFailed,
    MapStateStarted,
    MapStateSucceeded,
)
from asl_engine.core.state import State
from asl_engine.json_values import MISSING, Json
from asl_engine.payload import Payload
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.fields import TEXT, Field
from asl_engine.states.item_fields import (
    ITEM_FIELDS,
    compile_item_batcher,
    compile_item_reader,
    compile_result_writer,
)
from asl_engine.states.map_items import ItemSource, compile_items
from asl_engine.states.processor_config import DISTRIBUTED_CONFIG
from asl_engine.states.recovery import Recovery, recover
from asl_engine.states.recovery_fields import compile_recovery
from asl_engine.states.tolerances import Tolerances, compile_tolerances

if TYPE_CHECKING:
    from asl_engine.core.execution import Execution
    from asl_engine.core.frames import Frame
    from asl_engine.core.machine import StateMachine
    from asl_engine.limits import Limits
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.item_flow import Batching, ItemBatcher, ItemReader, Reading, ResultWriter, Writing

__all__ = [
    "DISTRIBUTED_FIELDS",
    "DistributedMap",
    "ItemDecision",
    "compile_distributed_map",
    "processor_of",
]

DISTRIBUTED_FIELDS: dict[str, Field] = {"Label": TEXT, **ITEM_FIELDS}
MAX_LABEL_LENGTH = 40
# AWS documentation, "Map state fields": white space, wildcards, brackets, special and control characters.
FORBIDDEN_IN_LABELS = frozenset('?*<>{}[]:;,\\|^~$#%&`"')


class MapRunConfiguration(NamedTuple):
    """The configuration of a Map Run: the evaluated fields of its state.

    A ``concurrency`` of 0 means as many as the service runs at once; the tolerances are a number of items and
    a percentage of them, 0 if absent.
    """

    label: str
    execution_type: str
    concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    reading: dict[str, Json] | None = None  # as ``item_flow`` has them
    batching: dict[str, Json] | None = None
    writing: dict[str, Json] | None = None

    def payload(self) -> Payload:
        return Payload(dict(self._asdict()))

    @classmethod
    def of(cls, payload: Payload) -> MapRunConfiguration:
        fields: Any = payload.value
        return cls(**fields)


class ItemDecision(Decision):
    """The surroundings of one item: its randomness does not depend on when its turn comes."""

    __slots__ = ("seed",)

    def __init__(self, execution: Execution, frame: Frame, at: int, limits: Limits, seed: str) -> None:
        super().__init__(execution, at, limits, lambda _: True)
        self.frame = frame
        self.seed = seed

    def random(self) -> Random:
        return Random(self.seed)


@dataclass(eq=False, repr=False)
class DistributedMap(State):
    """``start_at`` is the first state of the item processor; ``label`` is unique in the machine."""

    type: ClassVar[str] = "Map"
    rewrites_input: ClassVar[bool] = True  # recorded from AWS

    flow: DataFlow
    recovery: Recovery
    source: ItemSource
    tolerances: Tolerances
    start_at: str
    label: str
    execution_type: str
    reader: ItemReader | None
    batcher: ItemBatcher | None
    writer: ResultWriter | None

    def enter(self, decision: Decision) -> None:
        given = self.flow.input(decision)
        items = self.source.items(decision, given) if self.reader is None else Payload([])
        concurrency = self.source.concurrency(decision, given)
        values: Any = items.value
        decision.emit(MapStateStarted, len(values), items, concurrency, True)

    def scheduled(self, decision: Decision) -> None:
        known = decision.frame.map_run
        if known is not None:
            decision.emit(MapRunRedriven, known.key, known.arn, known.redrives + 1)
            return
        given = self.flow.input(decision)
        count, percentage = self.tolerances.evaluate(decision, given)
        configuration = MapRunConfiguration(
            label=self.label,
            execution_type=self.execution_type,
            concurrency=self.source.concurrency(decision, given),
            tolerated_count=count,
            tolerated_percentage=percentage,
            reading=self.reader and fields_of(self.reader.evaluate(decision, given)),
            batching=self.batcher and fields_of(self.batcher.evaluate(decision, given)),
            writing=self.writer and fields_of(self.writer.evaluate(decision, given)),
        )
        arn = map_run_arn(decision.execution.identity.machine_arn, self.label, random_uuid(decision.random()))
        decision.emit(MapRunStarted, arn, configuration.payload())

    def item_input(self, decision: Decision, item: dict[str, Json], default: Json) -> Json:
        """What ItemSelector makes of ``item``, which is ``$$.Map.Item``; ``default`` where there is none."""
        if self.source.selector is None:
            return default
        return self.source.select_item(decision, self.flow.input(decision), item)

    def succeeded(self, decision: Decision) -> None:
        result = decision.frame.result
        assert result is not None  # noqa: S101  what phase SUCCEEDED means
        if not decision.frame.outcome_shown:
            decision.emit(MapStateSucceeded)
        self.flow.exit(decision, result, self.next)

    def failed(self, decision: Decision, error: str | None, cause: str | None) -> None:
        recover(decision, self.recovery, error, cause, shown=MapStateFailed)


def fields_of(evaluated: Reading | Batching | Writing) -> dict[str, Json]:
    """The configuration as a JSON object; absent values are left out."""
    return {name: value for name, value in evaluated._asdict().items() if value is not MISSING}


def random_uuid(random: Random) -> str:
    return uuid_text(random.getrandbits(128).to_bytes(16, "big"))


def processor_of(machine: StateMachine, machine_name: str) -> StateMachine:
    """The machine that an execution of ``machine_name`` runs: ``name/label`` is a child of a Map Run."""
    label = unlabelled(machine_name)[1]
    for state in machine.states.values() if label else ():
        if isinstance(state, DistributedMap) and state.label == label:
            # TimeoutSeconds applies to the parent: when it expires, the Map Run is aborted.
            return machine._replace(start_at=state.start_at, timeout=None)
    return machine


# -- compilation ---------------------------------------------------------------------------------------


def compile_distributed_map(compiling: Compiling, processor: str) -> DistributedMap:
    """``processor`` is the name of the field, ItemProcessor or Iterator."""
    config = compiling.source[processor]["ProcessorConfig"]
    compiling.check_object(f"{processor}/ProcessorConfig", config, DISTRIBUTED_CONFIG)
    # Here Parameters is an old name of ItemSelector, and not part of the data flow.
    fields = {name: value for name, value in compiling.source.items() if name != "Parameters"}
    return DistributedMap(
        name=compiling.name,
        next=compiling.transition(),
        flow=compile_data_flow(compiling.with_source(fields)),
        recovery=compile_recovery(compiling),
        source=compile_items(compiling, of_objects=True),
        tolerances=compile_tolerances(compiling),
        start_at=compiling.inner_states(processor, compiling.source[processor]),
        label=compile_label(compiling),
        execution_type=str(config.get("ExecutionType")),
        reader=compile_item_reader(compiling),
        batcher=compile_item_batcher(compiling),
        writer=compile_result_writer(compiling),
    )


def compile_label(compiling: Compiling) -> str:
    label = compiling.source.get("Label")
    if label is None:  # AWS generates one, too
        return uuid_text(sha256(f"asl-engine:{compiling.name}".encode("utf-8", "surrogatepass")).digest())
    fault = label_fault(label)
    if fault is not None:
        compiling.report("Label", fault)
    return str(label)


def label_fault(label: str) -> str | None:
    """What is wrong with a label, or None."""
    if not label:
        return "Label cannot be empty"
    if len(label) > MAX_LABEL_LENGTH:
        return f"Label cannot exceed {MAX_LABEL_LENGTH} characters"
    wrong = next((c for c in label if c in FORBIDDEN_IN_LABELS or c.isspace() or is_control(c)), None)
    return None if wrong is None else f"Label contains invalid character: {wrong!r}"


def is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f"
