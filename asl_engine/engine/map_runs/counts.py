"""How many children of a Map Run have ended how, and when too many have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from asl_engine.states.tolerances import exceeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json

__all__ = ["Counts"]

FAILURES = ("FAILED", "TIMED_OUT")


class Counts:
    """``executions`` and ``items`` count those that have begun, by status; ``total`` is the number of items.

    ``batched``: a child has several items, so that nobody knows how many children are still to come.
    ``written`` is the number of children whose results were written.
    """

    def __init__(self) -> None:
        self.total = 0
        self.written = 0
        self.batched = False
        self.executions: dict[str, int] = {}
        self.items: dict[str, int] = {}

    @property
    def total_executions(self) -> int:
        return sum(self.executions.values()) if self.batched else self.total

    @property
    def written_items(self) -> int:
        return sum(self.items.values()) if self.written else 0

    def add(self, status: str, items: int, executions: int = 1) -> None:
        self.executions[status] = self.executions.get(status, 0) + executions
        self.items[status] = self.items.get(status, 0) + items

    def exceed(self, count: int, percentage: float, *, total_known: bool) -> bool:
        """Whether more items have failed than are tolerated; where nothing is, whether any has.

        What percentage has failed can be said once the number of items is known.
        """
        failed = sum(self.items.get(status, 0) for status in FAILURES)
        return exceeds(failed, count, percentage, self.total if total_known else None)

    @classmethod
    def of_sums(cls, sums: Mapping[str, tuple[int, int]]) -> Self:
        counts = cls()
        for status, (executions, items) in sums.items():
            counts.add(status, items, executions)
            counts.batched |= items != executions
        counts.total = sum(counts.items.values())
        return counts

    def to_json(self) -> dict[str, Json]:
        return {
            "total": self.total,
            "written": self.written,
            "batched": self.batched,
            "executions": dict(self.executions),
            "items": dict(self.items),
        }

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> Self:
        counts = cls()
        counts.total, counts.written, counts.batched = fields["total"], fields["written"], fields["batched"]
        counts.executions, counts.items = dict(fields["executions"]), dict(fields["items"])
        return counts
