"""What browsers report of pages that have tried what the content security policy forbids."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, Final

__all__ = ["Violations"]

log = logging.getLogger("asl_engine.console")

MAX_KEPT: Final = 20
MAX_LOGGED: Final = 20  # by one server: whoever can report can report often
MAX_LENGTH: Final = 200


class Violations:
    """The last reports; the first of them are logged, too."""

    def __init__(self) -> None:
        self.kept: deque[dict[str, str]] = deque(maxlen=MAX_KEPT)
        self._logged = 0

    def take(self, report: dict[str, Any]) -> None:
        """A report in the form of ``report-uri``.  Whatever is in it was written by a stranger."""
        told = report.get("csp-report")
        told = told if isinstance(told, dict) else {}
        kept = {
            "directive": _text(told.get("effective-directive") or told.get("violated-directive")),
            "blocked": _text(told.get("blocked-uri")),
            "document": _text(told.get("document-uri")),
        }
        self.kept.append(kept)
        if self._logged < MAX_LOGGED:
            self._logged += 1
            log.warning("console: the browser has blocked %(blocked)r (%(directive)r) in %(document)r", kept)


def _text(value: Any) -> str:
    return value[:MAX_LENGTH] if isinstance(value, str) else ""
