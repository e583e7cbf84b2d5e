"""Run Amazon States Language workflows on your own machine.

What it is: an engine that gives a state machine the results and the history that AWS Step Functions would
give it.  Python functions or real Lambda functions do the work, and every step is on disk before it takes
effect.  The command is ``asl``; from Python there are

- ``run``, which runs a state machine to its end and gives a ``Result``, ``arun``, which does so on an event
  loop, and ``validate``, which gives the ``Finding``s about a definition;
- ``task``, ``idempotent`` and ``TaskContext``, for writing the functions that its tasks call;
- ``AslError``, which the caller can put right (its kinds are in ``asl_engine.errors``), and
  ``StatesError``, which a task raises to fail with an error name that is no class.

``asl_engine.testing`` is for tests of state machines, and has the pytest fixture ``asl``.

What it is not: a way to write workflows in Python.  The server of the Step Functions API (``asl serve``) and the
adapter to real AWS (``asl deploy``) belong to the command line.  Whatever is not listed in ``__all__`` may change
without notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asl_engine.api import Result, arun, run, validate
    from asl_engine.errors import AslError, StatesError
    from asl_engine.findings import Finding
    from asl_engine.practice.idempotency import idempotent
    from asl_engine.resources.python.tasks import TaskContext, task

__all__ = [
    "AslError",
    "Finding",
    "Result",
    "StatesError",
    "TaskContext",
    "__version__",
    "arun",
    "idempotent",
    "run",
    "task",
    "validate",
]

__version__ = "0.1.0"

_HOMES = {
    "AslError": "asl_engine.errors",
    "Finding": "asl_engine.findings",
    "Result": "asl_engine.api",
    "StatesError": "asl_engine.errors",
    "TaskContext": "asl_engine.resources.python.tasks",
    "arun": "asl_engine.api",
    "idempotent": "asl_engine.practice.idempotency",
    "run": "asl_engine.api",
    "task": "asl_engine.resources.python.tasks",
    "validate": "asl_engine.api",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562), so that ``import asl_engine`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
