"""Archives and replays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.arn import event_arn, event_resource
from asl_engine.events.replaying import OPEN_REPLAYS
from asl_engine.server.events.asking import (
    already_exists,
    an_object,
    bus_of,
    checked_bus,
    checked_pattern,
    invalid,
    missing,
    paged,
    seconds,
)
from asl_engine.server.protocol.errors import ApiError
from asl_engine.store.bus_records import ArchiveRecord, ReplayRecord

if TYPE_CHECKING:
    from asl_engine.events.rule_book import RuleBook
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = [
    "cancel_replay",
    "create_archive",
    "delete_archive",
    "describe_archive",
    "describe_replay",
    "list_archives",
    "list_replays",
    "start_replay",
    "update_archive",
]

KEPT = ("Description", "EventPattern", "RetentionDays", "KmsKeyIdentifier")


def _kept(request: Request) -> dict[str, Any]:
    pattern = request.optional_text("EventPattern")
    if pattern:
        checked_pattern(pattern)
    return {name: request.data[name] for name in KEPT if request.data.get(name) is not None}


async def create_archive(request: Request, service: Service) -> dict[str, Any]:
    """Archive what a bus accepts from now on."""
    bus = bus_of(service)
    name, source = request.text("ArchiveName"), request.text("EventSourceArn")
    kept = _kept(request)
    arn = event_arn(*request.caller, "archive", name)
    async with bus.changing:
        book = await bus.book()
        checked_bus(request, book, source)
        if arn in book.archives:
            raise already_exists(f"Archive {name} already exists.")
        record = ArchiveRecord(arn, source, bus.now(), kept)
        await bus.buses.put_archive(record)
        await bus.changed()
    return {"ArchiveArn": arn, "State": "ENABLED", "CreationTime": seconds(record.created_at)}


async def update_archive(request: Request, service: Service) -> dict[str, Any]:
    bus = bus_of(service)
    async with bus.changing:
        record = _archive(request, await bus.book())
        record = record._replace(configuration={**record.configuration, **_kept(request)})
        await bus.buses.put_archive(record)
        await bus.changed()
    return {"ArchiveArn": record.arn, "State": "ENABLED", "CreationTime": seconds(record.created_at)}


async def delete_archive(request: Request, service: Service) -> dict[str, Any]:
    bus = bus_of(service)
    async with bus.changing:
        record = _archive(request, await bus.book())
        await bus.buses.remove_archive(record.arn)
        await bus.changed()
    return {}


async def describe_archive(request: Request, service: Service) -> dict[str, Any]:
    bus = bus_of(service)
    record = _archive(request, await bus.book())
    return await _shown_archive(service, record) | {"ArchiveArn": record.arn, **record.configuration}


async def list_archives(request: Request, service: Service) -> dict[str, Any]:
    book = await bus_of(service).book()
    prefix, source = request.optional_text("NamePrefix") or "", request.optional_text("EventSourceArn")
    found = [one for one in book.archives.values() if source in (None, one.bus_arn) and request.owns(one.arn)]
    shown = [await _shown_archive(service, one) for one in found]
    items = [(one["ArchiveName"], one) for one in shown if one["ArchiveName"].startswith(prefix)]
    return paged(request, "Archives", items, prefix, source)


async def _shown_archive(service: Service, record: ArchiveRecord) -> dict[str, Any]:
    count, size = await bus_of(service).buses.archive_size(record.arn)
    return {
        "ArchiveName": _name(record.arn),
        "EventSourceArn": record.bus_arn,
        "State": "ENABLED",
        "RetentionDays": record.configuration.get("RetentionDays", 0),
        "SizeBytes": size,
        "EventCount": count,
        "CreationTime": seconds(record.created_at),
    }


def _archive(request: Request, book: RuleBook) -> ArchiveRecord:
    name = request.text("ArchiveName")
    record = book.archives.get(event_arn(*request.caller, "archive", name))
    if record is None:
        raise missing(f"Archive {name} does not exist.")
    return record


def _name(arn: str) -> str:
    found = event_resource(arn)
    return "" if found is None else found[1]


# -- replays ------------------------------------------------------------------------------------------


async def start_replay(request: Request, service: Service) -> dict[str, Any]:
    """Put the archived events whose own time is in a span on their bus again, each once."""
    bus = bus_of(service)
    name, source = request.text("ReplayName"), request.text("EventSourceArn")
    begin: Any = request.data["EventStartTime"]
    end: Any = request.data["EventEndTime"]
    destination = an_object(request, "Destination")
    arn = event_arn(*request.caller, "replay", name)
    if begin >= end:
        raise invalid("Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.")
    async with bus.changing:
        book = await bus.book()
        archive = book.archives.get(source)
        if archive is None:
            raise missing(f"Parameter EventSourceArn is not valid. Reason: Archive {source} does not exist.")
        if destination.get("Arn") != archive.bus_arn:
            raise invalid(
                "Parameter Destination.Arn is not valid. Reason: Archived events are replayed to the event bus "
                f"that they come from, {archive.bus_arn}."
            )
        for rule in destination.get("FilterArns") or ():
            if rule not in book.rules:
                raise missing(
                    f"Parameter Destination.FilterArns is not valid. Reason: Rule {rule} does not exist."
                )
        if await _replays(service, arn):
            raise already_exists(f"Replay {name} already exists.")
        kept = {"EventStartTime": begin, "EventEndTime": end, "Destination": destination}
        if request.data.get("Description") is not None:
            kept["Description"] = request.data["Description"]
        record = ReplayRecord(arn, source, bus.now(), None, "STARTING", kept)
        await bus.buses.put_replay(record)
        await bus.changed()
    return {"ReplayArn": arn, "State": "STARTING", "ReplayStartTime": seconds(record.started_at)}


async def cancel_replay(request: Request, service: Service) -> dict[str, Any]:
    bus = bus_of(service)
    async with bus.changing:
        record = await _replay(request, service)
        if record.status not in OPEN_REPLAYS:
            raise ApiError("IllegalStatusException", f"Replay {request.text('ReplayName')} is {record.status}.")
        await bus.buses.put_replay(record._replace(status="CANCELLING"))
        await bus.changed()
    return {"ReplayArn": record.arn, "State": "CANCELLING"}


async def describe_replay(request: Request, service: Service) -> dict[str, Any]:
    record = await _replay(request, service)
    kept = record.configuration
    more = {name: kept[name] for name in ("Description", "Destination") if name in kept}
    return _shown_replay(record) | {"ReplayArn": record.arn} | more


async def list_replays(request: Request, service: Service) -> dict[str, Any]:
    prefix, state = request.optional_text("NamePrefix") or "", request.optional_text("State")
    source = request.optional_text("EventSourceArn")
    found = [
        one
        for one in await _replays(service)
        if request.owns(one.arn) and state in (None, one.status) and source in (None, one.archive_arn)
    ]
    shown = [_shown_replay(one) for one in found]
    items = [(one["ReplayName"], one) for one in shown if one["ReplayName"].startswith(prefix)]
    return paged(request, "Replays", items, prefix, state, source)


async def _replays(service: Service, arn: str | None = None) -> list[ReplayRecord]:
    return [one for one in await bus_of(service).buses.replays() if arn in (None, one.arn)]


async def _replay(request: Request, service: Service) -> ReplayRecord:
    name = request.text("ReplayName")
    found = await _replays(service, event_arn(*request.caller, "replay", name))
    if not found:
        raise missing(f"Replay {name} does not exist.")
    return found[0]


def _shown_replay(record: ReplayRecord) -> dict[str, Any]:
    shown = {
        "ReplayName": _name(record.arn),
        "EventSourceArn": record.archive_arn,
        "State": record.status,
        "EventStartTime": record.configuration["EventStartTime"],
        "EventEndTime": record.configuration["EventEndTime"],
        "EventLastReplayedTime": None if record.last is None else seconds(record.last[0]),
        "ReplayStartTime": seconds(record.started_at),
        "ReplayEndTime": seconds(record.ended_at),
    }
    return {name: value for name, value in shown.items() if value is not None}
