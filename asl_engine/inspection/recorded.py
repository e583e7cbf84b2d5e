"""The stages of a state's data flow in an execution that has happened, computed from its log.

The log has what a state was given and what it gave, and what its task was called with and answered.  What was in
between is evaluated again, by the state's own functions, in the execution as it stood then: with the same
variables, the same context object, the same moment and the same randomness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.core import events as ev
from asl_engine.core.apply import apply, fold
from asl_engine.core.decision import Decision
from asl_engine.core.frames import Phase
from asl_engine.core.interpreter import any_activity
from asl_engine.errors import EvaluationError, StatesError
from asl_engine.inspection.map_stages import map_stages
from asl_engine.inspection.stages import stages_after_work, stages_before_work
from asl_engine.json_text import TooDeep
from asl_engine.limits import NO_LIMITS
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.execution import Execution, Identity
    from asl_engine.core.machine import StateMachine
    from asl_engine.inspection.map_stages import Datasets
    from asl_engine.inspection.stages import Stages

__all__ = ["FIELDS", "recorded_stages"]

# In the order of the data's way: what InspectionData calls a stage, and the field of the state that makes it.
FIELDS: Final[dict[str, str]] = {
    "afterInputPath": "InputPath",
    "afterItemsPath": "ItemsPath",
    "afterItemsPointer": "ItemsPointer",
    "afterItemSelector": "ItemSelector",
    "afterItemBatcher": "ItemBatcher",
    "afterParameters": "Parameters",
    "afterArguments": "Arguments",
    "result": "Result",
    "afterResultSelector": "ResultSelector",
    "afterResultPath": "ResultPath",
}
WITH_WORK: Final = frozenset({"Task", "Map", "Parallel"})


def recorded_stages(
    machine: StateMachine,
    language: str,
    identity: Identity,
    events: Sequence[ev.Event],
    entry: int,
    *,
    datasets: Datasets,
) -> dict[str, Payload]:
    """The stages of the state that was entered with the event ``entry``, by the names in ``FIELDS``.

    ``events`` are all of the execution, ``language`` is the state's.  Stages that the state did not come to, or
    that failed it, are left out.
    """
    event = events[entry - 1]
    if not isinstance(event, ev.StateEntered) or event.name not in machine.states:
        return {}
    execution = fold(identity, events[:entry])
    state = machine.states[event.name]
    decision = _decision(execution, event, takes_token=state.takes_token)
    found: dict[str, Payload] = {}
    before = (
        map_stages(state, decision, datasets, lambda _: None)
        if state.type == "Map"
        else stages_before_work(state, language, decision)
    )
    _take(found, before)
    left = _exit(events, event)
    for later in events[entry : None if left is None else left.seq - 1]:
        if isinstance(later, ev.TaskScheduled) and later.frame == event.frame:
            called = "afterArguments" if language == "JSONata" else "afterParameters"
            found[called] = later.parameters
        if left is not None:
            apply(execution, later)
    frame = execution.frames.get(event.frame)
    if left is not None and state.type in WITH_WORK and frame is not None and frame.phase == Phase.SUCCEEDED:
        result = frame.result
        if result is not None:
            found["result"] = result
            decision = _decision(execution, left, takes_token=state.takes_token)
            _take(found, stages_after_work(state, decision, result))
    return {name: found[name] for name in FIELDS if name in found}


def _decision(execution: Execution, event: ev.StateEntered | ev.StateExited, *, takes_token: bool) -> Decision:
    decision = Decision(execution, event.at - execution.ahead, NO_LIMITS, any_activity)
    decision.frame = execution.frames[event.frame]
    decision.takes_token = takes_token
    return decision


def _take(found: dict[str, Payload], stages: Stages) -> None:
    """Keep the stages up to the first failure."""
    try:
        found.update((name, value) for name, value in stages if isinstance(value, Payload))
    except (StatesError, EvaluationError, TooDeep):
        return


def _exit(events: Sequence[ev.Event], entered: ev.StateEntered) -> ev.StateExited | None:
    """The event with which the state was left, None where it was not."""
    for event in events[entered.seq :]:
        if event.frame == entered.frame:
            if isinstance(event, ev.StateExited):
                return event
            if isinstance(event, ev.StateEntered):
                return None
    return None
