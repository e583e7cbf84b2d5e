"""Credentials of a Task: which definitions are sound, what the history shows, and what the resource is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StatesError
from asl_engine.language.loader import check, load
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.sqlite.codec import decode, encode, rows_of
from tests.core.driver import IDENTITY, drive

if TYPE_CHECKING:
    from asl_engine.resources import TaskCall

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
INVOKE = "arn:aws:states:::lambda:invoke"
ROLE = "arn:aws:iam::210987654321:role/r"
GIVEN = {"role": ROLE, "deep": {"role": ROLE}}


def machine(credentials: Any, language: str = "JSONPath", **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": INVOKE, "Credentials": credentials, "End": True, **fields}
    return {"QueryLanguage": language, "StartAt": "T", "States": {"T": state}}


SOUND: dict[str, dict[str, Any]] = {
    "a literal": machine({"RoleArn": ROLE}),
    "a path": machine({"RoleArn.$": "$.role"}),
    "a path into the effective input": machine({"RoleArn.$": "$.role"}, InputPath="$.deep"),
    "a function": machine({"RoleArn.$": "States.Format('{}', $.role)"}),
    "the context object": machine({"RoleArn.$": "$$.Execution.Input.role"}),
    "a literal in JSONata": machine({"RoleArn": ROLE}, "JSONata"),
    "an expression": machine({"RoleArn": "{% $states.input.role %}"}, "JSONata"),
}


@pytest.mark.parametrize("definition", SOUND.values(), ids=SOUND)
@pytest.mark.parametrize("resource", [INVOKE, FUNCTION])
def test_the_history_shows_the_role(definition: dict[str, Any], resource: str) -> None:
    definition["States"]["T"]["Resource"] = resource
    _, events = drive(definition, GIVEN, {"T": [1]})
    shown = list(project(IDENTITY, decode(rows_of(encode(1, events)), {})))
    details = next(event[key] for event in shown for key in event if key.endswith("ScheduledEventDetails"))
    assert details["taskCredentials"] == {"roleArn": ROLE}


def test_every_attempt_has_its_role() -> None:
    definition = machine({"RoleArn.$": "$.role"}, Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}])
    _, events = drive(definition, GIVEN, {"T": [StatesError("E"), 1]})
    roles = [
        event.get("taskScheduledEventDetails", {}).get("taskCredentials") for event in project(IDENTITY, events)
    ]
    assert roles.count({"roleArn": ROLE}) == 2


def test_without_credentials_there_are_none_to_show() -> None:
    definition = machine({"RoleArn": ROLE})
    del definition["States"]["T"]["Credentials"]
    _, events = drive(definition, GIVEN, {"T": [1]})
    assert not any("taskCredentials" in json.dumps(event) for event in project(IDENTITY, events))


FAILING: list[tuple[dict[str, Any], str, str]] = [
    (machine({"RoleArn.$": "$.deep"}), "States.Runtime", "The value for the field 'RoleArn' must be a String"),
    (
        machine({"RoleArn.$": "$.nothing"}),
        "States.Runtime",
        "The JSONPath '$.nothing' specified for the field 'RoleArn.$'",
    ),
    (
        machine({"RoleArn": "{% 1 %}"}, "JSONata"),
        "States.QueryEvaluationError",
        "field 'Credentials/RoleArn' returned an unexpected result type. Expected 'string', but was 'number'",
    ),
]


@pytest.mark.parametrize(("definition", "error", "cause"), FAILING)
def test_a_role_that_cannot_be_evaluated(definition: dict[str, Any], error: str, cause: str) -> None:
    execution, _ = drive(definition, GIVEN)
    assert execution.error == error
    assert cause in (execution.cause or "")


REFUSED: list[tuple[Any, str, str, str]] = [
    ({"InvalidField": "x"}, "JSONata", "/States/T/Credentials", "The field 'RoleArn' is required but was missing"),
    ({}, "JSONPath", "/States/T/Credentials", "The field 'RoleArn' is required but was missing"),
    (
        {"RoleArn.$": "$.role"},
        "JSONata",
        "/States/T/Credentials",
        "The field 'RoleArn' is required but was missing",
    ),
    ({"RoleArn": 1}, "JSONPath", "/States/T/Credentials/RoleArn", "Expected value of type String"),
    ({"RoleArn": ROLE, "Role": 1}, "JSONPath", "/States/T/Credentials/Role", "The field 'Role' is not supported"),
    ({"RoleArn.$": "role"}, "JSONPath", "/States/T/Credentials/RoleArn.$", "must be a valid JSONPath"),
    ({"RoleArn": "{% ( %}"}, "JSONata", "/States/T/Credentials/RoleArn", ""),
    ("r", "JSONPath", "/States/T/Credentials", "Expected value of type Object"),
]


@pytest.mark.parametrize(("credentials", "language", "location", "message"), REFUSED)
def test_definitions_that_are_refused(credentials: Any, language: str, location: str, message: str) -> None:
    found, findings = check(json.dumps(machine(credentials, language)))
    assert found is None
    assert [finding.location for finding in findings] == [location]
    assert message in findings[0].message


def test_the_resource_is_told_the_role() -> None:
    told: list[str | None] = []

    async def resource(call: TaskCall) -> Payload:
        told.append(call.role)
        return Payload(1)

    async def main() -> None:
        with anyio.fail_after(20):
            async with Engine(MemoryStore(), {INVOKE: resource}, clock=VirtualClock()) as engine:
                run = await engine.start(load(json.dumps(machine({"RoleArn": ROLE}))), "m", Payload({}), "n")
                await run.wait()

    anyio.run(main)
    assert told == [ROLE]
