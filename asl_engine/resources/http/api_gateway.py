"""``arn:aws:states:::apigateway:invoke``: a request to an API behind Amazon API Gateway.

"Create API Gateway REST APIs with Step Functions" in the Developer Guide.  Needs the extra ``http`` (httpx), and
``aws`` (boto3) for signed requests.
"""

from __future__ import annotations

import re
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from asl_engine.arn import Arn
from asl_engine.errors import StatesError
from asl_engine.json_text import dumps
from asl_engine.payload import Payload
from asl_engine.resources.http.form_encoding import query
from asl_engine.resources.http.requests import HttpRequest, fits_header, http_client, joined, reason, send
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.resources.request_fields import (
    UNKNOWN,
    checked_parameters,
    missing,
    unsupported,
    wrong_format,
    wrong_kind,
)

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.aws.clients import AwsClients

__all__ = ["api_gateway_resource", "request_faults"]

FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "ApiEndpoint": (str,),
    "Method": (str,),
    "Headers": (dict,),
    "Stage": (str,),
    "Path": (str,),
    "QueryParameters": (dict,),
    "RequestBody": (dict, list, str, int, float, bool),
    "AllowNullValues": (bool,),
    "AuthType": (str,),
}
REQUIRED: Final = ("ApiEndpoint", "Method")
ALLOWED: Final = {
    "Method": ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"),
    "AuthType": ("NO_AUTH", "IAM_ROLE", "RESOURCE_POLICY"),
}
FORBIDDEN_PREFIXES: Final = ("x-forwarded", "x-amz", "x-amzn")
FORBIDDEN: Final = frozenset(
    [
        "authorization",
        "connection",
        "content-md5",
        "expect",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "www-authenticate",
    ]
)
MAX_SECONDS: Final = 300  # the longest timeout that a Regional API can have
PATH_CHARACTERS: Final = "/%:@!$&'()*+,;="  # characters that stay unescaped; a path may be percent-encoded already
_API_HOST = re.compile(r"[^.]+\.execute-api\.(?P<region>[a-z0-9-]+)\.")
_HOST_NAME = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
# The endpoint that the AWS SDK reports unless it is configured otherwise.
_SERVICE_HOST = re.compile(r"apigateway(-fips)?\.")


class _Place(NamedTuple):
    """The place of an API: ``base`` is the beginning of its URLs, ``host`` is its host name."""

    base: str
    host: str
    region: str


def api_gateway_resource(clients: AwsClients) -> Direct:
    """A resource that makes the request which the task's parameters describe."""

    async def invoke(call: TaskCall) -> Payload:
        import httpx

        parameters = _checked(call.input.value)
        place = await run_in_thread(partial(_place, clients, parameters["ApiEndpoint"], call))
        request = _request(parameters, place)
        if parameters.get("AuthType", "NO_AUTH") != "NO_AUTH":
            request = await run_in_thread(partial(_signed, clients, request, place, call))
        try:
            async with http_client(call, MAX_SECONDS) as client:
                answer = await send(client, request, call, MAX_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            cause = f"Unable to execute HTTP request: {reason(error)}"
            raise StatesError("ApiGateway.SdkClientException", cause) from error
        if not answer.is_success:
            raise StatesError(f"ApiGateway.{answer.status}", answer.text)
        return Payload(answer.result())

    return invoke


# -- parameters -------------------------------------------------------------------------------------------


def _checked(parameters: Json) -> dict[str, Any]:
    """The parameters without the nulls that must not be sent.  Raises ``StatesError``."""
    checked = checked_parameters(parameters, request_faults)
    given = {key: value for key, value in checked.items() if value is not None}
    if given.get("AllowNullValues") is not True:
        return {key: _without_nulls(value) for key, value in given.items()}
    return given


def request_faults(parameters: dict[str, Any]) -> list[str]:
    """What is wrong with the parameters, of which parts may be ``UNKNOWN``."""
    given = {key: value for key, value in parameters.items() if value is not None}
    faults = [unsupported(key) for key in given if key not in FIELDS]
    faults += [missing(key) for key in REQUIRED if key not in given]
    faults += [wrong_format(field) for field in FIELDS if field in given and not _fits(field, given[field])]
    return faults + _bad_headers(given.get("Headers"))


def _fits(field: str, value: Any) -> bool:
    if value is UNKNOWN:
        return True
    if not isinstance(value, FIELDS[field]):
        return False
    if field == "ApiEndpoint":  # a host name, as on AWS; or the URL of an API elsewhere
        text = str(value)
        return bool(_HOST_NAME.fullmatch(text) or text.startswith(("https://", "http://")))
    return value in ALLOWED.get(field, (value,))


def _bad_headers(headers: Any) -> list[str]:
    faults: list[str] = []
    for name, values in (headers if isinstance(headers, dict) else {}).items():
        if name.lower() in FORBIDDEN or name.lower().startswith(FORBIDDEN_PREFIXES):
            faults.append(f"The header '{name}' is not supported")
        elif values is None or values is UNKNOWN:
            continue
        elif not isinstance(values, list):
            faults.append(wrong_kind(name, "an ARRAY"))
        elif not all(fits_header(one) for one in values):
            faults.append(wrong_kind(name, "an ARRAY of STRING values"))
    return faults


def _without_nulls(value: Json) -> Json:
    """The value without the fields that are null, at any depth."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


# -- the request ------------------------------------------------------------------------------------------


def _place(clients: AwsClients, endpoint: str, call: TaskCall) -> _Place:
    """The place of the API: its own host, unless API Gateway has another endpoint."""
    from_arn = Arn.of(call.execution).region
    host = urlsplit(endpoint).netloc if "://" in endpoint else endpoint
    found = _API_HOST.match(host)
    region = found["region"] if found else from_arn
    if "://" in endpoint:
        return _Place(endpoint.rstrip("/"), host, region)
    elsewhere = _elsewhere(clients, region)
    return _Place((elsewhere or f"https://{host}").rstrip("/"), host, region)


def _elsewhere(clients: AwsClients, region: str) -> str | None:
    """The URL at which the options or the AWS SDK's settings put API Gateway, None for AWS itself."""
    if find_spec("boto3") is None:
        return clients.given("apigateway")
    from botocore.exceptions import BotoCoreError

    try:
        url: str = clients.get("apigateway", region).meta.endpoint_url
    except (BotoCoreError, ValueError) as error:
        cause = f"Unable to execute HTTP request: {error}"
        raise StatesError("ApiGateway.SdkClientException", cause) from error
    return None if _SERVICE_HOST.match(urlsplit(url).hostname or "") else url


def _request(parameters: dict[str, Any], place: _Place) -> HttpRequest:
    steps = [quote(parameters.get("Stage", ""), safe="$"), quote(parameters.get("Path", ""), safe=PATH_CHARACTERS)]
    url = "/".join([place.base, *filter(None, (step.strip("/") for step in steps))])
    asked = parameters.get("QueryParameters")
    if asked:
        url += f"?{query(asked)}"
    headers = {name: joined(values) for name, values in (parameters.get("Headers") or {}).items() if values}
    headers["Host"] = place.host
    headers["User-Agent"] = "asl-engine"
    method = parameters["Method"]
    body = _body(method, parameters.get("RequestBody"))
    if body is not None and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = "application/json"
    return HttpRequest(method, url, headers, body)


def _body(method: str, body: Json) -> bytes | None:
    if body is None or (method in {"GET", "HEAD"} and not body):
        return None
    return (body if isinstance(body, str) else dumps(body)).encode()


def _signed(clients: AwsClients, request: HttpRequest, place: _Place, call: TaskCall) -> HttpRequest:
    """The request with a Signature Version 4, by the task's role or the credentials that the AWS SDK finds."""
    if find_spec("boto3") is None:
        raise StatesError("States.Runtime", 'a signed request needs boto3: pip install "asl-engine[aws]"')
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    from asl_engine.resources.aws.failures import clean

    try:
        credentials = clients.credentials("apigateway", place.region, call.role, request.url)
        if credentials is None:
            raise NoCredentialsError
        signing = AWSRequest(request.method, request.url, headers=request.headers, data=request.body)
        SigV4Auth(credentials, "execute-api", place.region).add_auth(signing)
    except (BotoCoreError, ClientError) as error:
        cause = f"The request could not be signed: {clean(str(error))}"
        raise StatesError("ApiGateway.SdkClientException", cause) from error
    return request._replace(headers=dict(signing.headers.items()))
