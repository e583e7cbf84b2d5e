"""Buses, rules and targets that a project's configuration declares, and what makes a target one.

``[tool.asl.events]``: ``buses`` is a list of names; each table ``rules.NAME`` has ``pattern`` (a table, or JSON
text) or ``schedule``, ``bus``, ``enabled``, ``description``, and ``targets``, by their ids: an ARN, a URL, or a
table with the members of PutTargets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import event_arn, queue_name
from asl_engine.errors import AslError, InvalidInput
from asl_engine.events.entries import DEFAULT_BUS, bus_arn_of
from asl_engine.events.language.faults import InvalidEventPattern
from asl_engine.events.language.patterns import compile_pattern
from asl_engine.events.language.schedules import compile_schedule
from asl_engine.events.language.transformers import compile_input
from asl_engine.events.target_kinds import KINDS_OF_TARGETS, TARGET_MEMBERS, target_kind
from asl_engine.events.ticking import next_tick
from asl_engine.findings import did_you_mean
from asl_engine.json_text import dumps
from asl_engine.store.bus_records import BusRecord, RuleRecord, TargetRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.events.bus import EventBus
    from asl_engine.events.entries import Home

__all__ = ["DeclaredRule", "check_keys", "checked_target", "checked_targets", "declare", "read_declared"]

FIFO: Final = ".fifo"
RULE_KEYS: Final = ("pattern", "schedule", "bus", "enabled", "description", "targets")
TARGET_KEYS: Final = (*TARGET_MEMBERS, "RoleArn")


def checked_target(target: Mapping[str, Any]) -> None:
    """Raises ``AslError`` that says why something, with the members of PutTargets, is no target here."""
    arn = target["Arn"]
    kind = target_kind(arn)
    if kind is None:
        raise InvalidInput(f"Parameter Arn is not valid: {arn} is not {KINDS_OF_TARGETS}")
    compile_input(target)
    if kind == "queue":
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        if arn.endswith(FIFO) and not group:
            raise InvalidInput(f"Parameter SqsParameters.MessageGroupId must be specified: {arn} is a FIFO queue")
        if group and not arn.endswith(FIFO):
            raise InvalidInput(f"Parameter SqsParameters is for FIFO queues, and {arn} is none")
    dead = (target.get("DeadLetterConfig") or {}).get("Arn")
    if dead is not None and queue_name(dead) is None:
        raise InvalidInput(f"Parameter DeadLetterConfig.Arn is not valid: {dead} is not the ARN of an SQS queue")


class DeclaredRule(NamedTuple):
    """A rule of the configuration: the name of its bus, and what PutRule and PutTargets would be given."""

    name: str
    bus: str
    configuration: Mapping[str, Any]
    targets: Mapping[str, Mapping[str, Any]]


def read_declared(
    table: Mapping[str, Any], place: str, more: Sequence[str] = ()
) -> tuple[list[str], list[DeclaredRule]]:
    """The buses and the rules of a configuration's table; ``more`` buses are declared elsewhere.

    Raises ``InvalidInput`` that begins with ``place``, the file, and names the key.
    """
    where = f"{place}: events"
    check_keys(table, ("buses", "rules"), where)
    buses, rules = table.get("buses", []), table.get("rules", {})
    if not (isinstance(buses, list) and all(isinstance(name, str) and name for name in buses)):
        raise InvalidInput(f'{where}.buses has to be a list of names, such as ["orders"]; it is {buses!r}')
    if not isinstance(rules, dict):
        raise InvalidInput(f"{where}.rules has to be a table of rules by their names")
    buses = [*buses, *(name for name in more if name not in buses)]
    read = [_rule(name, rule, f"{where}.rules.{name}") for name, rule in rules.items()]
    for rule in read:
        if rule.bus not in (DEFAULT_BUS, *buses):
            known = ", ".join((DEFAULT_BUS, *buses))
            raise InvalidInput(f"{where}.rules.{rule.name}.bus: there is no bus {rule.bus!r}; there are {known}")
    return buses, read


def check_keys(table: Any, known: tuple[str, ...], where: str) -> None:
    """Raises ``InvalidInput`` for what is no table, and for a key that is not known."""
    if not isinstance(table, dict):
        raise InvalidInput(f"{where} has to be a table with {', '.join(known)}; it is {table!r}")
    for key in table:
        if key not in known:
            raise InvalidInput(
                f"{where}: there is no key {key!r}{did_you_mean(key, known)}; there are {', '.join(known)}"
            )


def _rule(name: str, table: Any, where: str) -> DeclaredRule:
    check_keys(table, RULE_KEYS, where)
    pattern, schedule, bus = table.get("pattern"), table.get("schedule"), table.get("bus", DEFAULT_BUS)
    kept: dict[str, Any] = {"State": "ENABLED" if table.get("enabled", True) else "DISABLED"}
    if (pattern is None) == (schedule is None):
        raise InvalidInput(f"{where} has to have a pattern or a schedule, and not both")
    try:
        if pattern is not None:
            kept["EventPattern"] = pattern if isinstance(pattern, str) else dumps(pattern)
            compile_pattern(kept["EventPattern"])
        else:
            kept["ScheduleExpression"] = str(schedule)
            compile_schedule(str(schedule))
    except InvalidEventPattern as error:
        reasons = "; ".join(f"{one.location or '/'}: {one.message}" for one in error.findings)
        raise InvalidInput(f"{where}.pattern: {reasons}") from None
    except AslError as error:
        raise InvalidInput(f"{where}.schedule: {error}") from None
    if schedule is not None and bus != DEFAULT_BUS:
        raise InvalidInput(f"{where}.schedule: schedules are on the default bus only")
    if "description" in table:
        kept["Description"] = str(table["description"])
    return DeclaredRule(name, str(bus), kept, checked_targets(table.get("targets", {}), where))


def checked_targets(targets: Any, where: str) -> dict[str, Mapping[str, Any]]:
    """Targets by their ids.  Raises ``InvalidInput``."""
    if not isinstance(targets, dict):
        raise InvalidInput(f"{where}.targets has to be a table of targets by their ids")
    return {one: _target(target, f"{where}.targets.{one}") for one, target in targets.items()}


def _target(given: Any, where: str) -> Mapping[str, Any]:
    target = {"Arn": given} if isinstance(given, str) else given
    check_keys(target, TARGET_KEYS, where)
    if not isinstance(target.get("Arn"), str):
        raise InvalidInput(f"{where}.Arn is missing: it is {KINDS_OF_TARGETS}")
    try:
        checked_target(target)
    except AslError as error:
        raise InvalidInput(f"{where}: {error}") from None
    return dict(target)


async def declare(bus: EventBus, home: Home, buses: list[str], rules: list[DeclaredRule]) -> None:
    """Make the database's declared rules those of the configuration; what was made otherwise stays.

    A rule whose name is taken by one that was made by a client takes its place.
    """
    async with bus.changing:
        book = await bus.book()
        now = bus.now()
        for name in buses:
            arn = bus_arn_of(home, name)
            if arn not in book.buses and name != DEFAULT_BUS:
                await bus.buses.put_bus(BusRecord(arn, now, now, {}))
        kept = set()
        for declared in rules:
            names = (declared.name,) if declared.bus == DEFAULT_BUS else (declared.bus, declared.name)
            arn = event_arn(*home, "rule", *names)
            kept.add(arn)
            there = book.rules.get(arn)
            same = there is not None and there.declared and there.configuration == declared.configuration
            rule = RuleRecord(arn, bus_arn_of(home, declared.bus), now, declared.configuration, declared=True)
            rule = there if there is not None and same else rule._replace(next_at=next_tick(rule, now))
            targets = {one: _record(arn, one, target) for one, target in declared.targets.items()}
            if rule is not there or targets != book.targets.get(arn, {}):
                await bus.buses.put_rule(rule, [*targets.values()])
        await bus.buses.remove_rules(arn for arn, rule in book.rules.items() if rule.declared and arn not in kept)
        await bus.changed()


def _record(rule_arn: str, identifier: str, target: Mapping[str, Any]) -> TargetRecord:
    kept = {key: value for key, value in target.items() if key != "Arn"}
    return TargetRecord(rule_arn, identifier, target["Arn"], kept)
