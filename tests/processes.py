"""Processes that somebody else has started."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["has_ended"]


def has_ended(process: int) -> bool:
    """Whether a process is gone.  One for which nobody has waited stays, and is called a zombie."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    status = Path("/proc", str(process), "stat")
    return status.exists() and ") Z " in status.read_text("utf-8")
