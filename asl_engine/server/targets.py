"""What a stateMachineArn names: a machine as it stands, a version, an alias, or a Distributed Map state.

"Qualified ARNs": ``arn:...:stateMachine:name``, followed by ``:3`` (a version), ``:PROD`` (an alias) or
``/label`` (a Map state).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from asl_engine.arn import is_qualifier, unlabelled, unqualified, version_number
from asl_engine.server.protocol.errors import ApiError, does_not_exist, invalid_arn

if TYPE_CHECKING:
    from random import Random

    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.records import AliasRecord, MachineRecord, VersionRecord

    Kind: TypeAlias = Literal["machine", "version", "alias", "label"]

__all__ = [
    "EXECUTION_KINDS",
    "Chosen",
    "Target",
    "as_published",
    "changeable",
    "deleting",
    "resolved",
    "target",
]

VERSION = re.compile(
    r"[1-9]\d{0,17}", re.ASCII
)  # one way to write each number, and none that no database can hold
EXECUTION_KINDS = ("execution", "express")  # of the ARNs that name an execution
LABELED = "API_DOES_NOT_SUPPORT_LABELED_ARNS"


class Target(NamedTuple):
    """A parsed ARN: ``arn`` is as it was given, ``machine`` the ARN without the qualifier."""

    arn: str
    machine: str
    version: int | None = None
    alias: str | None = None
    label: str | None = None

    @property
    def kind(self) -> Kind:
        if self.label is not None:
            return "label"
        if self.version is not None:
            return "version"
        return "machine" if self.alias is None else "alias"


class Chosen(NamedTuple):
    """The revision of a machine that an ARN leads to, with the version and the alias on the way.

    ``record`` is the machine with the definition, the role and the configuration of that revision.
    """

    record: MachineRecord
    version: VersionRecord | None = None
    alias: AliasRecord | None = None

    @property
    def version_arn(self) -> str | None:
        return None if self.version is None else self.version.arn

    @property
    def alias_arn(self) -> str | None:
        return None if self.alias is None else self.alias.arn


def target(request: Request, member: str, *kinds: Kind) -> Target:
    """The parsed ARN of a request's member, which must be of one of these kinds.

    Raises InvalidArn, or ValidationException for a Map state if the operation does not take one.
    """
    found = parsed(request.arn(member, "stateMachine"))
    if found.kind == "label" and "label" not in kinds:
        message = f"This operation does not support labelled state machine ARNs: '{found.arn}'"
        raise ApiError("ValidationException", message, reason=LABELED)
    if found.kind not in kinds:
        raise invalid_arn(f"Resource type not valid in this context: {found.arn}")
    return found


def changeable(request: Request) -> str:
    """The ARN of the machine that a request is to change.

    Raises StateMachineDoesNotExist for the ARN of a version or an alias (recorded for UpdateStateMachine).
    """
    found = target(request, "stateMachineArn", "machine", "version", "alias")
    if found.kind != "machine":
        raise does_not_exist("State Machine", found.arn)
    return found.machine


def parsed(arn: str) -> Target:
    """Raises InvalidArn."""
    machine, qualifier = unqualified(arn)
    machine, label = unlabelled(machine)
    if label is not None:
        if qualifier is not None or not label:
            raise invalid_arn(arn)
        return Target(arn, machine, label=label)
    if qualifier is None:
        return Target(arn, machine)
    if not is_qualifier(qualifier):
        raise invalid_arn(arn)
    if qualifier.isascii() and qualifier.isdigit():
        if not VERSION.fullmatch(qualifier):
            raise invalid_arn(arn)
        return Target(arn, machine, version=int(qualifier))
    return Target(arn, machine, alias=qualifier)


async def resolved(request: Request, service: Service, found: Target, *, draw: bool = False) -> Chosen:
    """The revision that the ARN leads to.

    An alias leads to its heaviest version, or with ``draw`` to one that is drawn by weight.
    Raises StateMachineDoesNotExist.
    """
    record = await service.find_machine(found.machine) if request.owns(found.machine) else None
    if record is None:
        raise does_not_exist("State Machine", found.arn)
    alias = None
    number = found.version
    if found.alias is not None:
        alias = await service.store.aliases.get(record.arn, found.alias)
        if alias is None:
            raise does_not_exist("State Machine", found.arn)
        number = version_number(_drawn(alias, service.random) if draw else _heaviest(alias))
    if number is None:
        return Chosen(record)
    version = await service.store.versions.get(record.arn, number)
    if version is None:
        raise does_not_exist("State Machine", found.arn)
    return Chosen(as_published(record, version), version, alias)


def as_published(record: MachineRecord, version: VersionRecord) -> MachineRecord:
    """The machine as it was when the version was published."""
    return record._replace(
        role_arn=version.role_arn,
        definition=version.definition,
        revision_id=version.revision_id,
        updated_at=version.created_at,
        configuration=version.configuration,
    )


def deleting(arn: str) -> ApiError:
    return ApiError("StateMachineDeleting", f"State Machine is being deleted: '{arn}'")


def _drawn(alias: AliasRecord, random: Random) -> str:
    arns = [route["stateMachineVersionArn"] for route in alias.routing]
    return random.choices(arns, [route["weight"] for route in alias.routing])[0]


def _heaviest(alias: AliasRecord) -> str:
    return max(alias.routing, key=lambda route: route["weight"])["stateMachineVersionArn"]
