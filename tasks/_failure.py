"""What a Catch hands on: an error name, and a cause that is the text of a JSON object."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["Failure", "read_failure"]

_ORDER = re.compile(r"order ([A-Za-z0-9][A-Za-z0-9_.-]{0,63}): ")  # how every OrderFailure begins


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an order failed, as far as it can be told; ``order_id`` is None where no order is named."""

    error: str | None
    reason: str
    order_id: str | None


def read_failure(event: object) -> Failure:
    """The failure in ``event``: a Catch's ``Error`` and ``Cause``, or what ``refund`` made of them.

    Nothing is required of it: a task that cleans up must not fail over what it is told.
    """
    facts = event if isinstance(event, dict) else {}
    error = _text(facts, "Error") or _text(facts, "error")
    reason = _message(_text(facts, "Cause")) or _text(facts, "reason") or "no reason was given"
    named = _ORDER.match(reason)
    return Failure(error, reason, named[1] if named else _text(facts, "orderId"))


def _text(facts: dict[str, Any], name: str) -> str | None:
    value = facts.get(name)
    return value if isinstance(value, str) else None


def _message(cause: str | None) -> str | None:
    """The ``errorMessage`` in a cause, or the cause itself: a timeout's is a plain sentence."""
    if cause is None:
        return None
    try:
        facts = json.loads(cause)
    except (ValueError, RecursionError):
        return cause
    return (_text(facts, "errorMessage") if isinstance(facts, dict) else None) or cause
