"""Creating, describing, listing, deleting and validating state machines."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from asl_engine.answers import present
from asl_engine.arn import state_machine_arn
from asl_engine.definition import check
from asl_engine.fields import SCHEMA_VALIDATION_FAILED
from asl_engine.findings import Finding
from asl_engine.jsontypes import loads
from asl_engine.resources.threads import run_in_thread
from asl_engine.server.errors import ApiError
from asl_engine.server.names import checked_name
from asl_engine.server.service import moment
from asl_engine.server.tokens import page_token, position_of
from asl_engine.store.machines import MachineRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.jsontypes import Json
    from asl_engine.machine import StateMachine
    from asl_engine.server.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.machines import MachineType

__all__ = [
    "create_state_machine",
    "delete_state_machine",
    "describe_state_machine",
    "list_state_machines",
    "validate_state_machine_definition",
]

MOST_FINDINGS = 100  # as many as ValidateStateMachineDefinition gives
LARGE = 65_536  # characters of a definition that takes noticeable time to compile

# What CreateStateMachine keeps and DescribeStateMachine shows, with AWS's defaults.
CONFIGURATION: dict[str, Json] = {
    "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
    "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
}
# Integrations that an Express machine cannot wait for.
NOT_EXPRESS = (".sync", ".waitForTaskToken")


async def create_state_machine(request: Request, service: Service) -> dict[str, Any]:
    """Idempotent by name, definition, type and configuration; roleArn and tags are ignored in that."""
    if request.flag("publish", default=False) or request.optional_text("versionDescription"):
        raise ApiError("ValidationException", "Versions are not supported yet: leave publish out")
    name = checked_name(request.text("name"))
    definition = request.text("definition")
    kind = _kind(request)
    service.keep(await _checked_definition(definition, kind))
    record = MachineRecord(
        arn=state_machine_arn(*request.caller, name),
        name=name,
        type=kind,
        role_arn=_checked_role(request),
        definition=sha256(definition.encode()).hexdigest(),
        created_at=service.engine.clock.now(),
        configuration=_configuration(request),
    )
    await service.find_machine(record.arn)  # a name whose deletion is over is free again
    there = await service.store.machines.add(record, definition)
    if there.status == "DELETING":
        raise ApiError("StateMachineDeleting", f"State Machine is being deleted: '{there.arn}'")
    if _identifying(there) != _identifying(record):
        raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{there.arn}'")
    return {"stateMachineArn": there.arn, "creationDate": moment(there.created_at)}


async def describe_state_machine(request: Request, service: Service) -> dict[str, Any]:
    record = await service.machine(request, request.arn("stateMachineArn", "stateMachine"))
    answer: dict[str, Any] = {
        "stateMachineArn": record.arn,
        "name": record.name,
        "status": record.status,
        "definition": await service.store.definition(record.definition),
        "roleArn": record.role_arn,
        "type": record.type,
        "creationDate": moment(record.created_at),
        **{field: record.configuration[field] for field in CONFIGURATION},
    }
    if request.optional_text("includedData") == "METADATA_ONLY":
        del answer["definition"]
    return answer


async def delete_state_machine(request: Request, service: Service) -> dict[str, Any]:
    """The machine is gone at once, or with its last execution; one that does not exist is gone already."""
    arn = request.arn("stateMachineArn", "stateMachine")
    record = await service.find_machine(arn) if request.owns(arn) else None
    if record is not None and await service.is_running(arn):
        await service.store.machines.set_status(arn, "DELETING")
    elif record is not None:
        await service.store.machines.remove(arn)
    return {}


async def list_state_machines(request: Request, service: Service) -> dict[str, Any]:
    size, query = request.page_size(), ("ListStateMachines", *request.caller)
    after = position_of(request.optional_text("nextToken"), query) or ""
    found = await service.store.machines.page(request.caller.prefix, str(after), size + 1)
    shown = [
        {
            "stateMachineArn": record.arn,
            "name": record.name,
            "type": record.type,
            "creationDate": moment(record.created_at),
        }
        for record in found[:size]
    ]
    answer: dict[str, Any] = {"stateMachines": shown}
    if len(found) > size:
        answer["nextToken"] = page_token(query, found[size - 1].arn)
    return answer


async def validate_state_machine_definition(request: Request, service: Service) -> dict[str, Any]:
    """All findings at once, the errors and, with severity WARNING, the warnings."""
    del service
    machine, findings = await _checked(request.text("definition"), _kind(request))
    if request.optional_text("severity") != "WARNING":
        findings = [finding for finding in findings if finding.severity == "ERROR"]
    most = request.optional_integer("maxResults") or MOST_FINDINGS
    diagnostics = [
        present(severity=one.severity, code=one.code, message=one.message, location=one.location)
        for one in findings[:most]
    ]
    result = "FAIL" if machine is None else "OK"
    return {"result": result, "diagnostics": diagnostics, "truncated": len(findings) > most}


def _kind(request: Request) -> MachineType:
    return "EXPRESS" if request.optional_text("type") == "EXPRESS" else "STANDARD"


async def _checked_definition(text: str, kind: MachineType) -> StateMachine:
    """The machine that ``text`` defines.  Raises InvalidDefinition with the findings."""
    machine, findings = await _checked(text, kind)
    if machine is None:
        errors = [_told(finding) for finding in findings if finding.severity == "ERROR"][:MOST_FINDINGS]
        raise ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(errors)}'")
    return machine


async def _checked(text: str, kind: MachineType) -> tuple[StateMachine | None, list[Finding]]:
    """As ``check``, for a type of machine; a large definition does not keep the others waiting."""
    if len(text) < LARGE:
        machine, findings = check(text, positions=False)
    else:
        machine, findings = await run_in_thread(partial(check, text, positions=False))
    if machine is not None and kind == "EXPRESS":
        refused = [*_not_express(loads(text), "")]
        return (None if refused else machine), [*findings, *refused]
    return machine, findings


def _told(finding: Finding) -> str:
    place = "" if finding.location is None else f" at {finding.location}"
    return f"{finding.code}: {finding.message}{place}"


def _not_express(value: Json, place: str) -> Iterator[Finding]:
    """The tasks, at any depth, that an Express machine cannot have."""
    members: Iterable[tuple[str, Json]] = ()
    if isinstance(value, dict):
        resource = value.get("Resource")
        if value.get("Type") == "Task" and isinstance(resource, str):
            for suffix in NOT_EXPRESS:
                if suffix in resource:
                    message = f"Express state machine does not support '{suffix}' service integration"
                    yield Finding(SCHEMA_VALIDATION_FAILED, message, f"{place}/Resource")
        members = ((f"/{name}", inner) for name, inner in value.items())
    elif isinstance(value, list):
        members = ((f"[{index}]", inner) for index, inner in enumerate(value))
    for step, inner in members:
        yield from _not_express(inner, place + step)


def _checked_role(request: Request) -> str:
    role = request.text("roleArn")
    if not role.startswith("arn:"):
        raise ApiError("InvalidArn", f"Invalid Role Arn: '{role}'")
    return role


def _configuration(request: Request) -> dict[str, Json]:
    given = {field: request.data.get(field) for field in CONFIGURATION}
    kept = {field: CONFIGURATION[field] if value is None else value for field, value in given.items()}
    return {**kept, "tags": request.data.get("tags") or []}


def _identifying(record: MachineRecord) -> tuple[Any, ...]:
    return (record.definition, record.type, *(record.configuration[field] for field in CONFIGURATION))
