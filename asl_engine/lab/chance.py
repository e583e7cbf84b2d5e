"""What an execution's output owes to chance and to the moment: names of children, random numbers, the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.errors import AslError
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.testing.answers import fails
from asl_engine.testing.recordings import answers_of

if TYPE_CHECKING:
    from asl_engine.lab.recalling import Recalled

__all__ = ["certain_output", "without_chance"]


def certain_output(past: Recalled, definition: str) -> Any:
    """The output of an execution, with ``...`` for each value that comes out otherwise when it is run again.

    It is run as its test will be, by the ``definition`` that it had.  Nothing is called: a task that was not
    called then fails.  Where the run ends otherwise, the output is as it was.
    """
    from asl_engine.testing import Workflow
    from asl_engine.testing.workflow_run import StillWaiting

    output = past.output
    answers = answers_of(past.calls)
    states = load(definition, "the recorded definition", NO_LIMITS).states
    others = {
        name: fails("NotCalled") for name, state in states.items() if state.type == "Task" and name not in answers
    }
    try:
        with Workflow(definition, {**answers, **others}, validation="NONE") as workflow:
            run = workflow.run(past.input)
    except (AssertionError, AslError, StillWaiting):
        return output
    return without_chance(output, output, run.output) if run.status == "SUCCEEDED" else output


def without_chance(value: Any, one: Any, again: Any) -> Any:
    """The value with ``...`` where two runs of the same have made different values of its kind."""
    if isinstance(one, dict) and isinstance(again, dict) and one.keys() == again.keys():
        return _members(value, one, again) if isinstance(value, dict) else value
    if isinstance(one, list) and isinstance(again, list) and len(one) == len(again):
        return _items(value, one, again) if isinstance(value, list) else value
    return ... if one != again and type(value) is type(one) else value


def _members(value: dict[str, Any], one: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    return {
        name: without_chance(member, one[name], again[name]) if name in one else member
        for name, member in value.items()
    }


def _items(value: list[Any], one: list[Any], again: list[Any]) -> list[Any]:
    made = [without_chance(*items) for items in zip(value, one, again, strict=False)]
    return made + value[len(made) :]
