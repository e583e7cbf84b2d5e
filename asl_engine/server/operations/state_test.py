"""TestState: runs one state by itself, without creating a state machine or an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.engine.state_tests import datasets_of, run_trial, trial_identity
from asl_engine.errors import DefinitionError
from asl_engine.inspection.checks import check_mock, check_request
from asl_engine.inspection.context import check_context
from asl_engine.inspection.question import Refusal, StateConfiguration, StateMock
from asl_engine.inspection.subject import load_subject
from asl_engine.inspection.trial import Trial
from asl_engine.inspection.verdict import to_answer
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.payload import Payload
from asl_engine.resources.mocks.results import FieldValidation, check_result
from asl_engine.resources.recognition import unrecognised
from asl_engine.server.definitions import invalid_definition
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.request import checked_role

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = ["test_state"]


async def test_state(request: Request, service: Service) -> dict[str, Any]:
    level: Any = request.optional_text("inspectionLevel") or "INFO"
    try:
        trial = _trial(request, service)
        reveal = request.flag("revealSecrets", default=False)
        await run_trial(trial, service.catalog, service.engine.clock, reveal_secrets=reveal)
    except Refusal as refusal:
        raise ApiError(refusal.code, refusal.message) from None
    except DefinitionError as error:
        raise invalid_definition(error.findings) from None
    return to_answer(trial.verdict(), level)


def _trial(request: Request, service: Service) -> Trial:
    mock, configuration = _mock(request), _configuration(request)
    context = _object(request, "context")
    reveal = request.flag("revealSecrets", default=False)
    check_request(mock, configuration, context=context is not None, reveal_secrets=reveal)
    subject = load_subject(request.text("definition"), request.optional_text("stateName"))
    refused = [*unrecognised(subject.definition)]
    if refused:
        raise invalid_definition(refused)
    given = request.optional_text("roleArn")
    role = None if given is None else checked_role(given)
    check_mock(subject, mock, configuration, role)
    if context is not None:
        check_context(subject, context)
    if mock is not None and mock.result is not None and subject.type == "Task":
        check_result(subject.source["Resource"], mock.result.value, _validation(request))
    return Trial(
        subject,
        trial_identity(*request.caller, service.engine.clock.now(), role),
        _input(request.optional_text("input") or "{}"),
        _object(request, "variables"),
        context,
        mock,
        configuration,
        service.engine.limits,
        datasets=datasets_of(configuration.map_item_reader_data),
    )


def _mock(request: Request) -> StateMock | None:
    """The mock of a request.  Raises ``Refusal`` unless it has either a result or an error."""
    given: Any = request.data.get("mock")
    if given is None:
        return None
    result, failure = given.get("result"), given.get("errorOutput")
    if result is None and failure is None:
        raise Refusal("One of the following fields is required for a test mock: [result, errorOutput].")
    if result is not None and failure is not None:
        raise Refusal("A test mock should have only one of the following fields: [result, errorOutput].")
    if result is not None:
        return StateMock(_mocked_result(result))
    if failure.get("error") is None:
        raise Refusal("An error was not specified in the mocked error output.")
    return StateMock(error=failure["error"], cause=failure.get("cause"))


def _validation(request: Request) -> FieldValidation:
    given: Any = request.data["mock"]
    mode: FieldValidation = given.get("fieldValidationMode") or "STRICT"
    return mode


def _mocked_result(text: str) -> Payload:
    try:
        return Payload(loads(text), text)
    except JsonSyntaxError as error:
        raise Refusal(f"Mocked result must be a valid JSON string: {error}") from None


def _configuration(request: Request) -> StateConfiguration:
    given: Any = request.data.get("stateConfiguration") or {}
    return StateConfiguration(
        given.get("retrierRetryCount"),
        given.get("errorCausedByState"),
        given.get("mapIterationFailureCount"),
        given.get("mapItemReaderData"),
    )


def _object(request: Request, member: str) -> dict[str, Json] | None:
    """A member that is the text of a JSON object.  Raises ``Refusal`` for any other."""
    text = request.optional_text(member)
    if text is None:
        return None
    try:
        value = loads(text)
    except JsonSyntaxError as error:
        raise Refusal(f"The {member} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refusal(f"The {member} must be a JSON object.")
    return value


def _input(text: str) -> Payload:
    try:
        return Payload(loads(text), text)
    except JsonSyntaxError as error:
        raise Refusal(f"Invalid State Machine Execution Input: '{error}'", "InvalidExecutionInput") from None
