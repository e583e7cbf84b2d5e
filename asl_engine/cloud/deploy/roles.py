"""The roles that a deployment creates: one for the machine, one for its functions."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from asl_engine.cloud.client import AwsError
from asl_engine.cloud.deploy.changes import found
from asl_engine.cloud.deploy.grants import Grant
from asl_engine.cloud.deploy.policy import covers, trust
from asl_engine.errors import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.cloud.client import Aws
    from asl_engine.cloud.deploy.changes import Changes

__all__ = [
    "LAMBDA_SERVICE",
    "MACHINE_TAG",
    "POLICY_NAME",
    "PROJECT_TAG",
    "STATES_SERVICE",
    "delete_role",
    "ensure_role",
    "foreign",
    "is_ours",
    "log_grants",
    "marked",
    "role_name",
]

PROJECT_TAG = "asl-engine:project"
MACHINE_TAG = "asl-engine:machine"
ENDPOINT_TAG = "asl-engine:endpoint"
POLICY_NAME = "asl-engine"
STATES_SERVICE = "states.amazonaws.com"
LAMBDA_SERVICE = "lambda.amazonaws.com"
_ABSENT = "NoSuchEntity"
_LONGEST_NAME = 64


def role_name(machine: str, region: str, suffix: str = "") -> str:
    """``asl-MACHINE-REGION``: roles are global, machines are not.  A name that is too long ends in its digest."""
    name = f"asl-{machine}-{region}{suffix}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}-{sha256(name.encode()).hexdigest()[:8]}"


def marked(aws: Aws, owner: Mapping[str, str]) -> dict[str, str]:
    """The tags of a role or a function: the deployment's, and the endpoint that it is made for.

    A state machine needs no such tag: it is at the endpoint where it is found.
    """
    return {**owner, ENDPOINT_TAG: aws.mark}


def foreign(tags: Mapping[str, str], owner: Mapping[str, str]) -> str:
    """Why a resource is not this deployment's: the first tag that differs, for people."""
    key = next(key for key, value in owner.items() if tags.get(key) != value)
    return f"its tag {key} is {tags[key]!r}, not {owner[key]!r}" if key in tags else f"it has no tag {key}"


def is_ours(tags: Mapping[str, str], owner: Mapping[str, str]) -> bool:
    """Whether a deployment of this machine and project has made a resource: it has all tags of ``owner``."""
    return all(tags.get(key) == value for key, value in owner.items())


def log_grants(logs: str, machine: str) -> list[Grant]:
    """The permissions to write a function's log, and no others; ``logs`` is how ARNs begin there."""
    groups = f"{logs}:log-group:/aws/lambda/{machine}-*"
    return [
        Grant("logs:CreateLogGroup", groups),
        Grant("logs:CreateLogStream", f"{groups}:*"),
        Grant("logs:PutLogEvents", f"{groups}:*"),
    ]


def ensure_role(
    aws: Aws,
    changes: Changes,
    name: str,
    *,
    service: str,
    policy: dict[str, Any],
    owner: Mapping[str, str],
    narrow: bool,
) -> str:
    """Create or update a role with this policy, which ``service`` may assume.  Returns its ARN.

    Without ``narrow``, a policy that allows more stays: running executions may need it.  Raises ``AwsError`` if
    somebody else has made a role of that name.
    """
    iam = aws.client("iam")
    arn = aws.role_arn(name)
    existing = found(f"look at the role {name}", lambda: iam.get_role(RoleName=name), _ABSENT)
    if existing is None:
        made = changes.write(
            f"create the role {name}",
            lambda: iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=_text(trust(service, aws.account if service == STATES_SERVICE else None)),
                Description=f"Made by asl deploy for {owner[MACHINE_TAG]}",
                Tags=[{"Key": key, "Value": value} for key, value in owner.items()],
            ),
        )
        arn = arn if made is None else made["Role"]["Arn"]
        current = None
    else:
        _check_owner(iam, name, owner)
        arn = existing["Role"]["Arn"]
        read = found(
            f"read the policy of the role {name}",
            lambda: iam.get_role_policy(RoleName=name, PolicyName=POLICY_NAME),
            _ABSENT,
        )
        current = None if read is None else read["PolicyDocument"]
    if not policy["Statement"]:  # IAM refuses a policy that allows nothing
        if current is not None and narrow:
            _delete_policy(changes, iam, name)
    elif current is None or not covers(current, policy) or (narrow and not covers(policy, current)):
        changes.write(
            f"{'write' if current is None else 'update'} the policy of the role {name}",
            lambda: iam.put_role_policy(RoleName=name, PolicyName=POLICY_NAME, PolicyDocument=_text(policy)),
            detail=f":\n{json.dumps(policy, indent=2)}",
        )
    return arn


def _check_owner(iam: Any, name: str, owner: Mapping[str, str]) -> None:
    tags = _tags(iam, name)
    if not is_ours(tags, owner):
        raise AwsError(
            f"there is a role {name} that has not been made for this deployment ({foreign(tags, owner)}): give ",
            Parameter("role"),
            " with the role to use, or remove that one",
        )


def _tags(iam: Any, name: str) -> dict[str, str]:
    answer = found(f"read the tags of the role {name}", lambda: iam.list_role_tags(RoleName=name), _ABSENT)
    return {} if answer is None else {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def delete_role(aws: Aws, changes: Changes, name: str, owner: Mapping[str, str]) -> None:
    """Delete the role if this deployment has made it; the role or its policy may be gone already."""
    iam = aws.client("iam")
    if found(f"look at the role {name}", lambda: iam.get_role(RoleName=name), _ABSENT) is None:
        return
    tags = _tags(iam, name)
    if not is_ours(tags, owner):
        changes.tell(
            f"leaving the role {name} alone: it has not been made for this deployment ({foreign(tags, owner)})"
        )
        return
    policy = found(
        f"read the policy of the role {name}",
        lambda: iam.get_role_policy(RoleName=name, PolicyName=POLICY_NAME),
        _ABSENT,
    )
    if policy is not None:
        _delete_policy(changes, iam, name)
    changes.write(f"delete the role {name}", lambda: iam.delete_role(RoleName=name))


def _delete_policy(changes: Changes, iam: Any, name: str) -> None:
    changes.write(
        f"delete the policy of the role {name}",
        lambda: iam.delete_role_policy(RoleName=name, PolicyName=POLICY_NAME),
    )


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
