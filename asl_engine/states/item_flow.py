"""The compiled ItemReader, ItemBatcher and ResultWriter of a distributed Map, and what they come to in a decision.

Each is evaluated with the state's effective input and gives plain data: a ``Reading`` (the arguments of
``datasets.read``), a ``Batching`` (those of ``datasets.batches``), a ``Writing`` (those of
``datasets.write_results``, or of ``datasets.collect_results`` without a bucket).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from asl_engine.errors import EvaluationError, StatesError
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.core.decision import Decision
    from asl_engine.payload import Payload

__all__ = ["MAX_ITEMS", "Batching", "Evaluate", "ItemBatcher", "ItemReader", "Reading", "ResultWriter", "Writing"]

# The most items that are read (AWS documentation, "ItemReader").
MAX_ITEMS: Final = 100_000_000

Evaluate: TypeAlias = "Callable[[Decision, Payload], Json]"


class Reading(NamedTuple):
    """The dataset to read: ``datasets.read(*reading, storage)``; ``config`` has no MaxItems."""

    resource: str
    parameters: Json
    config: Mapping[str, Json]
    max_items: int | None


class Batching(NamedTuple):
    """How items are batched: ``datasets.batches(values, *batching)``."""

    max_items: int | None
    max_bytes: int | None
    batch_input: Json | Missing


class Writing(NamedTuple):
    """Where and how results are written; ``bucket`` is None if they are the state's own result."""

    bucket: str | None
    prefix: str
    transformation: str
    output_type: str


class ItemReader(NamedTuple):
    resource: str
    config: Mapping[str, Json]
    parameters: Evaluate
    max_items: Evaluate | None

    def evaluate(self, decision: Decision, given: Payload) -> Reading:
        most: Any = self.max_items and self.max_items(decision, given)
        if most == 0 or (most is not None and most > MAX_ITEMS):
            most = None  # recorded from AWS: all items
        return Reading(self.resource, self.parameters(decision, given), self.config, most)


class ItemBatcher(NamedTuple):
    max_items: Evaluate | None
    max_bytes: Evaluate | None
    batch_input: Evaluate | None

    def evaluate(self, decision: Decision, given: Payload) -> Batching:
        items: Any = self.max_items and self.max_items(decision, given)
        size: Any = self.max_bytes and self.max_bytes(decision, given)
        return Batching(items, size, MISSING if self.batch_input is None else self.batch_input(decision, given))


class ResultWriter(NamedTuple):
    """A ResultWriter without any field is refused only when it is evaluated, as on AWS."""

    empty: bool
    parameters: Evaluate | None
    transformation: str
    output_type: str

    def evaluate(self, decision: Decision, given: Payload) -> Writing:
        if self.empty:
            raise StatesError("States.ResultWriterFailed", "The field ResultWriter is empty")
        if self.parameters is None:
            return Writing(None, "", self.transformation, self.output_type)
        value = self.parameters(decision, given)
        parameters = value if isinstance(value, dict) else {}
        bucket, prefix = parameters.get("Bucket"), parameters.get("Prefix", "")
        if not isinstance(bucket, str) or not bucket or not isinstance(prefix, str):
            raise EvaluationError(f"The ResultWriter needs a Bucket and a Prefix, but was given {dumps(value)}")
        return Writing(bucket, prefix, self.transformation, self.output_type)
