"""Exploring a state machine: every error given once, every rule sought, and what comes of it.

What it is: runs of the engine itself, in memory and in virtual time, with every task answered by a script.  The
log of each run is read as decisions over what the run was given (``terms``, ``tracing``), so that what has to be
given for another decision can be solved for (``formulas``, ``rules``).  ``walking`` goes on until nothing new is
found, ``proving`` tells what can never be, and ``discoveries`` tells it to people.

What it is not: a proof that a definition is right, or a call of anything real.
"""

from __future__ import annotations

__all__ = ["explore"]


def __getattr__(name: str) -> object:
    """Import the one public name where it is used (PEP 562)."""
    if name == "explore":
        from asl_engine.exploring.exploration import explore

        return explore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
