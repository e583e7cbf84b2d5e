"""Checks the definitions that callers send, and reports everything that is wrong at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asl_engine.arn import is_activity
from asl_engine.findings import Finding
from asl_engine.json_text import loads
from asl_engine.language.loader import check
from asl_engine.resources.recognition import task_resources, unrecognised
from asl_engine.server.off_loop import without_delay
from asl_engine.server.protocol.errors import ApiError
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json
    from asl_engine.limits import Limits
    from asl_engine.server.protocol.request import Request
    from asl_engine.store.records import MachineType

__all__ = ["MAX_FINDINGS", "checked_definition", "findings_of", "invalid_definition", "machine_type", "place"]

MAX_FINDINGS = 100  # as many as ValidateStateMachineDefinition gives

# Integration patterns that Express machines do not support.
NOT_EXPRESS = (".sync", ".waitForTaskToken")


def machine_type(request: Request) -> MachineType:
    return "EXPRESS" if request.optional_text("type") == "EXPRESS" else "STANDARD"


async def checked_definition(text: str, kind: MachineType, limits: Limits) -> StateMachine:
    """The machine that ``text`` defines.  Raises InvalidDefinition with the findings."""
    machine, findings = await findings_of(text, kind, limits)
    if machine is None:
        raise _bad_label(findings, text) or invalid_definition(findings)
    return machine


async def findings_of(text: str, kind: MachineType, limits: Limits) -> tuple[StateMachine | None, list[Finding]]:
    """Like ``check``, for one type of machine; a large definition does not delay other requests."""
    machine, findings = await without_delay(partial(check, text, positions=False, limits=limits), len(text))
    if machine is None:
        return None, findings
    definition = loads(text)
    refused = [*unrecognised(definition), *(_not_express(definition) if kind == "EXPRESS" else ())]
    return (None if refused else machine), [*findings, *refused]


def _bad_label(findings: Iterable[Finding], text: str) -> ApiError | None:
    """The error for an invalid Label, which AWS words unlike all others (recorded)."""
    for finding in findings:
        if finding.location is not None and finding.location.endswith("/Label"):
            return ApiError(
                "InvalidDefinition", f"Error=ValueError Args={[finding.message]!r} in definition '{text}'."
            )
    return None


def invalid_definition(findings: Iterable[Finding]) -> ApiError:
    """InvalidDefinition with the errors among the findings."""
    errors = [_told(finding) for finding in findings if finding.severity == "ERROR"][:MAX_FINDINGS]
    return ApiError("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(errors)}'")


def _told(finding: Finding) -> str:
    # AWS also writes "null" where a finding is about the whole definition.
    return f"{finding.code}: {finding.message} at {place(finding) or 'null'}"


def place(finding: Finding) -> str | None:
    """The location as AWS shows it: that of the machine itself is ``/``."""
    return finding.location if finding.location is None else finding.location or "/"


def _not_express(definition: Json) -> Iterator[Finding]:
    """The tasks, at any depth, that an Express machine cannot have."""
    for resource, location in task_resources(definition):
        if is_activity(resource):
            message = "Express state machine does not support activities"
            yield Finding(SCHEMA_VALIDATION_FAILED, message, location)
        for suffix in NOT_EXPRESS:
            if suffix in resource:
                message = f"Express state machine does not support '{suffix}' service integration"
                yield Finding(SCHEMA_VALIDATION_FAILED, message, location)
