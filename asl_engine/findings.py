"""What validation reports: findings, each with a code, a severity, a location and a remedy.

The codes and the form of the location are those of the ValidateStateMachineDefinition operation
(``/States/ProcessPayment/Retry[0]/BackoffRate``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "Severity", "did_you_mean"]

Severity = Literal["ERROR", "WARNING"]


class Finding(NamedTuple):
    """One reason why a definition is refused (ERROR) or doubtful (WARNING).

    ``line`` and ``column`` count from 1 and are None where the source text is not at hand.  ``word`` is the part
    of the location's text that is meant, None for all of it: line and column are then the word's.
    """

    code: str
    message: str
    location: str | None = None
    severity: Severity = "ERROR"
    line: int | None = None
    column: int | None = None
    word: str | None = None

    def __str__(self) -> str:
        """``:12:7: /States/Pay/Next: message [CODE]``, to be put behind the name of the source."""
        position = "" if self.line is None else f":{self.line}:{self.column}"
        place = "" if self.location is None else f" {self.location or '/'}:"
        return f"{position}:{place} {self.message} [{self.code}]"


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """``; did you mean 'X'?`` where something known is near, "" otherwise."""
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), by_folded, 1)
    return f"; did you mean '{by_folded[near[0]]}'?" if near else ""
