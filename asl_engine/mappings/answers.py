"""What a function's answer says of a batch: ReportBatchItemFailures.

"Implementing partial batch responses" in the Lambda Developer Guide, for queues and for streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.json_values import Json

__all__ = ["Report", "read_report"]


class Report(NamedTuple):
    """Which records of a batch failed, by their identifiers; ``wrong`` says why the answer counts as a failure.

    Where it is wrong, all records failed.
    """

    failed: frozenset[str]
    wrong: str | None = None


def read_report(answer: Json, identifiers: Sequence[str]) -> Report:
    """Read an answer.  An answer without ``batchItemFailures``, or with null or none in it, is a success.

    An answer of another shape, an item without an identifier, and an identifier that no record has, make the whole
    batch a failure.
    """
    everything = frozenset(identifiers)
    if answer is None or answer == {}:
        return Report(frozenset())
    if not isinstance(answer, dict):
        return Report(everything, f"the answer is no object with batchItemFailures: {_shown(answer)}")
    listed = answer.get("batchItemFailures")
    if listed is None:
        return Report(frozenset())
    if not isinstance(listed, list):
        return Report(everything, f"batchItemFailures is no list: {_shown(listed)}")
    failed = set[str]()
    for item in listed:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str) or not identifier:
            return Report(everything, f"an item of batchItemFailures has no itemIdentifier: {_shown(item)}")
        if identifier not in everything:
            return Report(everything, f"batchItemFailures names {identifier!r}, which is not in the batch")
        failed.add(identifier)
    return Report(frozenset(failed))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
