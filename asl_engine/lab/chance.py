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

__all__ = ["certain_output"]


def certain_output(past: Recalled, definition: str) -> Any:
    """The output of an execution, with ``...`` for each value that comes out otherwise when it is run again.

    It is run as its test will be, by the ``definition`` that it had.  Nothing is called: a task that was not
    called then fails.  Where the run ends otherwise, the output is as it was.
    """
    from asl_engine.testing import Workflow
    from asl_engine.testing.workflow_run import StillWaiting

    output = None if past.execution.output is None else past.execution.output.value
    given = None if past.execution.input is None else past.execution.input.value
    answers = answers_of(past.calls)
    states = load(definition, "the recorded definition", NO_LIMITS).states
    others = {
        name: fails("NotCalled") for name, state in states.items() if state.type == "Task" and name not in answers
    }
    try:
        with Workflow(definition, {**answers, **others}, validation="NONE") as workflow:
            run = workflow.run(given)
    except (AssertionError, AslError, StillWaiting):
        return output
    return _certain(output, run.output) if run.status == "SUCCEEDED" else output


def _certain(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return {name: _certain(value, other[name]) for name, value in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_certain(value, again) for value, again in zip(one, other, strict=True)]
    return one if one == other else ...
