"""The Lambda functions that are deployed with a machine: one for each task, all with the same code.

Each change is published as a version, and the definition names that version.  So a version of the machine
always invokes the code that it was deployed with, after a rollback too.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.cloud.client import AwsError, explained
from asl_engine.cloud.deploy.changes import found, pages
from asl_engine.cloud.deploy.roles import foreign, is_ours
from asl_engine.errors import Parameter
from asl_engine.resources.lambda_.deployed import deployed_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.cloud.client import Aws
    from asl_engine.cloud.deploy.bundle import Bundle
    from asl_engine.cloud.deploy.changes import Changes
    from asl_engine.cloud.deploy.settings import FunctionSettings

__all__ = ["WantedFunction", "converge_function", "deployed_name", "leftover_functions", "remove_functions"]

ABSENT = "ResourceNotFoundException"
_LONGEST_NAME = 64
_MOST_UPLOADED = 50 * 1024 * 1024  # bytes: Lambda's quota for a zip that comes with the request


class WantedFunction(NamedTuple):
    """The wanted state of a function.  ``task`` is its name in the definition, ``handler`` what Lambda calls."""

    name: str
    task: str
    handler: str
    role: str
    runtime: str
    architecture: str
    settings: FunctionSettings
    bundle: Bundle

    def configuration(self) -> dict[str, Any]:
        """The members that CreateFunction and UpdateFunctionConfiguration share."""
        return {
            "Runtime": self.runtime,
            "Role": self.role,
            "Handler": self.handler,
            "MemorySize": self.settings.memory,
            "Timeout": self.settings.timeout,
            "Environment": {"Variables": dict(self.settings.environment)},
        }


def deployed_name(machine: str, task: str) -> str:
    """``MACHINE-TASK``: two machines may have tasks of the same name.

    Raises ``AwsError`` for a name that Lambda does not allow.
    """
    name = deployed_as(machine, task)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise AwsError(
            f"the function {name} cannot be called so: Lambda allows A-Z a-z 0-9 - _ in a name; give the machine "
            "another ",
            Parameter("name"),
            ", or the task another name",
        )
    if len(name) > _LONGEST_NAME:
        raise AwsError(
            f"the function {name} would have a name of {len(name)} characters; Lambda allows {_LONGEST_NAME}: "
            "give the machine a shorter ",
            Parameter("name"),
        )
    return name


def converge_function(aws: Aws, changes: Changes, wanted: WantedFunction, owner: Mapping[str, str]) -> str:
    """Create or update a function, and publish it.  Returns the ARN of the version to invoke.

    While nothing is applied, the version is the one that AWS would assign next.  Raises ``AwsError``.
    """
    if len(wanted.bundle.content) > _MOST_UPLOADED:
        raise AwsError(
            f"the code of {wanted.name} has {len(wanted.bundle.content):,} bytes zipped; Lambda takes "
            f"{_MOST_UPLOADED:,} in a request: leave dependencies out, or deploy the functions by other means"
        )
    client = aws.client("lambda")
    arn = aws.function_arn(wanted.name)
    current = found(
        f"look at the function {wanted.name}",
        lambda: client.get_function_configuration(FunctionName=wanted.name),
        ABSENT,
    )
    if current is None:
        version = _create(changes, client, wanted, owner) or "1"
    else:
        _check_owner(client, arn, wanted.name, owner)
        version = _update(changes, client, wanted, current)
    _converge_concurrency(changes, client, wanted, exists=current is not None)
    return f"{arn}:{version}"


def _create(changes: Changes, client: Any, wanted: WantedFunction, owner: Mapping[str, str]) -> str | None:
    made = changes.write_with_role(
        f"create the function {wanted.name}",
        lambda: client.create_function(
            FunctionName=wanted.name,
            **wanted.configuration(),
            Code={"ZipFile": wanted.bundle.content},
            Architectures=[wanted.architecture],
            PackageType="Zip",
            Description=f"Task {wanted.task}, deployed by asl",
            Publish=True,
            Tags=dict(owner),
        ),
    )
    if made is None:
        return None
    _wait(changes, client, wanted.name)
    return str(made["Version"])


def _check_owner(client: Any, arn: str, name: str, owner: Mapping[str, str]) -> None:
    tags = _tags(client, arn)
    if not is_ours(tags, owner):
        raise AwsError(
            f"there is a function {name} that has not been made for this deployment ({foreign(tags, owner)}): "
            "give the machine another ",
            Parameter("name"),
            ", or remove that function",
        )


def _update(changes: Changes, client: Any, wanted: WantedFunction, current: dict[str, Any]) -> str:
    """Update the code, then the configuration; publish a version unless the newest one is the same."""
    name = wanted.name
    if current["CodeSha256"] != wanted.bundle.sha256 or current.get("Architectures") != [wanted.architecture]:
        if changes.apply:
            _wait(changes, client, name)
        changes.write(
            f"update the code of the function {name}",
            lambda: client.update_function_code(
                FunctionName=name, ZipFile=wanted.bundle.content, Architectures=[wanted.architecture]
            ),
        )
    different = {key: value for key, value in wanted.configuration().items() if _given(current, key) != value}
    if different:
        if changes.apply:
            _wait(changes, client, name)
        changes.write(
            f"update the configuration of the function {name} ({', '.join(different)})",
            lambda: client.update_function_configuration(FunctionName=name, **different),
        )
    versions = _versions(client, name)
    newest = versions[-1] if versions else None
    if newest is not None and _is_as_wanted(newest, wanted):
        return str(newest["Version"])
    if changes.apply:
        _wait(changes, client, name)
    made = changes.write(
        f"publish a version of the function {name}", lambda: client.publish_version(FunctionName=name)
    )
    return str(made["Version"]) if made is not None else str(1 + int(newest["Version"] if newest else 0))


def _given(current: dict[str, Any], key: str) -> Any:
    if key == "Environment":
        return {"Variables": current.get("Environment", {}).get("Variables", {})}
    return current.get(key)


def _is_as_wanted(version: dict[str, Any], wanted: WantedFunction) -> bool:
    return version["CodeSha256"] == wanted.bundle.sha256 and all(
        _given(version, key) == value for key, value in wanted.configuration().items()
    )


def _versions(client: Any, name: str) -> list[dict[str, Any]]:
    """The published versions, the oldest first."""
    with explained(f"list the versions of the function {name}"):
        try:
            versions = [
                one
                for page in pages(
                    partial(client.list_versions_by_function, FunctionName=name), "Marker", "NextMarker"
                )
                for one in page["Versions"]
                if one["Version"] != "$LATEST"
            ]
        except client.exceptions.ResourceNotFoundException:
            return []
    return sorted(versions, key=lambda one: int(one["Version"]))


def _converge_concurrency(changes: Changes, client: Any, wanted: WantedFunction, *, exists: bool) -> None:
    name, number = wanted.name, wanted.settings.concurrency
    answer: dict[str, Any] = {}
    if exists or changes.apply:
        answer = (
            found(
                f"read the concurrency of the function {name}",
                lambda: client.get_function_concurrency(FunctionName=name),
                ABSENT,
            )
            or {}
        )
    if answer.get("ReservedConcurrentExecutions") == number:
        return
    if number is None:
        changes.write(
            f"reserve no concurrency for the function {name}",
            lambda: client.delete_function_concurrency(FunctionName=name),
        )
        return
    changes.write(
        f"reserve a concurrency of {number} for the function {name}",
        lambda: client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number),
    )


def _wait(changes: Changes, client: Any, name: str) -> None:
    """Wait until Lambda has finished the last change.  Raises ``AwsError`` if that failed."""

    def ready() -> bool:
        shown = client.get_function_configuration(FunctionName=name)
        for state, reason in (("State", "StateReason"), ("LastUpdateStatus", "LastUpdateStatusReason")):
            if shown.get(state) == "Failed":
                raise AwsError(
                    f"Lambda could not set up the function {name}: {shown.get(reason, 'no reason given')}"
                )
        return bool(shown.get("State") != "Pending" and shown.get("LastUpdateStatus") != "InProgress")

    changes.wait_until(f"the function {name} is ready", ready)


def leftover_functions(aws: Aws, machine: str, owner: Mapping[str, str]) -> list[str]:
    """The names of all functions made for this machine, found by name and then by tags."""
    client = aws.client("lambda")
    with explained("list the functions"):
        candidates = [
            one
            for page in pages(client.list_functions, "Marker", "NextMarker")
            for one in page["Functions"]
            if one["FunctionName"].startswith(deployed_as(machine, ""))
        ]
    return sorted(one["FunctionName"] for one in candidates if is_ours(_tags(client, one["FunctionArn"]), owner))


def _tags(client: Any, arn: str) -> dict[str, str]:
    answer: Any = found(f"read the tags of {arn}", lambda: client.list_tags(Resource=arn), ABSENT)
    return dict((answer or {}).get("Tags", {}))


def remove_functions(aws: Aws, changes: Changes, names: Iterable[str]) -> None:
    client = aws.client("lambda")
    for name in names:
        changes.write(f"delete the function {name}", partial(client.delete_function, FunctionName=name))
