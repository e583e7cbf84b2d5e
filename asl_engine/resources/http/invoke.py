"""``arn:aws:states:::http:invoke``: a request to an HTTPS API.  "Call HTTPS APIs" in the Developer Guide.

Needs the extra ``http`` (httpx), which is imported with the first call.  A connection's secrets go into the
request only: errors never contain them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from asl_engine.arn import Arn, connection_name, parse_arn
from asl_engine.errors import StatesError
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.payload import Payload
from asl_engine.resources.http.bounds import MAX_BYTES
from asl_engine.resources.http.form_encoding import ARRAY_FORMATS, form, query
from asl_engine.resources.http.requests import HttpRequest, fits_header, http_client, joined, reason, send
from asl_engine.resources.request_fields import (
    ANYTHING,
    OBJECT,
    STRING,
    UNKNOWN,
    RequestField,
    checked_parameters,
    field_faults,
    wrong_format,
    wrong_kind,
)
from asl_engine.resources.steady import steady_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json
    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.http.connections import Connection

__all__ = ["http_resource", "request_faults"]

METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"})
FIELDS: Final = {
    "ApiEndpoint": RequestField(STRING, required=True),
    "Method": RequestField(STRING, required=True, allowed=METHODS),
    "Authentication": RequestField(OBJECT),
    "Headers": RequestField(OBJECT),
    "InvocationConfig": RequestField(OBJECT),
    "QueryParameters": RequestField(OBJECT),
    "RequestBody": RequestField(ANYTHING),
    "Transform": RequestField(OBJECT),
}
CONNECTION: Final = {"ConnectionArn": RequestField(STRING, required=True)}
ENCODINGS: Final = frozenset({"NONE", "URL_ENCODED"})
ENCODING_OPTIONS: Final = {"ArrayFormat": RequestField(STRING, allowed=frozenset(ARRAY_FORMATS))}
WITHIN: Final = {
    "Authentication": CONNECTION,
    "InvocationConfig": CONNECTION,
    "Transform": {
        "RequestBodyEncoding": RequestField(STRING, allowed=ENCODINGS),
        "RequestEncodingOptions": RequestField(OBJECT),
    },
}
MAX_SECONDS: Final = 60
TOKEN_MARGIN_SECONDS: Final = 60
# Headers that a definition may not set, by the Developer Guide: prefixes, and whole names.
FORBIDDEN_PREFIXES: Final = ("x-amz-", "x-amzn-", "x-forwarded")
FORBIDDEN: Final = frozenset(
    [
        "a-im",
        "accept-charset",
        "accept-datetime",
        "accept-encoding",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-md5",
        "date",
        "expect",
        "forwarded",
        "from",
        "host",
        "http2-settings",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "max-forwards",
        "origin",
        "pragma",
        "proxy-authorization",
        "range",
        "referer",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "warning",
    ]
)


# Content types that a state's result cannot hold.
BINARY: Final = frozenset({"application/octet-stream", "application/pdf", "application/zip", "application/gzip"})
BINARY_PREFIXES: Final = ("audio/", "font/", "image/", "video/")


def http_resource(connections: Mapping[str, Connection]) -> Direct:
    """A resource that makes the request which the task's parameters describe."""
    tokens = _Tokens()

    async def invoke(call: TaskCall) -> Payload:
        import httpx

        parameters = _checked(call.input.value)
        connection = _connection(parameters, connections)
        try:
            async with http_client(call, MAX_SECONDS) as client:
                region = Arn.of(call.execution).region
                request = _request(parameters, connection, region, call.trace_parent)
                if connection is not None:
                    request = await tokens.authorised(client, connection, request, call)
                if call.trace is not None:
                    shown = request if call.trace.reveal_secrets else _request(parameters, None, region)
                    call.trace.tell("request", shown.members())
                answer = await send(client, request, call, MAX_SECONDS)
                if call.trace is not None:
                    call.trace.tell("response", {"protocol": shown.protocol, **answer.members()})
        except httpx.HTTPError as error:
            raise StatesError("States.Http.Socket", reason(error)) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise StatesError("States.Http.Socket", f"Invalid ApiEndpoint: {type(error).__name__}") from error
        if not answer.is_success:
            raise StatesError(f"States.Http.StatusCode.{answer.status}", answer.phrase or None)
        kind = next((text for name, text in answer.headers if name.lower() == "content-type"), "")
        kind = kind.partition(";")[0].strip().lower()
        if kind in BINARY or kind.startswith(BINARY_PREFIXES):
            raise StatesError(
                "States.Runtime",
                f"Unsupported response content-type '{kind}'. Please see documentation for list of unsupported "
                "content-types.",
            )
        result = answer.result()
        if not answer.data:  # recorded from AWS, as is the spelling of headers
            del result["ResponseBody"]
        return Payload(result)

    return invoke


def _checked(parameters: Json) -> dict[str, Any]:
    """The parameters without those that are null, which are as good as absent.  Raises ``StatesError``."""
    given = checked_parameters(parameters, request_faults)
    return {field: value for field, value in given.items() if value is not None}


def request_faults(parameters: dict[str, Any]) -> list[str]:
    """What is wrong with the parameters, of which parts may be ``UNKNOWN``."""
    faults = [*field_faults(parameters, FIELDS)]
    endpoint = parameters.get("ApiEndpoint")
    if isinstance(endpoint, str) and not endpoint.startswith(("https://", "http://")):
        faults.append(wrong_format("ApiEndpoint"))
    for field, inner in WITHIN.items():
        given = parameters.get(field)
        if isinstance(given, dict):
            faults += field_faults(given, inner)
            arn, options = given.get("ConnectionArn"), given.get("RequestEncodingOptions")
            if isinstance(arn, str) and parse_arn(arn) is None:
                faults.append(wrong_format("ConnectionArn"))
            if isinstance(options, dict):
                faults += field_faults(options, ENCODING_OPTIONS)
    return faults + _bad_headers(parameters.get("Headers"))


def _bad_headers(headers: Any) -> list[str]:
    given = headers if isinstance(headers, dict) else {}
    names = [name.lower() for name in given]
    refused = [name for name in names if name in FORBIDDEN or name.startswith(FORBIDDEN_PREFIXES)]
    problems = [f"The 'Headers' field contains unsupported values: [{', '.join(refused)}]"] if refused else []
    for name, value in given.items():
        items = value if isinstance(value, list) else [value]
        if value is not UNKNOWN and not all(fits_header(item) for item in items):
            problems.append(wrong_kind(name, STRING.name))
    return problems


def _connection(parameters: dict[str, Any], connections: Mapping[str, Connection]) -> Connection | None:
    given = parameters.get("InvocationConfig") or parameters.get("Authentication") or {}
    arn = given.get("ConnectionArn")
    if arn is None:
        return None
    name = connection_name(str(arn))
    if name not in connections:
        raise StatesError(
            "Events.ConnectionResource.ConnectionNotFound",
            f"The connection {name} is not declared under [tool.asl.connections] of the project's configuration",
        )
    connection = connections[name]
    if connection.unset is not None:
        raise StatesError("Events.ConnectionResource.InvalidConnectionState", connection.unset)
    return connection


def _request(
    parameters: dict[str, Any], connection: Connection | None, region: str, trace_parent: str = ""
) -> HttpRequest:
    """The definition's request; the connection's values take precedence over values of the same name."""
    headers = {name: joined(value) for name, value in (parameters.get("Headers") or {}).items()}
    asked = dict(parameters.get("QueryParameters") or {})
    body = parameters.get("RequestBody")
    if connection is not None:
        # Recorded from AWS: headers match by exact name, and another spelling adds a second value.
        headers = {**connection.headers, **{n: text for n, text in headers.items() if n not in connection.headers}}
        asked = {**{n: text for n, text in asked.items() if n not in connection.query}, **connection.query}
        if connection.body:
            if not isinstance(body, dict | None):
                raise StatesError(
                    "States.Runtime", "Cannot merge connection body authorization parameters with request body."
                )
            body = {**(body or {}), **connection.body}
    content, kind = _content(body, parameters.get("Transform") or {})
    if content is not None and (kind.endswith("urlencoded") or "content-type" not in map(str.lower, headers)):
        headers = {name: text for name, text in headers.items() if name.lower() != "content-type"}
        headers["Content-Type"] = kind
    headers["User-Agent"] = f"Amazon|StepFunctions|HttpInvoke|{region}"
    if trace_parent and "traceparent" not in map(str.lower, headers):  # only where it is traced
        headers["traceparent"] = trace_parent
    headers["Range"] = f"bytes=0-{MAX_BYTES}"
    url: str = parameters["ApiEndpoint"]
    if asked:
        url += ("&" if "?" in url else "?") + query(asked)
    return HttpRequest(parameters["Method"], url, headers, content)


def _content(body: Json, transform: dict[str, Any]) -> tuple[bytes | None, str]:
    if body is None:
        return None, ""
    if transform.get("RequestBodyEncoding") == "URL_ENCODED":
        options = transform.get("RequestEncodingOptions") or {}
        return form(body, options.get("ArrayFormat") or "INDICES").encode(), "application/x-www-form-urlencoded"
    text = body if isinstance(body, str) else dumps(body)
    return text.encode(), "application/json; charset=UTF-8"


class _Tokens:
    """OAuth access tokens, by connection, until shortly before they expire, in nanoseconds of the steady clock."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, float]] = {}

    async def authorised(
        self, client: Any, connection: Connection, request: HttpRequest, call: TaskCall
    ) -> HttpRequest:
        texts = connection.texts
        if connection.kind == "API_KEY":
            added = {texts["key-name"]: texts["key-value"]}
        elif connection.kind == "BASIC":
            from base64 import b64encode

            pair = b64encode(f"{texts['username']}:{texts['password']}".encode()).decode()
            added = {"Authorization": f"Basic {pair}"}
        else:
            added = {"Authorization": f"Bearer {await self._token(client, connection, call)}"}
        taken = {name.lower() for name in added}
        kept = {name: text for name, text in request.headers.items() if name.lower() not in taken}
        return request._replace(headers=kept | added)

    async def _token(self, client: Any, connection: Connection, call: TaskCall) -> str:
        token, until = self._known.get(connection.name, ("", 0.0))
        if until > steady_ns():
            return token
        texts = connection.texts
        asked = {
            "grant_type": "client_credentials",
            "client_id": texts["client-id"],
            "client_secret": texts["client-secret"],
            **connection.oauth_body,
        }
        url, content, headers = texts["authorization-endpoint"], None, {}
        if connection.method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(asked)
        else:
            content = urlencode(asked).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = HttpRequest(connection.method, url, headers, content)
        answer = await send(client, request, call, MAX_SECONDS)
        try:
            told = loads(answer.text) if answer.is_success else None
        except JsonSyntaxError:
            told = None
        given = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(given, str):
            raise StatesError(
                "Events.ConnectionResource.InvalidConnectionState",
                f"The connection {connection.name} was not given a token: status {answer.status}",
            )
        lasts = told.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else 0.0
        self._known[connection.name] = given, steady_ns() + (seconds - TOKEN_MARGIN_SECONDS) * 1e9
        return given
