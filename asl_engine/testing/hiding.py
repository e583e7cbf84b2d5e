"""Which frames pytest leaves out of a traceback: ours, where the test is to look at its own line."""

from __future__ import annotations

from typing import Protocol

from asl_engine.errors import AslError

__all__ = ["hidden"]


class _Raised(Protocol):
    """pytest's ``ExceptionInfo``, as far as it is asked here."""

    def errisinstance(self, kinds: tuple[type[BaseException], ...], /) -> bool: ...


def hidden(raised: _Raised) -> bool:
    """For ``__tracebackhide__``: a failed assertion, and what the test can put right, but no defect of ours."""
    return raised.errisinstance((AssertionError, AslError))
