"""The limits AWS enforces, as data: on by default, each with its own switch.

Sources: "Service quotas" in the AWS Step Functions Developer Guide; botocore's service model.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["AWS_LIMITS", "NO_LIMITS", "Limits", "utf8_length"]

MAX_ERROR_LENGTH = 256
MAX_CAUSE_LENGTH = 32_768
MAX_NAME_LENGTH = 80
MAX_DEFINITION_BYTES = 1_048_576


class Limits(NamedTuple):
    """None switches a limit off.

    ``payload_bytes`` bounds the UTF-8 text of an input, an output or a result; ``history_events`` the
    number of history events of one execution, of which the last is then its failure; ``activities`` the
    number of one account's in one region, and ``activity_polls`` that of workers which wait at once for the
    tasks of one activity.
    """

    payload_bytes: int | None = 262_144
    history_events: int | None = 25_000
    execution_seconds: int | None = 31_536_000
    express_seconds: int | None = 300
    redrive_seconds: int | None = 1_209_600
    open_executions: int | None = 1_000_000
    activities: int | None = 10_000
    activity_polls: int | None = 1_000


AWS_LIMITS = Limits()
NO_LIMITS = Limits(*[None] * len(Limits._fields))


def utf8_length(text: str) -> int:
    """The number of bytes of ``text`` in UTF-8, without encoding what is plainly ASCII."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
