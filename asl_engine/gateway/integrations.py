"""Does what a route says: calls a function, starts an execution, puts an event, or answers by itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_name, parse_arn
from asl_engine.errors import AslError, StatesError
from asl_engine.gateway.http import JSON_TYPE, ApiAnswer, message
from asl_engine.gateway.json_paths import value_at
from asl_engine.gateway.mapping_templates import NotJson, rendered
from asl_engine.gateway.parameters import Unmappable, mapped
from asl_engine.gateway.proxy_answers import integration_failed, proxy_answer
from asl_engine.gateway.proxy_events import proxy_event, request_context
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import MISSING
from asl_engine.projections.causes import readable_cause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.gateway.backend import Backend
    from asl_engine.gateway.http import ApiRequest
    from asl_engine.gateway.routes import Taken
    from asl_engine.json_values import Json
    from asl_engine.server.protocol.request import Caller

__all__ = ["not_run_here", "perform_route", "seconds_of"]

REST_SECONDS: Final = 29.0
HTTP_SECONDS: Final = 30.0
SUBTYPE: Final = re.compile(r"(StepFunctions|EventBridge)-(\w+)")
SERVICES: Final = {"StepFunctions": "states", "EventBridge": "events"}
MOCK: Final = "MOCK"
NEVER: Final = "NEVER"


class Integrated(NamedTuple):
    """What an integration of a REST API has given: ``chosen_by`` selects the response."""

    chosen_by: str
    body: str
    why: str = ""


def seconds_of(taken: Taken) -> float:
    """How long an integration may take."""
    most = REST_SECONDS if taken.api.rest else HTTP_SECONDS
    given = taken.route.declared.integration.get("TimeoutInMillis")
    try:
        return float(str(given)) / 1000 if given is not None else most
    except ValueError:
        return most


def operation_of(integration: Mapping[str, Json]) -> tuple[str, str] | None:
    """The service and the operation that an integration names, None for none of those that are here."""
    subtype = SUBTYPE.fullmatch(str(integration.get("IntegrationSubtype", "")))
    if subtype is not None:
        return SERVICES[subtype[1]], subtype[2]
    uri = parse_arn(str(integration.get("Uri", "")))
    # arn:aws:apigateway:us-east-1:states:action/StartExecution has the service where others have the account
    if uri is None or uri.service != "apigateway" or uri.account not in SERVICES.values():
        return None
    named = re.fullmatch(r"action/(\w+)", uri.resource)
    return None if named is None else (uri.account, named[1])


def not_run_here(target: str | None, integration: Mapping[str, Json]) -> str | None:
    """Why a route cannot be served, None where nothing speaks against it."""
    kind = str(integration.get("Type", "AWS_PROXY"))
    if target is not None and function_name(target) is not None:
        return None
    if kind == MOCK or operation_of(integration) is not None or target is not None:
        return None
    named = integration.get("IntegrationSubtype") or integration.get("Uri") or kind
    return f"the integration {named} is not run here: functions, state machines, the event bus and mocks are"


async def perform_route(request: ApiRequest, taken: Taken, account: Caller, backend: Backend) -> ApiAnswer:
    """The answer of a route's integration."""
    declared = taken.route.declared
    why = not_run_here(declared.target, declared.integration)
    if why is not None:
        return message(501, "Not Implemented", why)
    kind = str(declared.integration.get("Type", "AWS_PROXY")).upper()
    if kind == MOCK or (kind == "AWS" and taken.api.rest):
        return await _mapped_both_ways(request, taken, account, backend)
    if declared.target is not None and function_name(declared.target) is not None:
        return await _proxy(request, taken, account, backend, declared.target)
    return await _service(request, taken, account, backend)


# -- proxies -----------------------------------------------------------------------------------------------


async def _proxy(request: ApiRequest, taken: Taken, account: Caller, backend: Backend, function: str) -> ApiAnswer:
    event = proxy_event(request, taken, account)
    try:
        returned = await _called(request, taken, backend, function, event)
    except StatesError as error:
        return integration_failed(rest=taken.api.rest, why=_reason(error))
    return proxy_answer(returned, payload=taken.route.declared.payload, rest=taken.api.rest)


async def _called(request: ApiRequest, taken: Taken, backend: Backend, function: str, event: Json) -> Json:
    name = f"{request.method} {taken.path}"
    return await backend.call(function, event, key=request.identifier, caller=taken.api.identifier, name=name)


def _reason(error: StatesError) -> str:
    return f"{error.error}: {readable_cause(error.cause or '')}"


async def _service(request: ApiRequest, taken: Taken, account: Caller, backend: Backend) -> ApiAnswer:
    """What an HTTP API asks of a service, and hands on as it is answered."""
    declared = taken.route.declared
    parameters = declared.integration.get("RequestParameters")
    context = request_context(request, taken, account)
    try:
        given = mapped(parameters if isinstance(parameters, dict) else {}, request, taken, context)
    except Unmappable as error:
        return message(400, "Bad Request", str(error))
    service, operation = operation_of(declared.integration) or ("states", "StartExecution")
    if service == "states":
        members: dict[str, Any] = {name[:1].lower() + name[1:]: value for name, value in given.items()}
        members.pop("region", None)
        if "stateMachineArn" not in members and operation.startswith("Start"):
            members["stateMachineArn"] = declared.target
    else:
        entry: dict[str, Any] = {name: value for name, value in given.items() if name != "Region"}
        if "Resources" in given:
            entry["Resources"] = given["Resources"].split(",")
        members = {"Entries": [entry]}
    status, body = await backend.ask(service, operation, members)
    return ApiAnswer(status, (("content-type", JSON_TYPE),), body, "" if status < 400 else body.decode())


# -- REST APIs that map requests and answers -----------------------------------------------------------------


async def _mapped_both_ways(request: ApiRequest, taken: Taken, account: Caller, backend: Backend) -> ApiAnswer:
    context = request_context(request, taken, account) | {
        "authorizer": {},
        "requestOverride": {"header": {}, "path": {}, "querystring": {}},
        "responseOverride": {"header": {}},
    }
    parameters = _parameters(request, taken)

    def render(template: str, body: str, *, is_json: bool = True) -> str:
        return rendered(template, body, is_json=is_json, parameters=parameters, context=context)

    declared = taken.route.declared
    template, passed = _request_template(declared.integration, request.media_type)
    if template is None and not passed:
        return message(415, "Unsupported Media Type", f"the route takes no {request.media_type}")
    try:
        if template is None:
            given = request.text
        else:
            given = render(template, request.text, is_json=request.media_type == JSON_TYPE)
        made = await _integrated(given, request, taken, backend)
        if template is None and made.why:
            made = made._replace(
                why=f"no request template is for {request.media_type}, so it is passed on: {made.why}"
            )
        return _response(made, declared.integration, context, render)
    except NotJson as error:
        return message(400, f"Could not parse request body into json: {error}", str(error))
    except AslError as error:
        return message(500, "Internal server error", f"{declared.location}: {error}")


def _parameters(request: ApiRequest, taken: Taken) -> dict[str, dict[str, str]]:
    headers = dict(request.headers)
    query = {name: values[-1] for name, values in request.parameters().items()}
    return {"header": headers, "path": dict(taken.parameters), "querystring": query}


def _request_template(integration: Mapping[str, Json], media_type: str) -> tuple[str | None, bool]:
    """The template for a media type; where there is none, whether the body is passed on as it is."""
    templates = integration.get("RequestTemplates")
    templates = templates if isinstance(templates, dict) else {}
    found = templates.get(media_type)
    if isinstance(found, str):
        return found, True
    behavior = str(integration.get("PassthroughBehavior") or "WHEN_NO_MATCH").upper()
    return None, behavior != NEVER and (behavior == "WHEN_NO_MATCH" or not templates)


async def _integrated(given: str, request: ApiRequest, taken: Taken, backend: Backend) -> Integrated:
    declared = taken.route.declared
    if str(declared.integration.get("Type", "")).upper() == MOCK:
        return Integrated(_mocked_status(given), given)
    if declared.target is not None and function_name(declared.target) is not None:
        try:
            event = loads(given) if given else {}
        except JsonSyntaxError as error:
            return Integrated("400", json.dumps({"message": f"the event is not JSON: {error}"}))
        try:
            returned = await _called(request, taken, backend, declared.target, event)
        except StatesError as error:
            report = {"errorMessage": readable_cause(error.cause or ""), "errorType": error.error}
            return Integrated(str(report["errorMessage"]), json.dumps(report), _reason(error))
        return Integrated("", json.dumps(returned, ensure_ascii=False))
    service, operation = operation_of(declared.integration) or ("states", "StartExecution")
    try:
        members = loads(given) if given else {}
    except JsonSyntaxError as error:
        members = None
        reason = f"the request is not JSON: {error}: {given}"
    else:
        reason = f"the request is no object: {given}"
    if not isinstance(members, dict):
        body = json.dumps({"__type": "SerializationException"})
        return Integrated("400", body, reason)
    status, body_bytes = await backend.ask(service, operation, members)
    text = body_bytes.decode()
    return Integrated(str(status), text, "" if status < 400 else text)


def _mocked_status(given: str) -> str:
    try:
        value = loads(given)
    except JsonSyntaxError:
        value = None
    status = value.get("statusCode") if isinstance(value, dict) else None
    return "500" if status is None else str(status)


def _response(
    made: Integrated, integration: Mapping[str, Json], context: dict[str, Any], render: Callable[..., str]
) -> ApiAnswer:
    """The response that an integration's outcome selects, its body and headers mapped."""
    responses = integration.get("IntegrationResponses")
    chosen = _chosen(responses if isinstance(responses, list) else [], made.chosen_by)
    if chosen is None:
        why = f"no IntegrationResponse is there for {made.chosen_by or 'a success'}: {made.why or made.body}"
        return message(500, "Internal server error", why)
    headers = {"content-type": JSON_TYPE}
    for name, source in _table(chosen.get("ResponseParameters")).items():
        if name.startswith("method.response.header."):
            value = _response_parameter(str(source), made.body, context)
            if value is not None:
                headers[name.removeprefix("method.response.header.")] = value
    templates = _table(chosen.get("ResponseTemplates"))
    template = templates.get(JSON_TYPE, next(iter(templates.values()), None))
    body = made.body if not isinstance(template, str) else render(template, made.body, is_json=False)
    if not templates and _is_mock(integration):
        body = ""
    override = context["responseOverride"]
    headers |= {name: str(value) for name, value in _table(override.get("header")).items()}
    status = int(str(override.get("status") or chosen.get("StatusCode") or 200))
    return ApiAnswer(status, tuple(headers.items()), body.strip().encode(), made.why if status >= 400 else "")


def _is_mock(integration: Mapping[str, Json]) -> bool:
    return str(integration.get("Type", "")).upper() == MOCK


def _chosen(responses: list[Json], chosen_by: str) -> Mapping[str, Any] | None:
    """The first whose pattern fits the outcome, or the one that has none."""
    given = [one for one in responses if isinstance(one, dict)]
    for one in given:
        pattern = one.get("SelectionPattern")
        if pattern and re.fullmatch(str(pattern), chosen_by, re.DOTALL):
            return one
    return next((one for one in given if not one.get("SelectionPattern")), None)


def _response_parameter(source: str, body: str, context: Mapping[str, Any]) -> str | None:
    if source.startswith("'") and source.endswith("'"):
        return source[1:-1]
    if source.startswith("context."):
        found: Any = context
        for part in source.split(".")[1:]:
            found = found.get(part) if isinstance(found, dict) else None
        return None if found is None else str(found)
    if source == "integration.response.body":
        return body
    if source.startswith("integration.response.body."):
        try:
            found = value_at(loads(body), "$." + source.removeprefix("integration.response.body."))
        except JsonSyntaxError:
            return None
        return None if found is MISSING else str(found)
    return None


def _table(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
