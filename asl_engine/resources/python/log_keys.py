"""Which call of which execution a log line is from, as keys of the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.resources.lambda_.log_lines import CALL
from asl_engine.resources.log_subjects import about
from asl_engine.resources.python.context import invoked_arn, request_id
from asl_engine.resources.trace_context import read_trace, xray_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.resources import TaskCall

    Keys = Callable[[], Mapping[str, Any]]

__all__ = ["entered", "keys_of", "left"]

_called: set[str] = set()  # the functions that this process has called


def keys_of(call: TaskCall, name: str, *, cold: bool | None = None) -> dict[str, Any]:
    """The keys of what a call of the function of this name logs.

    ``cold``: its process has not called it before; None where that is known elsewhere.
    """
    keys: dict[str, Any] = {
        "cold_start": cold,
        "function_name": name,
        "function_arn": invoked_arn(call, name),
        "function_request_id": request_id(call.key),
        "correlation_id": call.execution,
        "xray_trace_id": _xray_trace_id(call.trace_parent),
        **about(call.execution),
        "state": call.state,
        "attempt": call.attempt,
    }
    return {name: value for name, value in keys.items() if value is not None}


def _xray_trace_id(trace_parent: str) -> str | None:
    found = read_trace(trace_parent)
    return None if found is None else xray_trace_id(found.trace)


class _Keys:
    """The keys of a call, made when somebody asks for them, and once."""

    __slots__ = ("_call", "_cold", "_made", "_name")

    def __init__(self, call: TaskCall, name: str, *, cold: bool) -> None:
        self._call = call
        self._name = name
        self._cold = cold
        self._made: dict[str, Any] | None = None

    def __call__(self) -> dict[str, Any]:
        if self._made is None:
            self._made = keys_of(self._call, self._name, cold=self._cold)
        return self._made


def entered(call: TaskCall, name: str) -> Keys | None:
    """From now on the code is in this call, until ``left`` gets what this returns."""
    cold = name not in _called
    if cold:
        _called.add(name)
    before = CALL.get()
    CALL.set(_Keys(call, name, cold=cold))
    return before


def left(before: Keys | None) -> None:
    # Not by a token: a coroutine that is dropped is closed in whichever context drops it, where a token is none.
    CALL.set(before)
