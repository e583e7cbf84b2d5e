"""Traces of what a command drives: nothing of OpenTelemetry is imported where nobody asks for them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asl_engine.engine.host import Tracing

__all__ = ["traced"]


@asynccontextmanager
async def traced(wanted: bool) -> AsyncIterator[Tracing | None]:
    """What traces, if that is wanted, until the block is left.  Raises ``ProjectError`` without OpenTelemetry."""
    if not wanted:
        yield None
        return
    from asl_engine.practice.traces import begin_traces

    traces = begin_traces()
    try:
        yield traces
    finally:
        await traces.end()
