"""The stages of a state's data flow, evaluated by the same functions as in the state itself.

The names are the members of botocore's InspectionData.  Which of them a state shows was recorded from AWS:
those of its own fields, and none that comes before a Pass state's Result or within a Parallel state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.json_values import MISSING
from asl_engine.payload import Payload
from asl_engine.states.jsonpath_flow import JsonPathFlow, put_result, select_result
from asl_engine.states.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.core.decision import Turn
    from asl_engine.core.state import State

    Stages: TypeAlias = Iterator[tuple[str, Payload | int | float]]

__all__ = ["Stages", "stages_after_work", "stages_before_work"]


def stages_before_work(state: State, language: str, turn: Turn) -> Stages:
    """The stages of the input of a state that was just entered; for a state without work, also of its result.

    For Map states, see ``map_stages``.  Raises what the state itself would.
    """
    before = (_BY_EXPRESSION if language == "JSONata" else _BY_PATH).get(state.type)
    if before is not None:
        yield from before(state, turn)


def stages_after_work(state: State, turn: Turn, result: Payload) -> Stages:
    """The stages of the result of a state's work."""
    if isinstance(state, Task):
        yield "result", result
    flow: Any = getattr(state, "flow", None)
    if isinstance(flow, JsonPathFlow):
        yield from _handed_on(flow, turn, result)


def _handed_on(flow: JsonPathFlow, turn: Turn, result: Payload) -> Stages:
    if flow.result_selector is not None:
        result = select_result(turn, flow.result_selector, result)
    yield "afterResultSelector", result
    yield "afterResultPath", put_result(turn, flow.result_path, result)


def _task(state: Any, turn: Turn) -> Stages:
    yield "afterInputPath", state.flow.input(turn)
    yield "afterParameters", state.flow.arguments(turn)


def _task_by_expression(state: Any, turn: Turn) -> Stages:
    yield "afterArguments", state.flow.arguments(turn)


def _pass(state: Any, turn: Turn) -> Stages:
    if state.result is MISSING:
        yield from _task(state, turn)
        result = state.flow.arguments(turn)
    else:
        result = Payload(state.result)
        yield "result", result
    yield from _handed_on(state.flow, turn, result)


def _input_alone(state: Any, turn: Turn) -> Stages:
    yield "afterInputPath", state.flow.input(turn)


def _fail(_: State, turn: Turn) -> Stages:
    yield "afterInputPath", turn.frame.input


def _parallel(state: Any, turn: Turn) -> Stages:
    """Show nothing; an evaluation error still fails the state."""
    turn.within_limit(state.flow.arguments(turn))
    return iter(())


_BY_PATH: Final[dict[str, Callable[[Any, Turn], Stages]]] = {
    "Task": _task,
    "Pass": _pass,
    "Choice": _input_alone,
    "Wait": _input_alone,
    "Succeed": _input_alone,
    "Fail": _fail,
    "Parallel": _parallel,
}
_BY_EXPRESSION: Final[dict[str, Callable[[Any, Turn], Stages]]] = {
    "Task": _task_by_expression,
    "Parallel": _parallel,
}
