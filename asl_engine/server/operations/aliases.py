"""Creating, describing, listing, updating and deleting aliases of state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.arn import parse_arn, version_number
from asl_engine.errors import Conflict
from asl_engine.projections.descriptions import present
from asl_engine.projections.moments import moment
from asl_engine.server.protocol.errors import ApiError, conflict, not_found, quota_exceeded
from asl_engine.server.protocol.tokens import page_token, position_of
from asl_engine.server.targets import Target, deleting, parsed, target
from asl_engine.store.records import AliasRecord, Route

if TYPE_CHECKING:
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = [
    "create_state_machine_alias",
    "delete_state_machine_alias",
    "describe_state_machine_alias",
    "list_state_machine_aliases",
    "update_state_machine_alias",
]

MAX_ALIASES = 100  # of one state machine


async def create_state_machine_alias(request: Request, service: Service) -> dict[str, Any]:
    """Idempotent by name, description and routing."""
    routing, machine = _routing(request)
    async with service.changing:
        await _check_versions(request, service, routing, machine)
        now = service.engine.clock.now()
        description = request.optional_text("description")
        record = AliasRecord(machine, request.text("name"), description, routing, now, now)
        others = await service.store.aliases.of_machine(machine)
        there = next((one for one in others if one.name == record.name), None)
        if there is None:
            if len(others) >= MAX_ALIASES:
                raise quota_exceeded(
                    f"The state machine '{machine}' has reached the limit of {MAX_ALIASES} aliases"
                )
            # Later than all others, so that the order by date is the order of creation.
            now = max([now, *(one.created_at + 1 for one in others)])
            record = record._replace(created_at=now, updated_at=now)
            try:
                await service.store.aliases.add(record)
            except Conflict:  # another process has created it first
                raise _taken() from None
        elif (there.description, there.routing) != (description, routing):
            raise _taken()
    return {"stateMachineAliasArn": record.arn, "creationDate": moment((there or record).created_at)}


async def describe_state_machine_alias(request: Request, service: Service) -> dict[str, Any]:
    alias = await _alias(request, service)
    return present(
        stateMachineAliasArn=alias.arn,
        name=alias.name,
        description=alias.description,
        routingConfiguration=alias.routing,
        creationDate=moment(alias.created_at),
        updateDate=moment(alias.updated_at),
    )


async def update_state_machine_alias(request: Request, service: Service) -> dict[str, Any]:
    """Members that are left out stay as they are; an update that changes nothing keeps the date too."""
    description = request.optional_text("description")
    given = request.data.get("routingConfiguration")
    if description is None and given is None:
        raise ApiError(
            "ValidationException",
            "Either the description or the routingConfiguration must be specified",
            reason="MISSING_REQUIRED_PARAMETER",
        )
    async with service.changing:
        before = alias = await _alias(request, service)
        if description is not None:
            alias = alias._replace(description=description)
        if given is not None:
            routing, machine = _routing(request)
            if machine != alias.machine_arn:
                raise _invalid_routing("refer to versions of the alias's own state machine", routing)
            await _check_versions(request, service, routing, machine)
            alias = alias._replace(routing=routing)
        else:
            await _check_machine(request, service, alias.machine_arn)
        if alias != before:
            alias = alias._replace(updated_at=service.engine.clock.now())
            await service.store.aliases.update(alias)
    return {"updateDate": moment(alias.updated_at)}


async def delete_state_machine_alias(request: Request, service: Service) -> dict[str, Any]:
    """Succeeds for an alias that does not exist (recorded from AWS)."""
    found = target(request, "stateMachineAliasArn", "alias")
    if found.alias is not None and request.owns(found.machine):
        async with service.changing:
            await service.store.aliases.remove(found.machine, found.alias)
    return {}


async def list_state_machine_aliases(request: Request, service: Service) -> dict[str, Any]:
    """The oldest first, as recorded from AWS; a version's ARN lists the aliases of that version."""
    found = target(request, "stateMachineArn", "machine", "version")
    size, query = request.page_size(), ("ListStateMachineAliases", found.arn)
    after = position_of(request.optional_text("nextToken"), query)
    record = await service.machine(request, found.machine)
    if record.status == "DELETING":
        raise deleting(record.arn)
    aliases = await service.store.aliases.of_machine(record.arn)
    if found.version is not None:
        if await service.store.versions.get(record.arn, found.version) is None:
            raise not_found(found.arn)
        aliases = [one for one in aliases if found.arn in _versions(one.routing)]
    rest = [one for one in aliases if after is None or _place(one) > after]
    shown = [
        {"stateMachineAliasArn": alias.arn, "creationDate": moment(alias.created_at)} for alias in rest[:size]
    ]
    answer: dict[str, Any] = {"stateMachineAliases": shown}
    if len(rest) > size:
        answer["nextToken"] = page_token(query, _place(rest[size - 1]))
    return answer


def _place(alias: AliasRecord) -> str:
    """A key that sorts like the list, by time and name: deletions in between shift no page."""
    return f"{alias.created_at:016} {alias.name}"


async def _alias(request: Request, service: Service) -> AliasRecord:
    """Raises InvalidArn and ResourceNotFound."""
    found = target(request, "stateMachineAliasArn", "alias")
    alias = None
    if found.alias is not None and request.owns(found.machine) and await service.find_machine(found.machine):
        alias = await service.store.aliases.get(found.machine, found.alias)
    if alias is None:
        raise not_found(found.arn)
    return alias


def _routing(request: Request) -> tuple[list[Route], str]:
    """The routing configuration of a request, and the machine whose versions it names.

    Raises ValidationException with the reason INVALID_ROUTING_CONFIGURATION.
    """
    given: Any = request.data["routingConfiguration"]
    routing = [Route(stateMachineVersionArn=one["stateMachineVersionArn"], weight=one["weight"]) for one in given]
    targets = [_version_target(arn, routing) for arn in _versions(routing)]
    if len({one.arn for one in targets}) < len(targets):
        raise _invalid_routing("contain distinct state machine version ARNs", routing)
    if len({one.machine for one in targets}) > 1:
        raise _invalid_routing("refer to versions of one state machine", routing)
    weights = [route["weight"] for route in routing]
    if sum(weights) != 100:
        raise ApiError(
            "ValidationException",
            f"Sum of routing configuration weights must equal 100. Received: {weights}",
            reason="INVALID_ROUTING_CONFIGURATION",
        )
    return routing, targets[0].machine


def _version_target(arn: str, routing: list[Route]) -> Target:
    parts = parse_arn(arn)
    if parts is None or parts.service != "states" or parts.kind != "stateMachine":
        raise _invalid_routing("contain state machine version ARNs", routing)
    found = parsed(arn)
    if found.kind != "version":
        raise _invalid_routing("contain state machine version ARNs", routing)
    return found


def _versions(routing: list[Route]) -> list[str]:
    return [route["stateMachineVersionArn"] for route in routing]


async def _check_versions(request: Request, service: Service, routing: list[Route], machine: str) -> None:
    """Raises ResourceNotFound and StateMachineDeleting."""
    if not request.owns(machine) or await service.find_machine(machine) is None:
        raise not_found(_versions(routing)[0])
    await _check_machine(request, service, machine)
    for arn in _versions(routing):
        if await service.store.versions.get(machine, version_number(arn)) is None:
            raise not_found(arn)


async def _check_machine(request: Request, service: Service, machine: str) -> None:
    record = await service.machine(request, machine)
    if record.status == "DELETING":
        raise deleting(machine)


def _invalid_routing(what: str, routing: list[Route]) -> ApiError:
    return ApiError(
        "ValidationException",
        f"Routing configuration must {what}. Received: [{', '.join(_versions(routing))}]",
        reason="INVALID_ROUTING_CONFIGURATION",
    )


def _taken() -> ApiError:
    return conflict(
        "Failed to create alias because an alias with the same name and a different routing configuration or "
        "description already exists."
    )
