"""Rules and their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.arn import event_resource
from asl_engine.errors import AslError
from asl_engine.events.declared import checked_target
from asl_engine.events.entries import DEFAULT_BUS, bus_arn_of
from asl_engine.events.language.faults import InvalidSchedule
from asl_engine.events.language.schedules import compile_schedule
from asl_engine.events.ticking import next_tick
from asl_engine.server.events.asking import (
    bus_of,
    checked_bus,
    checked_pattern,
    found_rule,
    home_of,
    invalid,
    paged,
    refuse_declared,
    rule_arn_of,
)
from asl_engine.server.protocol.errors import ApiError
from asl_engine.store.bus_records import RuleRecord, TargetRecord

if TYPE_CHECKING:
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = [
    "delete_rule",
    "describe_rule",
    "disable_rule",
    "enable_rule",
    "list_rule_names_by_target",
    "list_rules",
    "list_targets_by_rule",
    "put_rule",
    "put_targets",
    "remove_targets",
]

KEPT = ("EventPattern", "ScheduleExpression", "Description", "RoleArn")
MAX_RULES = 300  # of a bus
MAX_TARGETS = 5  # of a rule


async def put_rule(request: Request, service: Service) -> dict[str, Any]:
    """Make a rule, or put another in its place; its targets stay."""
    bus = bus_of(service)
    name, pattern = request.text("Name"), request.optional_text("EventPattern")
    schedule = request.optional_text("ScheduleExpression")
    if not pattern and not schedule:
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if pattern:
        checked_pattern(pattern)
    if schedule:
        try:
            compile_schedule(schedule)
        except InvalidSchedule as error:
            raise invalid(str(error)) from None
    async with bus.changing:
        book = await bus.book()
        bus_arn = checked_bus(request, book, request.optional_text("EventBusName"))
        if schedule and bus_arn != bus_arn_of(home_of(request), DEFAULT_BUS):
            raise invalid("ScheduleExpression is supported only on the default event bus.")
        arn = rule_arn_of(bus_arn, request, name)
        there = book.rules.get(arn)
        if there is not None and there.declared:
            refuse_declared(name)
        if there is None and sum(rule.bus_arn == bus_arn for rule in book.rules.values()) >= MAX_RULES:
            raise ApiError("LimitExceededException", f"An event bus has {MAX_RULES} rules at most.")
        kept = {key: request.data[key] for key in KEPT if request.data.get(key)}
        kept["State"] = request.optional_text("State") or "ENABLED"
        same = there is not None and there.configuration.get("ScheduleExpression") == schedule
        began = there.created_at if there is not None and same else bus.now()
        rule = RuleRecord(arn, bus_arn, began, kept)
        await bus.buses.put_rule(rule._replace(next_at=next_tick(rule, bus.now())))
        given: Any = request.data.get("Tags") or []
        if given and there is None:
            await service.store.tags.put(arn, {tag["Key"]: tag["Value"] for tag in given})
        await bus.changed()
    return {"RuleArn": arn}


async def delete_rule(request: Request, service: Service) -> dict[str, Any]:
    """Succeeds where there is none; a rule that has targets stays."""
    bus = bus_of(service)
    async with bus.changing:
        book = await bus.book()
        bus_arn = checked_bus(request, book, request.optional_text("EventBusName"))
        rule = book.rules.get(rule_arn_of(bus_arn, request, request.text("Name")))
        if rule is None:
            return {}
        if rule.declared:
            refuse_declared(request.text("Name"))
        if book.targets.get(rule.arn):
            raise invalid("Rule can't be deleted since it has targets.")
        await bus.buses.remove_rules([rule.arn])
        await bus.changed()
    return {}


async def describe_rule(request: Request, service: Service) -> dict[str, Any]:
    return _shown(found_rule(request, await bus_of(service).book()))


async def list_rules(request: Request, service: Service) -> dict[str, Any]:
    book = await bus_of(service).book()
    bus_arn = checked_bus(request, book, request.optional_text("EventBusName"))
    prefix = request.optional_text("NamePrefix") or ""
    shown = [_shown(rule) for rule in book.rules.values() if rule.bus_arn == bus_arn]
    items = [(one["Name"], one) for one in shown if one["Name"].startswith(prefix)]
    return paged(request, "Rules", items, bus_arn, prefix)


def _shown(rule: RuleRecord) -> dict[str, Any]:
    managed = {"ManagedBy": "asl"} if rule.declared else {}
    return {
        "Name": _name(rule.arn),
        "Arn": rule.arn,
        "EventBusName": _name(rule.bus_arn),
        **rule.configuration,
        **managed,
    }


def _name(arn: str) -> str:
    found = event_resource(arn)
    return "" if found is None else found[1]


async def enable_rule(request: Request, service: Service) -> dict[str, Any]:
    return await _set_state(request, service, "ENABLED")


async def disable_rule(request: Request, service: Service) -> dict[str, Any]:
    return await _set_state(request, service, "DISABLED")


async def _set_state(request: Request, service: Service, state: str) -> dict[str, Any]:
    bus = bus_of(service)
    async with bus.changing:
        rule = found_rule(request, await bus.book(), changed=True)
        rule = rule._replace(configuration={**rule.configuration, "State": state})
        await bus.buses.put_rule(rule._replace(next_at=next_tick(rule, bus.now())))
        await bus.changed()
    return {}


# -- targets ------------------------------------------------------------------------------------------


async def put_targets(request: Request, service: Service) -> dict[str, Any]:
    bus = bus_of(service)
    given: Any = request.data["Targets"]
    for target in given:
        try:
            checked_target(target)
        except AslError as error:
            raise invalid(f"Target {target['Id']}: {error}") from None
    async with bus.changing:
        book = await bus.book()
        rule = found_rule(request, book, "Rule", changed=True)
        if len({*book.targets.get(rule.arn, ()), *(target["Id"] for target in given)}) > MAX_TARGETS:
            raise ApiError("LimitExceededException", f"A rule has {MAX_TARGETS} targets at most.")
        records = [
            TargetRecord(
                rule.arn,
                one["Id"],
                one["Arn"],
                {k: v for k, v in one.items() if k not in {"Id", "Arn"} and v is not None},
            )
            for one in given
        ]
        await bus.buses.put_targets(records)
        await bus.changed()
    return {"FailedEntryCount": 0, "FailedEntries": []}


async def remove_targets(request: Request, service: Service) -> dict[str, Any]:
    """Deliveries that are to be made still become dead letters: what they are for is gone."""
    bus = bus_of(service)
    ids: Any = request.data["Ids"]
    async with bus.changing:
        book = await bus.book()
        rule = found_rule(request, book, "Rule", changed=True)
        there = book.targets.get(rule.arn, {})
        await bus.buses.remove_targets(rule.arn, ids)
        await bus.changed()
    failed = [
        {
            "TargetId": one,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"Rule {request.text('Rule')} does not have a target {one}.",
        }
        for one in ids
        if one not in there
    ]
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


async def list_targets_by_rule(request: Request, service: Service) -> dict[str, Any]:
    book = await bus_of(service).book()
    rule = found_rule(request, book, "Rule")
    items = [
        (one.id, {"Id": one.id, "Arn": one.arn, **one.configuration})
        for one in book.targets.get(rule.arn, {}).values()
    ]
    return paged(request, "Targets", items, rule.arn)


async def list_rule_names_by_target(request: Request, service: Service) -> dict[str, Any]:
    book = await bus_of(service).book()
    bus_arn = checked_bus(request, book, request.optional_text("EventBusName"))
    arn = request.text("TargetArn")
    names = [
        _name(rule.arn)
        for rule in book.rules.values()
        if rule.bus_arn == bus_arn and any(one.arn == arn for one in book.targets.get(rule.arn, {}).values())
    ]
    return paged(request, "RuleNames", [(name, name) for name in names], bus_arn, arn)
