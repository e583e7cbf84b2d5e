"""Run Amazon States Language workflows on your own machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asl_engine.resources.python import TaskContext, task

__all__ = ["TaskContext", "__version__", "task"]

__version__ = "0.1.0"

_HOMES = {"TaskContext": "asl_engine.resources.python", "task": "asl_engine.resources.python"}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562), so that ``import asl_engine`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
