"""Structured logs: lines of JSON with Powertools' key names, and with the execution, the state and the attempt.

Commands write them where they are asked for JSON; this is the same for a program of one's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.resources.lambda_.log_lines import JsonLines, begin_json, call_keys
from asl_engine.resources.lambda_.worker import LOG_KEYS

if TYPE_CHECKING:
    import logging
    from typing import TextIO

__all__ = ["JsonLines", "configure_logging", "log_keys"]


def configure_logging(
    stream: TextIO | None = None, level: int | str | None = None, service: str | None = None
) -> logging.Handler:
    """Write what is logged in this process as lines of JSON, to stderr unless a stream is given.

    Without a level it is that of AWS_LAMBDA_LOG_LEVEL or POWERTOOLS_LOG_LEVEL, or else INFO.  ``service`` is
    POWERTOOLS_SERVICE_NAME where it is not given.  The handler that is returned is one of the root logger's.
    """
    return begin_json(stream, level, service)


def log_keys() -> dict[str, Any]:
    """Which attempt at which state of which execution the code runs for; empty outside of a task."""
    keys = call_keys()
    return {name: keys[name] for name in LOG_KEYS if name in keys}
