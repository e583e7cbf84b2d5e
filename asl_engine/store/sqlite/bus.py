"""Event buses in the database: what was created, what was accepted, and what is to be delivered.

An event is kept in one transaction with its deliveries; the outcome of a delivery with what follows from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.json_text import dumps, loads
from asl_engine.store.bus_records import (
    FAILED,
    PENDING,
    ArchiveRecord,
    Backlog,
    BusEvent,
    BusRecord,
    Delivery,
    NewEvent,
    ReplayRecord,
    RuleRecord,
    TargetRecord,
)
from asl_engine.store.sqlite.parts import Part
from asl_engine.store.sqlite.tags import DELETE_TAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity
    from asl_engine.store.bus_protocol import Along
    from asl_engine.store.bus_records import DeliveryStatus
    from asl_engine.store.sqlite.connection import Fetch, Statement, Write

__all__ = ["BusTable"]

AMONG = "IN (SELECT value FROM json_each(?))"
EVENT = "e.event, e.id, e.bus_arn, e.at, e.time, e.text, e.hops"
DELIVERY = f"{EVENT}, d.delivery, d.rule_arn, d.target, d.status, d.attempts, d.since, d.due, d.note"
DELIVERIES = f"SELECT {DELIVERY} FROM deliveries d JOIN bus_events e ON e.event = d.event"
INSERT_EVENT = """
    INSERT INTO bus_events (event, id, bus_arn, at, time, text, hops, origin) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (origin) DO NOTHING
"""
# An event that was there already, by its origin, has its deliveries.
IS_NEW = "EXISTS (SELECT 1 FROM bus_events WHERE event = ?1)"
INSERT_DELIVERIES = f"""
    INSERT INTO deliveries (event, rule_arn, target, status, attempts, since, due)
    SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), 'PENDING', 0, ?2, ?2
    FROM json_each(?3) WHERE {IS_NEW}
"""
INSERT_ARCHIVED = f"""
    INSERT INTO archived_events (archive_arn, time, event) SELECT value, ?2, ?1 FROM json_each(?3) WHERE {IS_NEW}
"""
PUT_RULE = """
    INSERT OR REPLACE INTO event_rules (arn, bus_arn, created_at, configuration, declared, next_at)
    VALUES (?, ?, ?, ?, ?, ?)
"""
PUT_REPLAY = """
    INSERT OR REPLACE INTO event_replays
    (arn, archive_arn, started_at, ended_at, status, configuration, last_time, last_event)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
# Two indexes have just these.
BACKLOG = " UNION ALL ".join(
    f"SELECT rule_arn, target, '{status}', count(*), min(since) FROM deliveries"
    f" WHERE status = '{status}' GROUP BY rule_arn, target"
    for status in (PENDING, FAILED)
)
OUTCOME = (
    "UPDATE deliveries SET status = ?, attempts = ?, due = ?, note = ? WHERE delivery = ? AND status = 'PENDING'"
)
REDRIVE = """
    UPDATE deliveries SET status = 'PENDING', attempts = 0, since = ?, due = ? WHERE status = 'FAILED' AND delivery
"""
# Events that nothing holds any more: no delivery is to be made or looked after, and no archive has them.
LOOSE = """
    SELECT event FROM bus_events e
    WHERE at < ? AND NOT EXISTS (SELECT 1 FROM archived_events a WHERE a.event = e.event)
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.event AND d.status <> 'DELIVERED') LIMIT 1000
"""


class BusTable:
    """``Buses`` in SQLite.  ``write`` runs statements in one transaction of the store.

    ``lease`` is this process's token; ``is_held`` says whether the process of another still lives.
    """

    def __init__(
        self, fetch: Fetch, write: Write, lease: Callable[[], str], is_held: Callable[[str], bool]
    ) -> None:
        self._fetch = fetch
        self._write = write
        self._part = Part("event_deliverer", fetch, write, lease, is_held)
        self.along: Along | None = None

    def alongside(self, arn: str, events: Sequence[Event], identity: Identity | None = None) -> list[Statement]:
        """What keeps bus events in the transaction in which an execution's events are kept.

        ``identity`` is that of an execution which these events begin.
        """
        if self.along is None:
            return []
        return [statement for one in self.along(arn, events, identity) for statement in _keep(one)]

    async def claim(self) -> bool:
        """Whether this process is the one that delivers.  It becomes that where no living process is."""
        return await self._part.claim()

    async def has_deliverer(self) -> bool:
        """Whether a living process delivers."""
        return await self._part.is_played()

    async def leave(self) -> None:
        await self._part.leave()

    # -- what was created -------------------------------------------------------------------------

    async def buses(self) -> list[BusRecord]:
        rows = await self._fetch(
            "SELECT arn, created_at, updated_at, configuration FROM event_buses ORDER BY arn", ()
        )
        return [BusRecord._make([*row[:3], _object(row[3])]) for row in rows]

    async def put_bus(self, record: BusRecord) -> None:
        await self._write(
            (
                "REPLACE INTO event_buses (arn, created_at, updated_at, configuration) VALUES (?, ?, ?, ?)",
                (*record[:3], dumps({**record.configuration})),
            )
        )

    async def remove_bus(self, arn: str) -> None:
        await self._write(("DELETE FROM event_buses WHERE arn = ?", (arn,)), (DELETE_TAGS, (arn,)))

    async def rules(self) -> list[RuleRecord]:
        rows = await self._fetch(
            "SELECT arn, bus_arn, created_at, configuration, declared, next_at FROM event_rules ORDER BY arn", ()
        )
        return [RuleRecord._make([*row[:3], _object(row[3]), bool(row[4]), row[5]]) for row in rows]

    async def put_rule(self, record: RuleRecord, targets: Sequence[TargetRecord] | None = None) -> None:
        """Keep a rule; with ``targets``, these are all that it has from now on."""
        statements = [_rule(record)]
        if targets is not None:
            statements.append(("DELETE FROM event_targets WHERE rule_arn = ?", (record.arn,)))
            statements += [_target(target) for target in targets]
        await self._write(*statements)

    async def remove_rules(self, arns: Iterable[str]) -> None:
        """Remove rules with their targets and tags."""
        for arn in arns:
            await self._write(
                ("DELETE FROM event_rules WHERE arn = ?", (arn,)),
                ("DELETE FROM event_targets WHERE rule_arn = ?", (arn,)),
                (DELETE_TAGS, (arn,)),
            )

    async def targets(self) -> list[TargetRecord]:
        rows = await self._fetch(
            "SELECT rule_arn, id, arn, configuration FROM event_targets ORDER BY rule_arn, id", ()
        )
        return [TargetRecord._make([*row[:3], _object(row[3])]) for row in rows]

    async def put_targets(self, targets: Sequence[TargetRecord]) -> None:
        await self._write(*(_target(target) for target in targets))

    async def remove_targets(self, rule_arn: str, ids: Collection[str]) -> None:
        await self._write(
            (f"DELETE FROM event_targets WHERE rule_arn = ? AND id {AMONG}", (rule_arn, dumps([*ids])))
        )

    # -- events and deliveries --------------------------------------------------------------------

    async def keep(self, events: Sequence[NewEvent], *more: Statement) -> None:
        """Keep events with their deliveries, in one transaction."""
        await self._write(*(statement for one in events for statement in _keep(one)), *more)

    async def tick(self, rule: RuleRecord, events: Sequence[NewEvent]) -> None:
        """Keep the events of a schedule, and when it is due next."""
        moved: Statement = ("UPDATE event_rules SET next_at = ? WHERE arn = ?", (rule.next_at, rule.arn))
        await self.keep(events, moved)

    async def lanes(self) -> list[tuple[str, str]]:
        """The rules and targets for which deliveries are pending."""
        rows = await self._fetch("SELECT DISTINCT rule_arn, target FROM deliveries WHERE status = 'PENDING'", ())
        return [(str(rule), str(target)) for rule, target in rows]

    async def pending(self, rule_arn: str, target: str, limit: int) -> list[Delivery]:
        """Deliveries for one target that are still to be made, the first due first."""
        where = "WHERE d.status = 'PENDING' AND d.rule_arn = ? AND d.target = ? ORDER BY d.due, d.delivery LIMIT ?"
        return await self._deliveries(where, (rule_arn, target, limit))

    async def settle(
        self,
        delivery: Delivery,
        status: DeliveryStatus,
        due: int,
        note: Mapping[str, Any],
        forwarded: Sequence[NewEvent] = (),
    ) -> None:
        """Keep what an attempt has come to; ``forwarded`` are events for another bus that come with it."""
        await self.keep(forwarded, (OUTCOME, (status, delivery.attempts, due, dumps({**note}), delivery.number)))

    async def redrive(self, numbers: Collection[int] | None, now: int) -> list[int]:
        """Make failed deliveries pending again: those given, or all.  Returns their numbers."""
        where = "status = 'FAILED'" + ("" if numbers is None else f" AND delivery {AMONG}")
        values = () if numbers is None else (dumps([*numbers]),)
        rows = await self._fetch(f"SELECT delivery FROM deliveries WHERE {where}", values)
        found = [int(row[0]) for row in rows]
        if found:
            await self._write((f"{REDRIVE} {AMONG}", (now, now, dumps([*found]))))
        return found

    async def events(self, after: int = 0, limit: int = 1000, *, bus_arn: str | None = None) -> list[BusEvent]:
        """Events in the order in which they were accepted, after the one of a number."""
        where = "" if bus_arn is None else "AND e.bus_arn = ?3"
        values = (after, limit) if bus_arn is None else (after, limit, bus_arn)
        rows = await self._fetch(
            f"SELECT {EVENT} FROM bus_events e WHERE e.event > ?1 {where} ORDER BY e.event LIMIT ?2", values
        )
        return [BusEvent._make(row) for row in rows]

    async def last_events(self, limit: int) -> list[BusEvent]:
        """The last events that were accepted, in this order."""
        rows = await self._fetch(f"SELECT {EVENT} FROM bus_events e ORDER BY e.event DESC LIMIT ?", (limit,))
        return [BusEvent._make(row) for row in reversed(rows)]

    async def deliveries_of(self, numbers: Collection[int]) -> list[Delivery]:
        """The deliveries of events, by their numbers."""
        return await self._deliveries(f"WHERE d.event {AMONG} ORDER BY d.delivery", (dumps([*numbers]),))

    async def failed(self, limit: int) -> list[Delivery]:
        """The last dead letters, in the order in which they were accepted."""
        found = await self._deliveries("WHERE d.status = 'FAILED' ORDER BY d.delivery DESC LIMIT ?", (limit,))
        return found[::-1]

    async def origin(self, number: int) -> str | None:
        """What has put an event, where that is known: the key of a task, or the event of an execution."""
        rows = await self._fetch("SELECT origin FROM bus_events WHERE event = ?", (number,))
        return rows[0][0] if rows else None

    async def backlog(self) -> list[Backlog]:
        """What is pending and what has failed, by target."""
        rows = await self._fetch(BACKLOG, ())
        return [Backlog._make(row) for row in rows]

    async def _deliveries(self, where: str, values: tuple[Any, ...]) -> list[Delivery]:
        rows = await self._fetch(f"{DELIVERIES} {where}", values)
        return [Delivery._make([row[7], BusEvent._make(row[:7]), *row[8:14], _object(row[14])]) for row in rows]

    # -- archives and replays ---------------------------------------------------------------------

    async def archives(self) -> list[ArchiveRecord]:
        rows = await self._fetch(
            "SELECT arn, bus_arn, created_at, configuration FROM event_archives ORDER BY arn", ()
        )
        return [ArchiveRecord._make([*row[:3], _object(row[3])]) for row in rows]

    async def put_archive(self, record: ArchiveRecord) -> None:
        await self._write(
            (
                "REPLACE INTO event_archives (arn, bus_arn, created_at, configuration) VALUES (?, ?, ?, ?)",
                (*record[:3], dumps({**record.configuration})),
            )
        )

    async def remove_archive(self, arn: str) -> None:
        await self._write(
            ("DELETE FROM event_archives WHERE arn = ?", (arn,)),
            ("DELETE FROM archived_events WHERE archive_arn = ?", (arn,)),
        )

    async def archive_size(self, arn: str) -> tuple[int, int]:
        """How many events an archive has, and how many bytes they are."""
        rows = await self._fetch(
            "SELECT count(*), coalesce(sum(length(CAST(e.text AS BLOB))), 0) FROM archived_events a"
            " JOIN bus_events e ON e.event = a.event WHERE a.archive_arn = ?",
            (arn,),
        )
        return int(rows[0][0]), int(rows[0][1])

    async def archived(self, archive_arn: str, after: tuple[int, int], before: int, limit: int) -> list[BusEvent]:
        """The events of an archive after a place, by time and number, and before a time."""
        rows = await self._fetch(
            f"SELECT {EVENT} FROM archived_events a JOIN bus_events e ON e.event = a.event WHERE a.archive_arn = ?"
            " AND (a.time, a.event) > (?, ?) AND a.time < ? ORDER BY a.time, a.event LIMIT ?",
            (archive_arn, *after, before, limit),
        )
        return [BusEvent._make(row) for row in rows]

    async def replays(self) -> list[ReplayRecord]:
        rows = await self._fetch(
            "SELECT arn, archive_arn, started_at, ended_at, status, configuration, last_time, last_event"
            " FROM event_replays ORDER BY arn",
            (),
        )
        return [
            ReplayRecord._make([*row[:5], _object(row[5]), None if row[6] is None else (int(row[6]), int(row[7]))])
            for row in rows
        ]

    async def put_replay(self, record: ReplayRecord, events: Sequence[NewEvent] = ()) -> None:
        """Keep a replay, with the events that it has replayed since."""
        last = record.last or (None, None)
        await self.keep(events, (PUT_REPLAY, (*record[:5], dumps({**record.configuration}), *last)))

    async def tidy(self, before: int, retained: Mapping[str, int]) -> int:
        """Remove events accepted before a time that nothing holds any more.  Returns their number.

        ``retained`` are archives with the time from which they keep events.
        """
        for archive, since in retained.items():
            await self._write(("DELETE FROM archived_events WHERE archive_arn = ? AND time < ?", (archive, since)))
        gone = 0
        while rows := await self._fetch(LOOSE, (before,)):
            numbers = dumps([int(row[0]) for row in rows])
            await self._write(
                (f"DELETE FROM deliveries WHERE event {AMONG}", (numbers,)),
                (f"DELETE FROM bus_events WHERE event {AMONG}", (numbers,)),
            )
            gone += len(rows)
        return gone


def _object(text: str | None) -> dict[str, Any]:
    kept: Any = loads(text or "{}")
    return dict(kept)


def _keep(new: NewEvent) -> list[Statement]:
    event = new.event
    statements: list[Statement] = [(INSERT_EVENT, (*event, new.origin))]
    if new.deliveries:
        statements.append((INSERT_DELIVERIES, (event.number, event.at, dumps([[*one] for one in new.deliveries]))))
    if new.archives:
        statements.append((INSERT_ARCHIVED, (event.number, event.time, dumps([*new.archives]))))
    return statements


def _rule(record: RuleRecord) -> Statement:
    return PUT_RULE, (*record[:3], dumps({**record.configuration}), record.declared, record.next_at)


def _target(record: TargetRecord) -> Statement:
    return (
        "INSERT OR REPLACE INTO event_targets (rule_arn, id, arn, configuration) VALUES (?, ?, ?, ?)",
        (*record[:3], dumps({**record.configuration})),
    )
