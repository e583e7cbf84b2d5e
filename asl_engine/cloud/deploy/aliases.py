"""Moves an alias from one version to another, at once or by weight, and back if the new one fails."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asl_engine.arn import last_part, unqualified, version_number
from asl_engine.cloud.client import AwsError
from asl_engine.cloud.deploy.changes import found
from asl_engine.cloud.deploy.machines import versions_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.cloud.client import Aws
    from asl_engine.cloud.deploy.changes import Changes

__all__ = ["Routes", "Shift", "promoted", "rolled_back", "routes_of", "shift", "shown"]

# (ARN of a version, percentage), the larger part first; of two halves, the older version.
Routes: TypeAlias = "tuple[tuple[str, int], ...]"

_ABSENT = ("ResourceNotFound", "StateMachineDoesNotExist", "ResourceNotFoundException")
_INTERVAL_SECONDS = 5


class Shift(NamedTuple):
    """How to move an alias.

    ``weight`` is the new version's percentage, None for all.  ``alarms`` are names of CloudWatch alarms that
    are watched for ``watch`` seconds; ``check`` is a command that exits with 0 if the new version works.
    ``promote`` moves the rest once the weighted part has passed.
    """

    alias: str
    weight: int | None = None
    alarms: tuple[str, ...] = ()
    check: str | None = None
    watch: int = 60
    promote: bool = False


class RolledBack(AwsError):
    """The new version failed its check or an alarm: the alias leads to where it led before."""

    exit_code = 1


def routes_of(aws: Aws, alias_arn: str) -> Routes | None:
    """The routes of an alias; None if there is no such alias."""
    answer = found(
        f"look at the alias {alias_arn}",
        lambda: aws.states.describe_state_machine_alias(stateMachineAliasArn=alias_arn),
        *_ABSENT,
    )
    if answer is None:
        return None
    routes = [(one["stateMachineVersionArn"], int(one["weight"])) for one in answer["routingConfiguration"]]
    return ordered(routes)


def ordered(routes: Iterable[tuple[str, int]]) -> Routes:
    return tuple(sorted(routes, key=lambda route: (-route[1], version_number(route[0]))))


def target(current: Routes | None, version: str, weight: int | None) -> Routes:
    """The wanted routes: what ``weight`` leaves stays with the version that has the largest share now."""
    stable = next((arn for arn, _ in current or () if arn != version), None)
    if weight is None or stable is None:
        return ((version, 100),)
    return ordered(((version, weight), (stable, 100 - weight)))


def promoted(current: Routes) -> Routes:
    """Routes that lead to the newer of two versions alone."""
    return ((max((arn for arn, _ in current), key=version_number), 100),)


def rolled_back(aws: Aws, machine: str, current: Routes) -> Routes:
    """Routes that lead to the older of two versions, or to the version before the only one.

    Raises ``AwsError`` if there is no earlier version.
    """
    older = min((arn for arn, _ in current), key=version_number)
    if len(current) > 1:
        return ((older, 100),)
    before = [number for number in versions_of(aws, machine) if number < version_number(older)]
    if not before:
        raise AwsError(f"there is no version before {version_number(older)} to go back to")
    return ((f"{machine}:{before[0]}", 100),)


def shown(routes: Routes | None) -> str:
    """``version 3 (90 %), version 4 (10 %)``"""
    if routes is None:
        return "nothing"
    return ", ".join(f"version {version_number(arn)} ({weight} %)" for arn, weight in routes)


def set_routes(aws: Aws, changes: Changes, alias_arn: str, wanted: Routes, current: Routes | None) -> None:
    """Create the alias, or give it the wanted routes."""
    if current == wanted:
        return
    name = last_part(alias_arn)
    configuration = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in wanted]
    if current is None:
        changes.write(
            f"create the alias {name} on {shown(wanted)}",
            lambda: aws.states.create_state_machine_alias(name=name, routingConfiguration=configuration),
        )
    else:
        changes.write(
            f"move the alias {name} from {shown(current)} to {shown(wanted)}",
            lambda: aws.states.update_state_machine_alias(
                stateMachineAliasArn=alias_arn, routingConfiguration=configuration
            ),
        )
    if changes.apply:
        changes.wait_until(f"the alias {name} is live", lambda: routes_of(aws, alias_arn) == wanted)


def shift(aws: Aws, changes: Changes, machine: str, version: str, how: Shift) -> Routes:
    """Move the alias to ``version`` as ``how`` says, and back if an alarm goes off or the check fails.

    Raises ``RolledBack`` (exit code 1) after moving it back, and ``AwsError`` for an alarm that does not exist,
    or that has gone off before anything was moved.
    """
    alias_arn = f"{machine}:{how.alias}"
    current = routes_of(aws, alias_arn)
    wanted = target(current, version, how.weight)
    if how.alarms and wanted != current:
        trouble = _trouble(aws, how.alarms)
        if trouble is not None:
            raise AwsError(f"{trouble} before the alias {how.alias} is moved: nothing is moved")
    set_routes(aws, changes, alias_arn, wanted, current)
    guarded = _guard(aws, changes, alias_arn, version, how, before=current, now=wanted)
    if how.promote and len(wanted) > 1 and guarded:
        final: Routes = ((version, 100),)
        set_routes(aws, changes, alias_arn, final, wanted)
        return final
    return wanted


def _guard(
    aws: Aws, changes: Changes, alias_arn: str, version: str, how: Shift, *, before: Routes | None, now: Routes
) -> bool:
    """Whether the alarms and the check pass.  After an interruption the next run repeats them."""
    if not changes.apply or not (how.alarms or how.check):
        return changes.apply
    fallback = _fallback(aws, alias_arn, version, before)
    try:
        trouble = _watched(aws, changes, alias_arn, version, how, moved=before != now)
    except (KeyboardInterrupt, AwsError):  # an unproven version must not keep the alias
        if fallback is not None:
            set_routes(aws, changes, alias_arn, fallback, now)
        raise
    if trouble is None:
        return True
    if fallback is None:
        raise RolledBack(f"{trouble}; there is no earlier version that {how.alias} could go back to")
    set_routes(aws, changes, alias_arn, fallback, now)
    raise RolledBack(f"{trouble}: the alias {how.alias} is back on {shown(fallback)}")


def _fallback(aws: Aws, alias_arn: str, version: str, before: Routes | None) -> Routes | None:
    """The routes to go back to: those before the move, or the version before ``version`` if nothing moved."""
    stable = next((arn for arn, _ in before or () if arn != version), None)
    if stable is not None:
        alone = before is not None and len(before) > 1 and version in {arn for arn, _ in before}
        return ((stable, 100),) if alone or before is None else before
    if before is None:
        return None
    with suppress(AwsError):
        return rolled_back(aws, unqualified(alias_arn)[0], ((version, 100),))
    return None


def _watched(aws: Aws, changes: Changes, alias_arn: str, version: str, how: Shift, *, moved: bool) -> str | None:
    """What is wrong with the new version, None if nothing is.  Without a move, the alarms are read once."""
    if how.check is not None:
        changes.tell(f"check: {how.check}")
        code = _checked(how.check, aws, alias_arn, version)
        if code != 0:
            return f"the check failed (exit code {code})"
    left = how.watch if how.alarms and moved else 0
    if left:
        changes.tell(f"watching {', '.join(how.alarms)} for {left} s")
    while True:
        trouble = _trouble(aws, how.alarms)
        if trouble is not None or left <= 0:
            return trouble
        changes.pause(min(_INTERVAL_SECONDS, left))
        left -= _INTERVAL_SECONDS


def _checked(command: str, aws: Aws, alias_arn: str, version: str) -> int:
    """The exit code of the check, a shell command line; its environment says what to check, and where."""
    told = {
        "ASL_ALIAS_ARN": alias_arn,
        "ASL_STATE_MACHINE_ARN": unqualified(alias_arn)[0],
        "ASL_VERSION_ARN": version,
    }
    environment = os.environ | aws.environment | told
    return subprocess.run(command, shell=True, env=environment, check=False).returncode  # noqa: S602  the user's


def _trouble(aws: Aws, alarms: tuple[str, ...]) -> str | None:
    """The first alarm that has gone off.  Raises ``AwsError`` for one that does not exist."""
    if not alarms:
        return None
    answer: dict[str, Any] = (
        found(
            "look at the alarms",
            lambda: aws.client("cloudwatch").describe_alarms(
                AlarmNames=list(alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            ),
        )
        or {}
    )
    states = {
        alarm["AlarmName"]: alarm["StateValue"]
        for alarm in [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    }
    missing = [name for name in alarms if name not in states]
    if missing:
        raise AwsError(f"there is no alarm {missing[0]!r} in {aws.region}")
    off = [name for name in alarms if states[name] == "ALARM"]
    return f"the alarm {off[0]} is in ALARM" if off else None
