"""The entries of PutEvents: each is an event, or is refused by itself.

Pure.  "PutEvents" and "PutEventsRequestEntry" in the EventBridge API Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import event_arn, is_arn
from asl_engine.errors import AslError
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.limits import utf8_length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "DEFAULT_BUS",
    "EntryRefused",
    "EventsTooLarge",
    "Home",
    "bus_arn_of",
    "check_size",
    "event_of",
    "whole_seconds",
]

DEFAULT_BUS: Final = "default"
MAX_BYTES: Final = 256 * 1024  # of all entries of a request
TIME_BYTES: Final = 14
LAST_TIME: Final = 253_402_300_799_999  # the end of the year 9999, in milliseconds
OWN_SOURCES: Final = "aws."


class Home(NamedTuple):
    """The region and the account of a bus."""

    region: str
    account: str


class EntryRefused(AslError):
    """An entry is no event; ``code`` and ``message`` are those of PutEventsResultEntry."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class EventsTooLarge(AslError):
    """The entries of a request are too many bytes."""


def bus_arn_of(home: Home, name: str | None) -> str:
    """The ARN of a bus by its name or its ARN; the default bus where neither is given."""
    given = name or DEFAULT_BUS
    return given if is_arn(given) else event_arn(*home, "event-bus", given)


def check_size(entries: Sequence[Mapping[str, Any]]) -> None:
    """Raises ``EventsTooLarge`` with the sizes of the largest entries.

    The size is calculated as in "Calculating PutEvents event entry size" in the User Guide.
    """
    sizes = [_size(entry) for entry in entries]
    if sum(sizes) > MAX_BYTES:
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        raise EventsTooLarge(
            f"Total size of the entries in the request is over the limit: {sum(sizes)} bytes, and {MAX_BYTES} are "
            f"allowed; Entries[{largest}] alone has {sizes[largest]}. Put large data elsewhere, and "
            "a reference to it into the event"
        )


def _size(entry: Mapping[str, Any]) -> int:
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    size = sum(utf8_length(text) for text in (*texts, *(entry.get("Resources") or ())))
    return size + (TIME_BYTES if entry.get("Time") is not None else 0)


def event_of(entry: Mapping[str, Any], home: Home, identifier: str, now: int) -> tuple[dict[str, Any], int]:
    """The event that targets get, and its time in milliseconds.  Raises ``EntryRefused``."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            raise EntryRefused(
                "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
            )
    if entry["Source"].startswith(OWN_SOURCES):
        raise EntryRefused(
            "NotAuthorizedForSourceException",
            f"Not authorized for the source. {entry['Source']}: those that begin with aws. are AWS's own",
        )
    try:
        detail = loads(entry["Detail"])
    except JsonSyntaxError as error:
        raise EntryRefused("MalformedDetail", f"Detail is malformed: {error}") from None
    if not isinstance(detail, dict):
        raise EntryRefused("MalformedDetail", "Detail is malformed: it has to be a JSON object")
    time = now if entry.get("Time") is None else int(entry["Time"] * 1000)
    if not 0 <= time <= LAST_TIME:
        raise EntryRefused(
            "InvalidArgument", "Parameter Time is not valid. Reason: it is not between the years 1970 and 9999."
        )
    return {
        "version": "0",
        "id": identifier,
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": home.account,
        "time": whole_seconds(time),
        "region": home.region,
        "resources": [*(entry.get("Resources") or ())],
        "detail": detail,
    }, time


def whole_seconds(moment: int) -> str:
    """A time in milliseconds as events tell it: ``2023-11-14T22:13:20Z``."""
    return f"{format_timestamp(moment)[:19]}Z"
