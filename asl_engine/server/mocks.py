"""Test cases: ``<state machine ARN>#<TestCase>`` in StartExecution and StartSyncExecution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.errors import ProjectError
from asl_engine.server.protocol.errors import ApiError, invalid_arn

if TYPE_CHECKING:
    from asl_engine.core.machine import StateMachine
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = ["check_case", "without_case"]


def without_case(request: Request, service: Service) -> Request:
    """Move the test case from the ARN to ``mock_case``.  Raises InvalidArn without a mock configuration."""
    arn = request.data.get("stateMachineArn")
    if not isinstance(arn, str) or "#" not in arn:
        return request
    if service.mocking is None:
        raise invalid_arn(f"{arn}: no mock configuration was given")
    machine, _, case = arn.partition("#")
    return request._replace(data={**request.data, "stateMachineArn": machine}, mock_case=case)


def check_case(request: Request, service: Service, name: str, machine: StateMachine) -> None:
    """Check the request's test case against the state machine of this name.

    Raises ValidationException if there is no such test case, or if it mocks what the machine does not have.
    """
    if request.mock_case is None or service.mocking is None:
        return
    types = {state: compiled.type for state, compiled in machine.states.items()}
    try:
        service.mocking.file.read().check(name, request.mock_case, types)
    except ProjectError as error:
        raise ApiError("ValidationException", str(error)) from None
