"""The state machine itself: its deployed state, its wanted state, and the way from one to the other."""

from __future__ import annotations

import json
from difflib import unified_diff
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import version_number
from asl_engine.cloud.client import AwsError, explained, is_lacking
from asl_engine.cloud.deploy.changes import found, pages
from asl_engine.cloud.deploy.roles import is_ours
from asl_engine.errors import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.cloud.client import Aws
    from asl_engine.cloud.deploy.changes import Changes
    from asl_engine.cloud.deploy.settings import Settings

__all__ = [
    "Deployed",
    "WantedMachine",
    "converge",
    "difference",
    "look_at",
    "tags_of",
    "validate_there",
    "versions_of",
]

ABSENT = "StateMachineDoesNotExist"
_DIFF_CONTEXT = 3


class WantedMachine(NamedTuple):
    """The wanted state of a machine.  ``settings`` are members that Create and Update share."""

    name: str
    definition: str
    role: str
    type: str
    settings: dict[str, Any]


class Deployed(NamedTuple):
    """A deployed state machine, or one of its versions.  ``revision`` is None if the endpoint has no revisions."""

    arn: str
    definition: str
    role: str
    type: str
    status: str
    revision: str | None
    settings: dict[str, Any]

    def fingerprint(self) -> tuple[Any, ...]:
        """A value that differs after every change to the machine."""
        return (self.revision, self.definition, self.role, repr(sorted(self.settings.items())))


def settings_of(settings: Settings) -> dict[str, Any]:
    """loggingConfiguration and tracingConfiguration; always both, since an update keeps what it leaves out."""
    log = settings.logging
    logging: dict[str, Any] = {"level": "OFF", "includeExecutionData": False}
    if log is not None:
        group = log.group if log.group.endswith(":*") else f"{log.group}:*"
        logging = {
            "level": log.level,
            "includeExecutionData": log.data,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}],
        }
    return {"loggingConfiguration": logging, "tracingConfiguration": {"enabled": settings.tracing}}


def look_at(aws: Aws, arn: str) -> Deployed | None:
    """The machine or version with this ARN; None if there is none."""
    shown = found(
        f"look at {arn}",
        lambda: aws.states.describe_state_machine(stateMachineArn=arn),
        ABSENT,
        "ResourceNotFound",
    )
    if shown is None:
        return None
    logging = shown.get("loggingConfiguration") or {}
    normal: dict[str, Any] = {
        "level": logging.get("level", "OFF"),
        "includeExecutionData": logging.get("includeExecutionData", False),
    }
    if logging.get("destinations"):
        normal["destinations"] = logging["destinations"]
    tracing = {"enabled": (shown.get("tracingConfiguration") or {}).get("enabled", False)}
    return Deployed(
        shown["stateMachineArn"],
        shown["definition"],
        shown["roleArn"],
        shown.get("type", "STANDARD"),
        shown.get("status", "ACTIVE"),
        shown.get("revisionId"),
        {"loggingConfiguration": normal, "tracingConfiguration": tracing},
    )


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """The tags of a machine; empty if the endpoint has no tags."""
    from botocore.exceptions import ClientError

    with explained(f"read the tags of {arn}"):
        try:
            answer = aws.states.list_tags_for_resource(resourceArn=arn)
        except ClientError as error:
            if is_lacking(error):
                return {}
            raise
    return {tag["key"]: tag["value"] for tag in answer.get("tags", ())}


def versions_of(aws: Aws, arn: str) -> list[int]:
    """The numbers of the published versions, the newest first."""
    from botocore.exceptions import ClientError

    with explained(f"list the versions of {arn}"):
        try:
            arns = [
                one["stateMachineVersionArn"]
                for page in pages(partial(aws.states.list_state_machine_versions, stateMachineArn=arn))
                for one in page["stateMachineVersions"]
            ]
        except ClientError as error:
            if is_lacking(error):
                return _probed(aws, arn)
            raise
    return sorted((version_number(one) for one in arns), reverse=True)


def _probed(aws: Aws, arn: str) -> list[int]:
    """The versions at an endpoint that cannot list them: each number is tried in turn."""
    number = 0
    while look_at(aws, f"{arn}:{number + 1}") is not None:
        number += 1
    return list(range(number, 0, -1))


def validate_there(aws: Aws, definition: str, kind: str, source: str) -> list[str]:
    """The warnings of ValidateStateMachineDefinition.  Raises ``AwsError`` if it refuses the definition.

    An endpoint without the operation gives none: CreateStateMachine and UpdateStateMachine validate too.
    """
    from botocore.exceptions import ClientError

    with explained("have the definition validated by AWS"):
        try:
            answer = aws.states.validate_state_machine_definition(definition=definition, type=kind)
        except ClientError as error:
            if is_lacking(error):
                return []
            raise
    said = [f"{source}{_diagnostic(one)}" for one in answer.get("diagnostics", ())]
    if answer["result"] != "OK":
        request = answer.get("ResponseMetadata", {}).get("RequestId")
        raise AwsError(
            "\n".join(["AWS refuses the definition:", *said]), code="InvalidDefinition", request_id=request
        )
    return said


def _diagnostic(one: dict[str, Any]) -> str:
    place = f": {one['location']}" if one.get("location") else ""
    return f"{place}: {one['message']} [{one['code']}]"


def difference(wanted: WantedMachine, deployed: Deployed | None) -> list[str]:
    """The differences for people: a unified diff of the definitions, and a line for each setting."""
    if deployed is None:
        return []
    lines = [
        line.rstrip("\n")
        for line in unified_diff(
            _lines(deployed.definition), _lines(wanted.definition), "deployed", "wanted", n=_DIFF_CONTEXT
        )
    ]
    if not lines and deployed.definition != wanted.definition:
        lines.append("definition: the same values, written in another way")
    if deployed.role != wanted.role:
        lines.append(f"role: {deployed.role} -> {wanted.role}")
    for name, value in wanted.settings.items():
        if deployed.settings.get(name) != value:
            lines.append(f"{name}: {json.dumps(deployed.settings.get(name))} -> {json.dumps(value)}")
    return lines


def _lines(definition: str) -> list[str]:
    try:
        return json.dumps(json.loads(definition), indent=2, ensure_ascii=False).splitlines(keepends=True)
    except ValueError:
        return definition.splitlines(keepends=True)


def is_as_wanted(wanted: WantedMachine, deployed: Deployed) -> bool:
    return not difference(wanted, deployed)


def converge(
    aws: Aws,
    changes: Changes,
    wanted: WantedMachine,
    deployed: Deployed | None,
    *,
    owner: Mapping[str, str],
    seen: Deployed | None,
) -> str | None:
    """Create or update the machine, and publish a version.  Returns the version's ARN.

    ``seen`` is the machine that the plan was made for: if it differs now, somebody else has changed it.  Returns
    None while nothing is applied and the version does not exist yet.
    """
    if changes.apply and (seen is None) != (deployed is None):
        raise _changed_meanwhile(wanted.name)
    if deployed is None:
        return _create(aws, changes, wanted, owner)
    if changes.apply and seen is not None and seen.fingerprint() != deployed.fingerprint():
        raise _changed_meanwhile(wanted.name)
    if deployed.status == "DELETING":
        raise AwsError(f"the state machine {wanted.name} is being deleted: run the command again when it is gone")
    if deployed.type != wanted.type:
        raise AwsError(
            f"the state machine {wanted.name} is {deployed.type}, which cannot be changed to {wanted.type}: "
            "give it another ",
            Parameter("name"),
            ", or remove it with ",
            Parameter("destroy"),
            " first",
        )
    if not is_as_wanted(wanted, deployed):
        return _update(aws, changes, wanted, deployed, owner)
    published = _published(aws, deployed)
    return published or _publish(aws, changes, wanted, deployed)


def _changed_meanwhile(name: str) -> AwsError:
    return AwsError(
        f"the state machine {name} has been changed by somebody else since this deployment looked at it; "
        "nothing of theirs is overwritten. Run the same command again to see what is different now"
    )


def _create(aws: Aws, changes: Changes, wanted: WantedMachine, owner: Mapping[str, str]) -> str | None:
    made = changes.write_with_role(
        f"create the state machine {wanted.name}",
        lambda: aws.states.create_state_machine(
            name=wanted.name,
            definition=wanted.definition,
            roleArn=wanted.role,
            type=wanted.type,
            publish=True,
            tags=[{"key": key, "value": value} for key, value in owner.items()],
            **wanted.settings,
        ),
    )
    return None if made is None else str(made["stateMachineVersionArn"])


def _update(
    aws: Aws, changes: Changes, wanted: WantedMachine, deployed: Deployed, owner: Mapping[str, str]
) -> str | None:
    if not is_ours(tags_of(aws, deployed.arn), owner):
        changes.tell(
            f"the state machine {wanted.name} was not made by this project: it is updated, and stays theirs"
        )
    updated = changes.write_with_role(
        f"update the state machine {wanted.name}",
        lambda: aws.states.update_state_machine(
            stateMachineArn=deployed.arn,
            definition=wanted.definition,
            roleArn=wanted.role,
            publish=True,
            **wanted.settings,
        ),
        detail="".join(f"\n{line}" for line in difference(wanted, deployed)),
    )
    return None if updated is None else str(updated["stateMachineVersionArn"])


def _published(aws: Aws, deployed: Deployed) -> str | None:
    """The newest version if it equals the machine; else None."""
    numbers = versions_of(aws, deployed.arn)
    newest = look_at(aws, f"{deployed.arn}:{numbers[0]}") if numbers else None
    if newest is None:
        return None
    if newest.revision is not None and deployed.revision is not None:
        return newest.arn if newest.revision == deployed.revision else None
    return newest.arn if newest.fingerprint() == deployed.fingerprint() else None


def _publish(aws: Aws, changes: Changes, wanted: WantedMachine, deployed: Deployed) -> str | None:
    """Publish a version of an unchanged machine: a run was interrupted, or something else created it.

    With the revision, AWS publishes exactly what was read; a machine that was never updated has none, and
    INITIAL stands for it (PublishStateMachineVersion).
    """
    revision = deployed.revision or "INITIAL"
    made = changes.write(
        f"publish a version of {wanted.name}",
        lambda: aws.states.publish_state_machine_version(stateMachineArn=deployed.arn, revisionId=revision),
    )
    return None if made is None else str(made["stateMachineVersionArn"])
