"""The limits AWS enforces, as data: on by default, each with its own switch.

Sources: "Service quotas" in the AWS Step Functions Developer Guide; botocore's service model; and for what
variables count, results recorded from AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.json_values import Json

__all__ = [
    "AWS_LIMITS",
    "MAX_DEFINITION_BYTES",
    "MAX_NAME_LENGTH",
    "NO_LIMITS",
    "Limits",
    "cut",
    "from_option",
    "overridden",
    "parse_limits",
    "to_option",
    "utf8_length",
]

MAX_NAME_LENGTH = 80
MAX_DEFINITION_BYTES = 1_048_576
OFF = "none"


class Limits(NamedTuple):
    """None switches a limit off.  Bytes are those of the text in UTF-8, lengths are characters.

    ``payload_bytes`` bounds an input, an output or a result; ``history_events`` the history of one execution,
    of which the last event is then its failure.  ``variable_bytes`` bounds each variable and all that one Assign
    sets, ``variables_bytes`` all that an execution has at a time.  ``name_length`` holds for names of
    executions, states and variables.  ``execution_seconds`` and ``express_seconds`` are how long a Standard and an
    Express execution may take, ``redrive_seconds`` how long after its end it can be redriven.  ``activities`` is
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
    activity_polls: int | None = 1_000
    error_length: int | None = 256
    cause_length: int | None = 32_768
    name_length: int | None = MAX_NAME_LENGTH
    variable_bytes: int | None = 262_144
    variables_bytes: int | None = 10_485_760
    definition_bytes: int | None = MAX_DEFINITION_BYTES


AWS_LIMITS = Limits()
NO_LIMITS = Limits(*[None] * len(Limits._fields))


def parse_limits(given: Iterable[str], base: Limits = AWS_LIMITS) -> Limits:
    """``NAME=NUMBER`` and ``NAME=none`` over the limits that hold otherwise.  Raises ``InvalidInput``."""
    return overridden(base, dict(_parsed(text) for text in given), None)


def _parsed(text: str) -> tuple[str, str | int]:
    name, _, value = text.partition("=")
    return name.strip(), int(value) if value.strip().isdecimal() and value.isascii() else value.strip()


def overridden(base: Limits, given: Mapping[str, object], where: str | None = "") -> Limits:
    """The limits with some set otherwise: to a number, or off with None or "none".

    Raises ``InvalidInput``, which begins with ``where``, or, where that is None, names the parameter ``limit``.
    """
    changed: dict[str, int | None] = {}
    for key, value in given.items():
        name = key.replace("-", "_")
        if name not in Limits._fields:
            known = ", ".join(Limits._fields)
            raise InvalidInput(
                _place(where, key), f": there is no such limit{did_you_mean(name, Limits._fields)}: {known}"
            )
        if value is None or value == OFF:
            changed[name] = None
        elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
            changed[name] = value
        else:
            raise InvalidInput(_place(where, f"{key}={value}"), f": a limit is a number above 0, or {OFF}")
    return base._replace(**changed)


def _place(where: str | None, text: str) -> str | Parameter:
    return Parameter("limit", text) if where is None else f"{where}{text}"


def to_option(limits: Limits) -> Json:
    """What is stored of them: those that are not AWS's."""
    return {name: value for name, value in limits._asdict().items() if value != getattr(AWS_LIMITS, name)}


def from_option(stored: Json) -> Limits:
    """What ``to_option`` has made.  Earlier versions stored whether there are limits at all."""
    if isinstance(stored, dict):
        return overridden(AWS_LIMITS, {name: value for name, value in stored.items() if name in Limits._fields})
    return NO_LIMITS if stored is False else AWS_LIMITS


def cut(error: str | None, cause: str | None, limits: Limits = AWS_LIMITS) -> tuple[str | None, str | None]:
    """An error and a cause at the lengths that AWS stores."""
    return error and error[: limits.error_length], cause and cause[: limits.cause_length]


def utf8_length(text: str) -> int:
    """The number of bytes of ``text`` in UTF-8, without encoding what is plainly ASCII."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
