"""The events that API Gateway calls functions with: payload 1.0 of all APIs, payload 2.0 of HTTP APIs."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from asl_engine.gateway.http import ApiRequest
    from asl_engine.gateway.routes import Taken
    from asl_engine.server.protocol.request import Caller

__all__ = ["proxy_event", "request_context"]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What an HTTP API takes for text; everything else it hands on in Base64.
TEXT: Final = re.compile(r"text/.*|application/(json|javascript|xml|x-www-form-urlencoded)|.*\+(json|xml)")


def proxy_event(request: ApiRequest, taken: Taken, account: Caller) -> dict[str, Any]:
    """What the function of a proxy integration gets."""
    if taken.route.declared.payload == "2.0":
        return _event_2(request, taken, account)
    event = _event_1(request, taken, account)
    return event if taken.api.rest else {"version": "1.0", **event}


def _event_1(request: ApiRequest, taken: Taken, account: Caller) -> dict[str, Any]:
    lower = not taken.api.rest  # HTTP APIs write all names of headers in lower case
    headers: dict[str, list[str]] = request.header_values() if lower else _grouped(request)
    query = request.parameters()
    body, encoded = _body(request, http_api=not taken.api.rest)
    return {
        "resource": taken.route.declared.path,
        "path": _path(taken),
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": _parameters(taken) or None,
        "stageVariables": None,
        "requestContext": request_context(request, taken, account),
        "body": body,
        "isBase64Encoded": encoded,
    }


def request_context(request: ApiRequest, taken: Taken, account: Caller) -> dict[str, Any]:
    """``requestContext`` of payload 1.0, and ``$context`` of mapping templates."""
    api = taken.api
    domain = _domain(taken, account)
    identity = dict.fromkeys(
        (
            "accessKey",
            "accountId",
            "apiKey",
            "apiKeyId",
            "caller",
            "cognitoAuthenticationProvider",
            "cognitoAuthenticationType",
            "cognitoIdentityId",
            "cognitoIdentityPoolId",
            "principalOrgId",
        )
    )
    return {
        "accountId": account.account,
        "apiId": api.identifier,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "extendedRequestId": request.identifier.replace("-", "")[:15] + "=",
        "httpMethod": request.method,
        "identity": {
            **identity,
            "sourceIp": request.client,
            "user": None,
            "userAgent": request.header("user-agent"),
            "userArn": None,
        },
        "path": f"/{api.stage}{taken.path}" if api.rest and api.named_stage() else taken.path,
        "protocol": "HTTP/1.1",
        "requestId": request.identifier,
        "requestTime": _clock(request.at),
        "requestTimeEpoch": request.at,
        "resourceId": None if not api.rest else _resource(taken),
        "resourcePath": taken.route.declared.path,
        "stage": api.stage,
    }


def _event_2(request: ApiRequest, taken: Taken, account: Caller) -> dict[str, Any]:
    headers = {name: ",".join(values) for name, values in request.header_values().items() if name != "cookie"}
    cookies = [one for value in request.header_values().get("cookie", ()) for one in value.split("; ")]
    query = {name: ",".join(values) for name, values in request.parameters().items()}
    parameters = _parameters(taken)
    body, encoded = _body(request, http_api=True)
    path = _path(taken)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": taken.route.key,
        "rawPath": path,
        "rawQueryString": request.query,
    }
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    if query:
        event["queryStringParameters"] = query
    domain = _domain(taken, account)
    event["requestContext"] = {
        "accountId": account.account,
        "apiId": taken.api.identifier,
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.client,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": request.identifier,
        "routeKey": taken.route.key,
        "stage": taken.api.stage,
        "time": _clock(request.at),
        "timeEpoch": request.at,
    }
    if parameters:
        event["pathParameters"] = parameters
    if body is not None:
        event["body"] = body
    event["isBase64Encoded"] = encoded
    return event


def _grouped(request: ApiRequest) -> dict[str, list[str]]:
    """The values of headers by their names as they were sent."""
    found: dict[str, list[str]] = {}
    spelt: dict[str, str] = {}
    for name, value in request.headers:
        found.setdefault(spelt.setdefault(name.lower(), name), []).append(value)
    return found


def _path(taken: Taken) -> str:
    """REST APIs hand the path on as it was sent, HTTP APIs decode it, and have their stage in it."""
    if taken.api.rest:
        return taken.path
    path = unquote(taken.path)
    return f"/{taken.api.stage}{path}" if taken.api.named_stage() else path


def _parameters(taken: Taken) -> dict[str, str]:
    if taken.api.rest:
        return taken.parameters
    return {name: unquote(value) for name, value in taken.parameters.items()}


def _body(request: ApiRequest, *, http_api: bool) -> tuple[str | None, bool]:
    """The body as text, or in Base64, and whether it is the latter."""
    if not request.body:
        return None, False
    plain = not http_api or (TEXT.fullmatch(request.media_type) and request.header("content-encoding") is None)
    if plain:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # on AWS a REST API needs to know the media type for it
    return base64.b64encode(request.body).decode(), True


def _domain(taken: Taken, account: Caller) -> str:
    return f"{taken.api.identifier.lower()}.execute-api.{account.region}.amazonaws.com"


def _resource(taken: Taken) -> str:
    """The id of a resource: six letters on AWS, and here what can be told from its path."""
    return re.sub(r"\W+", "-", taken.route.declared.path).strip("-") or "root"


def _clock(at: int) -> str:
    """``04/Mar/2020:19:15:17 +0000``: the names of months do not depend on the language of this machine."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return f"{moment:%d}/{MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"
