"""What the commands of ``asl events`` share: the bus of a database, and how events and deliveries are shown."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.arn import event_resource, last_part
from asl_engine.emulation.settings import declared_buses
from asl_engine.errors import InvalidInput
from asl_engine.events.alert_rules import with_alerts
from asl_engine.events.bus import EventBus
from asl_engine.events.declared import declare, read_declared
from asl_engine.events.entries import Home, bus_arn_of
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.project.inputs import read_text
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.projections.causes import readable_cause
from asl_engine.projections.moments import utc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asl_engine.store.bus_records import BusEvent, Delivery

__all__ = [
    "bus_named",
    "counted_deliveries",
    "delivery_line",
    "event_line",
    "given_json",
    "given_text",
    "opened_bus",
    "shown_delivery",
]

SHOWN = 160  # characters of an event's detail in a line


@asynccontextmanager
async def opened_bus(db: str | None, *, create: bool = False, reading: bool = False) -> AsyncIterator[EventBus]:
    """The bus of a database, with the rules that the project declares: its configuration, and its templates.

    Where a server is at work, the rules are as it has declared them: it follows the files, or does not.
    Raises ``InvalidInput`` where those of the configuration are none, ``StoreError`` where the database cannot be
    used.
    """
    project = project_of(Path.cwd())
    source = str(project.source)  # what is wrong there is told before anything is made
    with_alerts(read_declared(project.events, source, declared_buses(project)), project.alerts, source)
    async with opened(database(db), create=create, reading=reading) as store:
        bus = EventBus(store.bus, lambda: time.time_ns() // 1_000_000, Home(project.region, project.account))
        if not reading and not await bus.buses.has_deliverer():
            from asl_engine.dev.starting import whole_project

            _, declared = await asyncio.to_thread(whole_project, project)
            await declare(bus, bus.home, *declared)
        yield bus


def given_text(given: str, what: str) -> str:
    """A text that is given as a file, as ``-`` for the standard input, or as it is.  Raises ``InvalidInput``."""
    if given == "-" or not given.lstrip().startswith(("{", "[", '"')):
        return read_text(given, what)
    return given


def given_json(given: str, what: str) -> Any:
    """The value of a ``given_text``, which has to be JSON.  Raises ``InvalidInput`` with the place."""
    try:
        return loads(given_text(given, what))
    except JsonSyntaxError as error:
        raise InvalidInput(f"{what}: this is not JSON: {error}") from None


def counted_deliveries(number: int) -> str:
    """``1 delivery``, ``2 deliveries``."""
    return f"{number} {'delivery' if number == 1 else 'deliveries'}"


def bus_named(bus: EventBus, name: str | None) -> str | None:
    """The ARN of the bus that ``--bus`` names, None without it."""
    return None if name is None else bus_arn_of(bus.home, name)


def event_line(event: BusEvent) -> str:
    """An event in a line: when it was accepted, its bus, source, detail type and detail."""
    told: Any = loads(event.text)
    bus = event_resource(event.bus_arn)
    detail = dumps(told["detail"])
    short = detail if len(detail) <= SHOWN else f"{detail[:SHOWN]}..."
    name = "" if bus is None else bus[1]
    return f"{utc(event.at)}  {name}  {told['source']}  {told['detail-type']}  {short}"


def delivery_line(delivery: Delivery) -> str:
    """A delivery in a line: its number, where to, and what has come of it."""
    rule = event_resource(delivery.rule_arn)
    tries = "" if delivery.attempts < 2 else f" after {delivery.attempts} attempts"
    note = delivery.note
    reason = f": {note['code']}: {readable_cause(note['message'])}" if "code" in note else ""
    if delivery.status == "PENDING" and delivery.attempts:
        tries = f", {delivery.attempts} failed, next {utc(delivery.due)}"
    where = f" in {last_part(note['deadLetter'])} too" if "deadLetter" in note else ""
    name = "" if rule is None else rule[1]
    return f"{delivery.number}  {name}/{delivery.target}  {delivery.status}{tries}{reason}{where}"


def shown_delivery(delivery: Delivery) -> dict[str, Any]:
    """A delivery as JSON."""
    return {
        "Delivery": delivery.number,
        "EventId": delivery.event.id,
        "RuleArn": delivery.rule_arn,
        "TargetId": delivery.target,
        "Status": delivery.status,
        "Attempts": delivery.attempts,
        "Due": delivery.due / 1000,
        **({"Note": {**delivery.note}} if delivery.note else {}),
    }
