"""Publishing, listing and deleting versions of state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.errors import Conflict
from asl_engine.projections.moments import moment
from asl_engine.server.protocol.errors import ApiError, conflict, quota_exceeded
from asl_engine.server.protocol.tokens import page_token, position_of
from asl_engine.server.targets import changeable, deleting, target
from asl_engine.store.records import VersionRecord

if TYPE_CHECKING:
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.records import MachineRecord

__all__ = [
    "delete_state_machine_version",
    "list_state_machine_versions",
    "new_version",
    "publish_state_machine_version",
    "version_description",
]

MAX_VERSIONS = 1000  # of one state machine
INITIAL = "INITIAL"  # how callers name the revision without an identifier


async def publish_state_machine_version(request: Request, service: Service) -> dict[str, Any]:
    """Returns the version of the current revision, or publishes one."""
    arn = changeable(request)
    wanted = request.optional_text("revisionId")
    async with service.changing:
        record = await service.machine(request, arn)
        if record.status == "DELETING":
            raise deleting(arn)
        current = record.revision_id or INITIAL
        if wanted is not None and wanted != current:
            raise conflict(
                f"Failed to publish the State Machine version for revision {wanted}. "
                f"The current State Machine revision is {current}."
            )
        there = await service.store.versions.of_revision(arn, record.revision_id)
        if there is None:
            there = await new_version(service, record, request.optional_text("description"))
            try:
                await service.store.machines.update(record._replace(last_version=there.number), version=there)
            except Conflict:  # another process has published this number
                raise conflict(f"Failed to publish the State Machine version: '{there.arn}'") from None
    return {"creationDate": moment(there.created_at), "stateMachineVersionArn": there.arn}


async def list_state_machine_versions(request: Request, service: Service) -> dict[str, Any]:
    """The newest first; an empty list for a machine that does not exist."""
    arn = target(request, "stateMachineArn", "machine").machine
    size, query = request.page_size(), ("ListStateMachineVersions", arn)
    before = position_of(request.optional_text("nextToken"), query)
    owned = await service.find_machine(arn) if request.owns(arn) else None
    found = [] if owned is None else await service.store.versions.page(arn, before, size + 1)
    shown = [
        {"stateMachineVersionArn": version.arn, "creationDate": moment(version.created_at)}
        for version in found[:size]
    ]
    answer: dict[str, Any] = {"stateMachineVersions": shown}
    if len(found) > size:
        answer["nextToken"] = page_token(query, found[size - 1].number)
    return answer


async def delete_state_machine_version(request: Request, service: Service) -> dict[str, Any]:
    """Succeeds for a version that does not exist.  Executions that it has started go on."""
    found = target(request, "stateMachineVersionArn", "version")
    if found.version is None or not request.owns(found.machine):
        return {}
    async with service.changing:
        aliases = await service.store.aliases.of_machine(found.machine)
        referring = [
            alias.name
            for alias in aliases
            if any(route["stateMachineVersionArn"] == found.arn for route in alias.routing)
        ]
        if referring:
            raise conflict(
                "Version to be deleted must not be referenced by an alias. "
                f"Current list of aliases referencing this version: [{', '.join(referring)}]"
            )
        await service.store.versions.remove(found.machine, found.version)
    return {}


async def new_version(service: Service, record: MachineRecord, description: str | None) -> VersionRecord:
    """The next version of a machine's current revision, not yet stored.  Raises ServiceQuotaExceededException."""
    if await service.store.versions.count(record.arn) >= MAX_VERSIONS:
        raise quota_exceeded(f"The state machine '{record.arn}' has reached the limit of {MAX_VERSIONS} versions")
    return VersionRecord(
        machine_arn=record.arn,
        number=record.last_version + 1,
        revision_id=record.revision_id,
        role_arn=record.role_arn,
        definition=record.definition,
        created_at=service.engine.clock.now(),
        description=description,
        configuration=record.configuration,
    )


def version_description(request: Request) -> tuple[bool, str | None]:
    """Whether a version is to be published, and its description.  Raises ValidationException."""
    publish = request.flag("publish", default=False)
    description = request.optional_text("versionDescription")
    if description is not None and not publish:
        raise ApiError("ValidationException", "Version description can only be set when publish is true")
    return publish, description
