"""What a store tells of event buses: rules, targets, events, deliveries, archives and replays.

Times are in milliseconds since the epoch.  ``configuration`` has the members of the request that made the thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DELIVERED",
    "FAILED",
    "PENDING",
    "ArchiveRecord",
    "Backlog",
    "BusEvent",
    "BusRecord",
    "Delivery",
    "DeliveryStatus",
    "NewEvent",
    "ReplayRecord",
    "RuleRecord",
    "TargetRecord",
]

DeliveryStatus: TypeAlias = Literal["PENDING", "DELIVERED", "FAILED"]
PENDING: Final[DeliveryStatus] = "PENDING"
DELIVERED: Final[DeliveryStatus] = "DELIVERED"
FAILED: Final[DeliveryStatus] = "FAILED"


class BusRecord(NamedTuple):
    """An event bus that was created; the default bus has no record."""

    arn: str
    created_at: int
    updated_at: int
    configuration: Mapping[str, Any]


class RuleRecord(NamedTuple):
    """A rule.  ``declared``: the project's configuration has it.  ``next_at`` is when its schedule is due."""

    arn: str
    bus_arn: str
    created_at: int
    configuration: Mapping[str, Any]
    declared: bool = False
    next_at: int | None = None

    @property
    def is_enabled(self) -> bool:
        return bool(self.configuration.get("State", "ENABLED") != "DISABLED")


class TargetRecord(NamedTuple):
    """A target of a rule."""

    rule_arn: str
    id: str
    arn: str
    configuration: Mapping[str, Any]


class BusEvent(NamedTuple):
    """An event that was accepted: ``at`` is when, ``time`` is what the event itself says."""

    number: int
    id: str
    bus_arn: str
    at: int
    time: int
    text: str
    hops: int = 0


class NewEvent(NamedTuple):
    """An event to keep, together with all that follows: its deliveries (rule, target) and archives.

    ``origin`` names what has put it: of two events with the same origin the second is not kept.
    """

    event: BusEvent
    deliveries: tuple[tuple[str, str], ...] = ()
    archives: tuple[str, ...] = ()
    origin: str | None = None


class Delivery(NamedTuple):
    """One event for one target.

    ``since`` is from when its age counts; ``due`` is when it is to be tried next, or when the last attempt ended.
    ``note`` says what that has come to.
    """

    number: int
    event: BusEvent
    rule_arn: str
    target: str
    status: DeliveryStatus
    attempts: int
    since: int
    due: int
    note: Mapping[str, Any]


class Backlog(NamedTuple):
    """How many deliveries for one target are pending or have failed, and since when the oldest of them."""

    rule_arn: str
    target: str
    status: DeliveryStatus
    number: int
    oldest: int


class ArchiveRecord(NamedTuple):
    """An archive of a bus."""

    arn: str
    bus_arn: str
    created_at: int
    configuration: Mapping[str, Any]


class ReplayRecord(NamedTuple):
    """A replay of an archive.  ``last`` is the place, by time and number, of the last event that was replayed."""

    arn: str
    archive_arn: str
    started_at: int
    ended_at: int | None
    status: str
    configuration: Mapping[str, Any]
    last: tuple[int, int] | None = None
