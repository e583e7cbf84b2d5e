"""What has come of a Map Run's children: their numbers, and when too many have failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from asl_engine.answers import describe_execution
from asl_engine.expressions.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.execution import Execution
    from asl_engine.jsontypes import Json

__all__ = ["Counts", "result_record"]

# A child is redriven with its Map Run.
NOT_REDRIVABLE = "Execution is a child of a Map Run: redrive the execution that started the Map Run"
FAILURES = ("FAILED", "TIMED_OUT")


class Counts:
    """``executions`` and ``items`` count those that have ended, by status; ``total`` is the number of items."""

    def __init__(self) -> None:
        self.total = 0
        self.written = 0
        self.executions: dict[str, int] = {}
        self.items: dict[str, int] = {}

    def add(self, status: str, items: int, executions: int = 1) -> None:
        self.executions[status] = self.executions.get(status, 0) + executions
        self.items[status] = self.items.get(status, 0) + items

    def exceed(self, count: int, percentage: float) -> bool:
        """Whether more items have failed than are tolerated; where nothing is, whether any has."""
        failed = sum(self.items.get(status, 0) for status in FAILURES)
        if not (count or percentage):
            return failed > 0
        return (count > 0 and failed > count) or (percentage > 0 and failed * 100 > percentage * self.total)

    @classmethod
    def of_sums(cls, sums: Mapping[str, tuple[int, int]]) -> Self:
        counts = cls()
        for status, (executions, items) in sums.items():
            counts.add(status, items, executions)
        counts.total = sum(counts.items.values())
        return counts

    def to_json(self) -> dict[str, Json]:
        return {
            "total": self.total,
            "written": self.written,
            "executions": dict(self.executions),
            "items": dict(self.items),
        }

    @classmethod
    def of_json(cls, fields: Mapping[str, Any]) -> Self:
        counts = cls()
        counts.total, counts.written = fields["total"], fields["written"]
        counts.executions, counts.items = dict(fields["executions"]), dict(fields["items"])
        return counts


def result_record(child: Execution) -> Json:
    """A child as a Map Run's results have it where its output alone would not do: as DescribeExecution has it.

    AWS documentation, "ResultWriter": with the transformation NONE, and of every child that has failed.
    """
    described = describe_execution(child, format_timestamp, NOT_REDRIVABLE)
    return {f"{name[0].upper()}{name[1:]}": _details(name, value) for name, value in sorted(described.items())}


def _details(name: str, value: Any) -> Json:
    shown: Json = {"Included": value["included"]} if name.endswith("Details") else value
    return shown
