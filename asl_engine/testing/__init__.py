"""The workflow lab: state machines under test, with mocks for what they call and time that the test moves.

What it is: a pytest plugin with the fixture ``asl``, and the same for any other test as ``Workflow``.  Both run
the engine itself, in memory, and call nothing outside, unless they are given a target.

- ``Workflow`` is a state machine with what stands in for its tasks; ``run`` and ``start`` give a ``WorkflowRun``;
- ``returns``, ``fails``, ``calls`` and ``waits`` say what a task does, ``sleep`` lets it take its time;
- ``OBSERVERS`` in ``asl_engine.testing.observers`` hear of every execution that was run.

- ``RunTarget`` is where executions run instead: an endpoint of Step Functions, or an account of AWS.

What it is not: another interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asl_engine.testing.answers import calls, fails, returns, sleep, waits
    from asl_engine.testing.recordings import recorded
    from asl_engine.testing.targets import RunTarget
    from asl_engine.testing.workflow import Workflow
    from asl_engine.testing.workflow_run import WorkflowRun

__all__ = ["RunTarget", "Workflow", "WorkflowRun", "calls", "fails", "recorded", "returns", "sleep", "waits"]

_HOMES = {
    "RunTarget": "asl_engine.testing.targets",
    "Workflow": "asl_engine.testing.workflow",
    "WorkflowRun": "asl_engine.testing.workflow_run",
    "calls": "asl_engine.testing.answers",
    "fails": "asl_engine.testing.answers",
    "recorded": "asl_engine.testing.recordings",
    "returns": "asl_engine.testing.answers",
    "sleep": "asl_engine.testing.answers",
    "waits": "asl_engine.testing.answers",
}


def __getattr__(name: str) -> object:
    """Import a public name where it is used (PEP 562): the plugin is loaded with every pytest.

    Nothing is kept here: pytest's own ``pytester`` unloads modules, and a name of the old ones would be of no use.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    return value
