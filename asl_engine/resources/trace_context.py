"""The two forms in which a trace is carried from one process to another.

W3C's ``traceparent`` (https://www.w3.org/TR/trace-context/) and the header of AWS X-Ray, "Tracing header" in its
Developer Guide.  An id of X-Ray begins with the time; the same 32 hexadecimal digits are an id of W3C's.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["TraceParent", "read_trace", "xray_trace_id"]

W3C: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
ROOT: Final = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
SPAN: Final = re.compile(r"[0-9a-f]{16}")
NO_TRACE, NO_SPAN = "0" * 32, "0" * 16


class TraceParent(NamedTuple):
    """A span, as those see it who go on from it: its ids in hexadecimal digits, and whether it is recorded."""

    trace: str
    span: str
    sampled: bool

    @property
    def w3c(self) -> str:
        """As a ``traceparent``."""
        return f"00-{self.trace}-{self.span}-{int(self.sampled):02x}"

    @property
    def xray(self) -> str:
        """As the value of the header X-Amzn-Trace-Id."""
        return f"Root={xray_trace_id(self.trace)};Parent={self.span};Sampled={int(self.sampled)}"


def xray_trace_id(trace: str) -> str:
    """A trace's id in the form of X-Ray."""
    return f"1-{trace[:8]}-{trace[8:]}"


def read_trace(text: str) -> TraceParent | None:
    """A ``traceparent``, or a header of X-Ray that names a parent; None for anything else."""
    found = W3C.fullmatch(text)
    if found is not None:
        given = TraceParent(found[1], found[2], bool(int(found[3], 16) & 1))
    else:
        parts = dict(part.strip().partition("=")[::2] for part in text.split(";"))
        root = ROOT.fullmatch(parts.get("Root", ""))
        span = parts.get("Parent", "")
        if root is None or SPAN.fullmatch(span) is None:
            return None
        given = TraceParent(root[1] + root[2], span, parts.get("Sampled", "1") != "0")
    return None if given.trace == NO_TRACE or given.span == NO_SPAN else given
