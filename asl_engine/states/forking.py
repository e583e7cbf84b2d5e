"""What Parallel and Map share: the fork of their frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.splicing import array

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.core.frames import Fork
    from asl_engine.payload import Payload

__all__ = ["fork_of", "joined"]


def fork_of(decision: Decision) -> Fork:
    fork = decision.frame.fork
    assert fork is not None  # noqa: S101  the frame is forking or has joined
    return fork


def joined(decision: Decision) -> Payload:
    """The results of all branches or iterations, in their order."""
    return array([result for result in fork_of(decision).results if result is not None])
