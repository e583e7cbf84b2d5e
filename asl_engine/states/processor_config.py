"""ProcessorConfig: whether a Map runs its items itself, or each as an execution of its own.

AWS Step Functions Developer Guide, "Map state processing modes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.states.fields import one_of, required

if TYPE_CHECKING:
    from asl_engine.states.fields import Shape

__all__ = ["DISTRIBUTED_CONFIG", "PROCESSOR_CONFIG", "is_distributed"]

PROCESSOR_CONFIG: Shape = {
    "Mode": one_of("INLINE", "DISTRIBUTED"),
    "ExecutionType": one_of("STANDARD", "EXPRESS"),
}
DISTRIBUTED_CONFIG: Shape = {**PROCESSOR_CONFIG, "ExecutionType": required(one_of("STANDARD", "EXPRESS"))}


def is_distributed(processor: Any) -> bool:
    """Whether an ItemProcessor, or an Iterator, is of a Map in distributed mode."""
    config = processor.get("ProcessorConfig") if isinstance(processor, dict) else None
    return isinstance(config, dict) and config.get("Mode") == "DISTRIBUTED"
