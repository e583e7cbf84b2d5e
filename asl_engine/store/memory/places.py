"""The order of ListExecutions in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.store.records import Place, Record

__all__ = ["behind"]


def behind(records: Mapping[str, Record], after: Place | None) -> list[Record]:
    """The records, which come in the order of their creation, in the order of ``Place``, from ``after`` on."""
    created = {arn: number for number, arn in enumerate(records, 1)}
    ordered = sorted(records.values(), key=lambda one: (one.place.at, created[one.identity.arn]), reverse=True)
    if after is None:
        return ordered
    last = (after.at, created.get(after.arn, 0))
    return [one for one in ordered if (one.place.at, created[one.identity.arn]) < last]
