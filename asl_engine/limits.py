"""The limits AWS enforces, as data: on by default, each with its own switch.

Sources: "Service quotas" in the AWS Step Functions Developer Guide; botocore's service model; and for what
variables count, results recorded from AWS.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "AWS_LIMITS",
    "MAX_DEFINITION_BYTES",
    "MAX_NAME_LENGTH",
    "NO_LIMITS",
    "Limits",
    "cut",
    "utf8_length",
]

MAX_NAME_LENGTH = 80
MAX_DEFINITION_BYTES = 1_048_576


class Limits(NamedTuple):
    """None switches a limit off.  Bytes are those of the text in UTF-8, lengths are characters.

    ``payload_bytes`` bounds an input, an output or a result, ``activity_input_bytes`` what a worker is
    given (the model's SensitiveDataJobInput); ``history_events`` the history of one Standard execution, of which
    the last event is then its failure.  ``variable_bytes`` bounds each variable and all that one Assign sets,
    ``variables_bytes`` all that an execution has at a time.  ``name_length`` holds for names of executions,
    states and variables.  ``execution_seconds`` and ``express_seconds`` are how long a Standard and an Express
    execution may take, ``redrive_seconds`` how long after its end it can be redriven.  ``activities`` is
    the number of one account's in one region, and ``activity_polls`` that of workers which wait at once for
    the tasks of one activity.
    """

    payload_bytes: int | None = 262_144
    history_events: int | None = 25_000
    execution_seconds: int | None = 31_536_000
    express_seconds: int | None = 300
    redrive_seconds: int | None = 1_209_600
    open_executions: int | None = 1_000_000
    activities: int | None = 10_000
    activity_input_bytes: int | None = 1_048_576
    activity_polls: int | None = 1_000
    error_length: int | None = 256
    cause_length: int | None = 32_768
    name_length: int | None = MAX_NAME_LENGTH
    variable_bytes: int | None = 262_144
    variables_bytes: int | None = 10_485_760
    definition_bytes: int | None = MAX_DEFINITION_BYTES


AWS_LIMITS = Limits()
NO_LIMITS = Limits(*[None] * len(Limits._fields))


def cut(error: str | None, cause: str | None, limits: Limits = AWS_LIMITS) -> tuple[str | None, str | None]:
    """An error and a cause at the lengths that AWS stores."""
    return error and error[: limits.error_length], cause and cause[: limits.cause_length]


def utf8_length(text: str) -> int:
    """The number of bytes of ``text`` in UTF-8, without encoding what is plainly ASCII."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
