"""Event buses, PutEvents, TestEventPattern, and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.arn import event_arn, event_resource
from asl_engine.events.entries import DEFAULT_BUS, EventsTooLarge, bus_arn_of
from asl_engine.events.language.patterns import compile_pattern
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.server.events.asking import (
    already_exists,
    bus_of,
    checked_bus,
    checked_pattern,
    home_of,
    invalid,
    missing,
    paged,
    seconds,
)
from asl_engine.store.bus_records import BusRecord

if TYPE_CHECKING:
    from asl_engine.events.rule_book import RuleBook
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = [
    "create_event_bus",
    "delete_event_bus",
    "describe_event_bus",
    "list_event_buses",
    "list_tags_for_resource",
    "put_events",
    "tag_resource",
    "test_event_pattern",
    "untag_resource",
    "update_event_bus",
]

KEPT = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")
EVENT_FIELDS = ("id", "account", "source", "time", "region", "resources", "detail-type")


async def put_events(request: Request, service: Service) -> dict[str, Any]:
    """Answers when the accepted entries are on disk with their deliveries."""
    entries: Any = request.data["Entries"]
    try:
        results = await bus_of(service).put(entries, home_of(request), request.started_by)
    except EventsTooLarge as error:
        raise invalid(str(error)) from None
    return {"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results}


async def create_event_bus(request: Request, service: Service) -> dict[str, Any]:
    name = request.text("Name")
    if name == DEFAULT_BUS or "/" in name:
        raise (
            already_exists(f"Event bus {name} already exists.")
            if name == DEFAULT_BUS
            else invalid(f"Event bus name {name} is not valid: only partners' buses have a / in their names")
        )
    bus = bus_of(service)
    arn = event_arn(*request.caller, "event-bus", name)
    async with bus.changing:
        if arn in (await bus.book()).buses:
            raise already_exists(f"Event bus {name} already exists.")
        now = bus.now()
        await bus.buses.put_bus(BusRecord(arn, now, now, _kept(request)))
        await _put_tags(request, service, arn)
        await bus.changed()
    return {"EventBusArn": arn, **_kept(request)}


def _kept(request: Request) -> dict[str, Any]:
    return {name: request.data[name] for name in KEPT if request.data.get(name) is not None}


async def update_event_bus(request: Request, service: Service) -> dict[str, Any]:
    bus = bus_of(service)
    name = request.optional_text("Name") or DEFAULT_BUS
    async with bus.changing:
        book = await bus.book()
        arn = checked_bus(request, book, name)
        there = book.buses.get(arn)
        if there is None:
            raise invalid("The default event bus is as it is here")
        made = there._replace(updated_at=bus.now(), configuration={**there.configuration, **_kept(request)})
        await bus.buses.put_bus(made)
        await bus.changed()
    return {"Arn": arn, "Name": name, **made.configuration}


async def delete_event_bus(request: Request, service: Service) -> dict[str, Any]:
    """Succeeds where there is none; a bus that has rules stays."""
    name = request.text("Name")
    bus = bus_of(service)
    arn = bus_arn_of(home_of(request), name)
    if arn == bus_arn_of(home_of(request), DEFAULT_BUS):
        raise invalid("Cannot delete event bus default.")
    async with bus.changing:
        book = await bus.book()
        if any(rule.bus_arn == arn for rule in book.rules.values()):
            raise invalid("Event bus can't be deleted because it has rules. Delete its rules first.")
        await bus.buses.remove_bus(arn)
        await bus.changed()
    return {}


async def describe_event_bus(request: Request, service: Service) -> dict[str, Any]:
    book = await bus_of(service).book()
    arn = checked_bus(request, book, request.optional_text("Name"))
    return _shown(book, arn)


def _shown(book: RuleBook, arn: str) -> dict[str, Any]:
    found = event_resource(arn)
    record = book.buses.get(arn)
    shown: dict[str, Any] = {"Name": "" if found is None else found[1], "Arn": arn}
    if record is not None:
        shown |= {"CreationTime": seconds(record.created_at), "LastModifiedTime": seconds(record.updated_at)}
        shown |= record.configuration
    return shown


async def list_event_buses(request: Request, service: Service) -> dict[str, Any]:
    book = await bus_of(service).book()
    prefix = request.optional_text("NamePrefix") or ""
    arns = [bus_arn_of(home_of(request), DEFAULT_BUS), *filter(request.owns, book.buses)]
    shown = [_shown(book, arn) for arn in arns]
    items = [(one["Name"], one) for one in shown if one["Name"].startswith(prefix)]
    return paged(request, "EventBuses", items, prefix)


async def test_event_pattern(request: Request, service: Service) -> dict[str, Any]:
    del service
    pattern = compile_pattern(checked_pattern(request.text("EventPattern")))
    try:
        event = loads(request.text("Event"))
    except JsonSyntaxError as error:
        raise invalid(f"Parameter Event is not valid. Reason: {error}") from None
    if not isinstance(event, dict):
        raise invalid("Parameter Event is not valid. Reason: Event must be a JSON object.")
    lacking = [name for name in EVENT_FIELDS if name not in event]
    if lacking:
        raise invalid(f"Parameter Event is not valid. Reason: Event must contain {', '.join(lacking)}.")
    return {"Result": pattern.matches(event)}


# -- tags ---------------------------------------------------------------------------------------------


async def tag_resource(request: Request, service: Service) -> dict[str, Any]:
    await _put_tags(request, service, await _taggable(request, service))
    return {}


async def untag_resource(request: Request, service: Service) -> dict[str, Any]:
    keys: Any = request.data["TagKeys"]
    await service.store.tags.remove(await _taggable(request, service), keys)
    return {}


async def list_tags_for_resource(request: Request, service: Service) -> dict[str, Any]:
    tags = await service.store.tags.get(await _taggable(request, service))
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


async def _taggable(request: Request, service: Service) -> str:
    arn = request.text("ResourceARN")
    book = await bus_of(service).book()
    if arn not in book.rules and arn not in book.buses and arn != bus_arn_of(home_of(request), DEFAULT_BUS):
        raise missing(f"Resource {arn} does not exist.")
    return arn


async def _put_tags(request: Request, service: Service, arn: str) -> None:
    given: Any = request.data.get("Tags") or []
    if given:
        await service.store.tags.put(arn, {tag["Key"]: tag["Value"] for tag in given})
