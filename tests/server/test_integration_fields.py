"""Each field of each optimised integration, sound and bad, when a state machine is created."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.resources.integrations import NATIVE
from tests.server.harness import ROLE, refusal
from tests.server.integration_fields import NATIVE as NATIVE_FIELDS
from tests.server.integration_fields import bad_parameters, integrations, sound_parameters


def machine(name: str, every: list[Any]) -> str:
    """A machine with a task for each of the parameters."""
    states: dict[str, Any] = {}
    for number, parameters in enumerate(every):
        task = {"Type": "Task", "Resource": f"arn:aws:states:::{name}", "Parameters": parameters}
        states[f"S{number}"] = {**task, "Next": f"S{number + 1}"}
    states[f"S{len(every)}"] = {"Type": "Succeed"}
    return json.dumps({"StartAt": "S0", "States": states})


@pytest.mark.parametrize("integration", integrations())
def test_sound_fields_are_taken(client: Any, name: str, integration: str) -> None:
    every = [parameters for _, parameters in sound_parameters(integration)]
    assert len(every) > 1
    client.create_state_machine(name=name, definition=machine(integration, every), roleArn=ROLE)


@pytest.mark.parametrize("integration", integrations())
def test_bad_fields_are_refused(client: Any, name: str, integration: str) -> None:
    every = list(bad_parameters(integration))
    definition = machine(integration, [bad.parameters for bad in every])
    told = (
        f"SCHEMA_VALIDATION_FAILED: {bad.fault} at /States/S{number}/Parameters"
        for number, bad in enumerate(every)
    )
    expected = ("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(told)}'")
    assert refusal(client.create_state_machine, name=name, definition=definition, roleArn=ROLE) == expected


def test_no_integration_is_forgotten() -> None:
    assert NATIVE_FIELDS.keys() == NATIVE.keys()
