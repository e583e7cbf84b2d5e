"""Creating, updating, describing, listing and deleting state machines."""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.arn import state_machine_arn
from asl_engine.errors import Conflict, DefinitionError
from asl_engine.json_text import dumps, loads
from asl_engine.language.tree import all_states
from asl_engine.projections.descriptions import present
from asl_engine.projections.moments import moment
from asl_engine.server.configuration import configured, shown_configuration
from asl_engine.server.definitions import checked_definition, machine_type
from asl_engine.server.operations.tags import checked_tags
from asl_engine.server.operations.versions import new_version, version_description
from asl_engine.server.protocol.errors import ApiError, conflict, does_not_exist
from asl_engine.server.protocol.request import checked_name, checked_role
from asl_engine.server.protocol.tokens import page_token, position_of
from asl_engine.server.targets import Target, changeable, deleting, resolved, target
from asl_engine.store.records import MachineRecord

if TYPE_CHECKING:
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.records import VersionRecord

__all__ = [
    "create_state_machine",
    "delete_state_machine",
    "describe_state_machine",
    "describe_state_machine_for_execution",
    "list_state_machines",
    "update_state_machine",
]

log = logging.getLogger("asl_engine.server")

MAX_MACHINES = 100_000  # of one account in one region
CHANGEABLE = (
    "definition",
    "roleArn",
    "loggingConfiguration",
    "tracingConfiguration",
    "encryptionConfiguration",
)


async def create_state_machine(request: Request, service: Service) -> dict[str, Any]:
    """Idempotent by name, definition, type, configuration and version; roleArn and tags are ignored.

    Recorded from AWS: the version is that of the machine's current revision, whichever operation has published it.
    ``publish`` must say whether there is one, and ``versionDescription`` must be its description.
    """
    publish, description = version_description(request)
    name = checked_name(request.text("name"), service.engine.limits.name_length)
    definition = request.text("definition")
    kind = machine_type(request)
    now = service.engine.clock.now()
    record = MachineRecord(
        arn=state_machine_arn(*request.caller, name),
        name=name,
        type=kind,
        role_arn=checked_role(request.text("roleArn")),
        definition=_digest(definition),
        created_at=now,
        configuration=configured(request.data),
        updated_at=now,
        last_version=1 if publish else 0,
    )
    tags = checked_tags(request, record.arn)
    service.keep(await checked_definition(definition, kind, service.engine.limits))
    async with service.changing:
        # find_machine finishes a deletion, which frees the name.
        if await service.find_machine(record.arn) is None:
            await _check_room(request, service)
        version = (await new_version(service, record, description))._replace(number=1) if publish else None
        there = await service.store.machines.add(record, definition, tags, version)
        if there is not record:
            wanted, version = version, await service.store.versions.of_revision(there.arn, there.revision_id)
            _check_same(there, version, record, wanted)
    return present(
        stateMachineArn=there.arn,
        creationDate=moment(there.created_at),
        stateMachineVersionArn=None if version is None else version.arn,
    )


async def update_state_machine(request: Request, service: Service) -> dict[str, Any]:
    """A change makes a new revision; running executions and versions keep theirs."""
    publish, description = version_description(request)
    arn = changeable(request)
    if all(request.data.get(member) is None for member in CHANGEABLE):
        raise ApiError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, the EncryptionConfiguration or the "
            "TracingConfiguration must be specified",
        )
    definition, role = request.optional_text("definition"), request.optional_text("roleArn")
    before = await _changeable(request, service, arn)
    if definition is not None:
        service.keep(await checked_definition(definition, before.type, service.engine.limits))
    async with service.changing:
        before = await _changeable(request, service, arn)
        record = before._replace(
            role_arn=before.role_arn if role is None else checked_role(role),
            definition=before.definition if definition is None else _digest(definition),
            configuration=configured(request.data, before.configuration),
        )
        if record != before:
            record = record._replace(revision_id=str(uuid4()))
        record = record._replace(updated_at=service.engine.clock.now())
        version = await service.store.versions.of_revision(arn, record.revision_id) if publish else None
        new = await new_version(service, record, description) if publish and version is None else None
        if new is not None:
            record = record._replace(last_version=new.number)
        try:
            await service.store.machines.update(record, definition, new)
        except Conflict:  # another process has published a version meanwhile
            raise conflict(f"The State Machine is being updated: '{arn}'") from None
    shown = version or new
    return present(
        updateDate=moment(record.updated_at),
        revisionId=record.revision_id,
        stateMachineVersionArn=None if shown is None else shown.arn,
    )


async def describe_state_machine(request: Request, service: Service) -> dict[str, Any]:
    """The current revision, or what the ARN names: a version, an alias's version, or a Map state."""
    found = target(request, "stateMachineArn", "machine", "version", "alias", "label")
    record, version, _ = await resolved(request, service, found)
    definition = await service.store.definition(record.definition)
    if found.label is not None:
        definition = _labelled(definition, found)
    return present(
        stateMachineArn=found.arn,
        name=record.name if found.label is None else f"{record.name}/{found.label}",
        status=record.status,
        **await _definition_members(request, service, definition, record.definition),
        roleArn=record.role_arn,
        type=record.type,
        creationDate=moment(record.created_at if version is None else version.created_at),
        **shown_configuration(record.configuration),
        label=found.label,
        revisionId=record.revision_id,
        description=None if version is None else version.description,
    )


async def describe_state_machine_for_execution(request: Request, service: Service) -> dict[str, Any]:
    """The machine as it was when the execution was started."""
    execution = await service.execution(request, request.arn("executionArn", "execution"))
    revision: Any = execution.options.revision
    who = execution.identity
    definition = await service.store.definition(execution.definition)
    return present(
        stateMachineArn=who.machine_arn,
        name=who.machine_name,
        **await _definition_members(request, service, definition, execution.definition),
        roleArn=who.role_arn,
        updateDate=moment(revision.get("updateDate", who.started_at)),
        **shown_configuration(revision),
        revisionId=revision.get("revisionId"),
    )


async def delete_state_machine(request: Request, service: Service) -> dict[str, Any]:
    """Deletes the machine with its executions; succeeds for one that does not exist.

    If executions are running, they fail at their next transition, and the machine is gone with the last of them.
    """
    arn = target(request, "stateMachineArn", "machine").machine
    async with service.changing:
        if request.owns(arn) and await service.find_machine(arn) is not None:
            await service.delete_machine(arn)
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


async def _definition_members(request: Request, service: Service, definition: str, digest: str) -> dict[str, Any]:
    """The members for the definition and the variables of its states, as includedData asks for them."""
    if request.optional_text("includedData") == "METADATA_ONLY":
        return {"definition": "{}"}
    try:
        references = await service.references(digest)
    except DefinitionError as error:  # an older release accepted it, so it can still be shown
        log.warning("definition %s: %s", digest, error)
        references = {}
    return {"definition": definition, "variableReferences": references or None}


async def _changeable(request: Request, service: Service, arn: str) -> MachineRecord:
    """Raises StateMachineDoesNotExist and StateMachineDeleting."""
    record = await service.machine(request, arn)
    if record.status == "DELETING":
        raise deleting(arn)
    return record


async def _check_room(request: Request, service: Service) -> None:
    if await service.store.machines.count(request.caller.prefix) >= MAX_MACHINES:
        raise ApiError("StateMachineLimitExceeded", f"The limit of {MAX_MACHINES} state machines has been reached")


def _labelled(definition: str, found: Target) -> str:
    """The definition of the Distributed Map state with this label.  Raises StateMachineDoesNotExist."""
    for state in all_states(loads(definition)):
        if state.type == "Map" and state.source.get("Label") == found.label:
            return dumps(next(state.scopes()).source)
    raise does_not_exist("State Machine", found.arn)


def _digest(definition: str) -> str:
    return sha256(definition.encode()).hexdigest()


def _check_same(
    there: MachineRecord,
    version: VersionRecord | None,
    wanted: MachineRecord,
    wanted_version: VersionRecord | None,
) -> None:
    """Raises StateMachineDeleting, and StateMachineAlreadyExists where the machine is not the wanted one."""
    if there.status == "DELETING":
        raise deleting(there.arn)
    if _identifying(there, version) != _identifying(wanted, wanted_version):
        raise ApiError("StateMachineAlreadyExists", f"State Machine Already Exists: '{there.arn}'")


def _identifying(record: MachineRecord, version: VersionRecord | None) -> tuple[Any, ...]:
    configuration = shown_configuration(record.configuration)
    return record.definition, record.type, configuration, None if version is None else version.description or ""
