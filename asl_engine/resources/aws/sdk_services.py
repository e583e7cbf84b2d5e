"""The services that Step Functions calls by way of AWS SDK integrations, as AWS's documentation lists them.

The table lies beside this module, with its sources and its date, and is read when it is first asked.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["SUPPORTED", "TABLE", "SdkService", "sdk_services"]

TABLE = Path(__file__).with_name("sdk_services.tsv")
SUPPORTED, REMOVED, REFUSED = "supported", "removed", "refused"
STATUSES = (SUPPORTED, REMOVED, REFUSED)


class SdkService(NamedTuple):
    """One service.  ``since`` and ``removed`` are dates as AWS gives them; "" where it gives none."""

    status: str
    since: str
    removed: str
    unsupported: frozenset[str]

    def takes(self, action: str) -> bool:
        return self.status == SUPPORTED and action not in self.unsupported


@cache
def sdk_services() -> dict[str, SdkService]:
    """The services by the names that Resources have for them."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found = {}
    for line in lines[1:]:  # behind the names of the columns
        name, status, since, removed, unsupported = line.split("\t")
        found[name] = SdkService(status, since, removed, frozenset(unsupported.split()))
    return found
