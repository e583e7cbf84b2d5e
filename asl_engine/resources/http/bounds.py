"""How much of an answer is read: the length of what a service sends cannot be trusted."""

from __future__ import annotations

from typing import Final

from asl_engine.errors import StatesError

__all__ = ["LARGEST_STREAM", "MAX_BYTES", "too_large"]

MAX_BYTES: Final = 262_144  # of the response of an HTTP API
LARGEST_STREAM = 67_108_864  # bytes, if AWS's limit on results is off; with the limit, far less is too much


def too_large(state: str) -> StatesError:
    return StatesError(
        "States.DataLimitExceeded",
        f"The state/task '{state}' returned a result with a size exceeding the maximum number of bytes "
        "service limit.",
    )
