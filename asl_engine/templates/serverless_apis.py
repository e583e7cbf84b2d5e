"""The APIs that the Serverless Framework makes of http and httpApi events, and the URLs of its functions.

"API Gateway", "HTTP API" and "Lambda Function URLs" in its User Guide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.templates.recognition import BROKEN_TEMPLATE

if TYPE_CHECKING:
    from asl_engine.templates.expansion import EventOwner, Expansion

__all__ = ["ServerlessApis"]

REST: Final = "ApiGatewayRestApi"
HTTP: Final = "HttpApi"
INTEGRATION: Final = "x-amazon-apigateway-integration"
ANY: Final = "x-amazon-apigateway-any-method"
INVOKED: Final = (
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations"
)
ROUTE: Final = re.compile(r"(\S+)\s+(\S+)")
HEADERS: Final = (
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amz-User-Agent",
    "X-Amzn-Trace-Id",
)
METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
# The settings of an HTTP API's CORS, with what they are called in the file.
CORS: Final = {
    "AllowCredentials": "allowCredentials",
    "AllowHeaders": "allowedHeaders",
    "AllowMethods": "allowedMethods",
    "AllowOrigins": "allowedOrigins",
    "ExposeHeaders": "exposedResponseHeaders",
    "MaxAge": "maxAge",
}
NO_ROUTE: Final = "It has to be a method and a path, such as 'POST /orders', or an object with method and path"


class ServerlessApis:
    """Collects the routes; ``finish`` makes the APIs."""

    def __init__(self, into: Expansion, provider: dict[str, Any], stage: str) -> None:
        self._into = into
        self._stage = stage
        given = provider.get("httpApi")
        self._settings: dict[str, Any] = given if isinstance(given, dict) else {}
        self._paths: dict[str, dict[str, Any]] = {}
        self._preflight: dict[str, Any] = {}
        self._routes: dict[str, None] = {}

    def add_rest(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        """An http event of a function."""
        del name
        own = given if isinstance(given, dict) else {}
        integration = str(own.get("integration", "lambda-proxy")).lower().replace("_", "-")
        proxy = integration in {"lambda-proxy", "aws-proxy"}
        self.put_rest(
            given,
            {
                "type": "aws_proxy" if proxy else integration.replace("lambda", "aws"),
                "httpMethod": "POST",
                "uri": {"Fn::Sub": [INVOKED, {"Function": owner.arn}]},
            },
            place,
        )

    def put_rest(self, given: Any, integration: dict[str, Any], place: str) -> None:
        """A method of the REST API, by the event that asks for it."""
        found = _route(given)
        if found is None:
            self._into.tell(BROKEN_TEMPLATE, NO_ROUTE, place)
            return
        method, path = found
        path = f"/{path.strip('/')}"
        name = ANY if method in {"any", "*"} else method
        there = self._paths.setdefault(path, {})
        if name in there:
            self._into.tell(BROKEN_TEMPLATE, f"There is another event for {method.upper()} {path}", place)
            return
        there[name] = {INTEGRATION: integration}
        self._into.places.put(f"/Resources/{REST}/Properties/Body/paths/{path}/{name}", place)
        cors = given.get("cors") if isinstance(given, dict) else None
        if cors:
            self._preflight.setdefault(path, cors)

    def add_http(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        """An httpApi event of a function."""
        found = ("any", "$default") if given == "*" or _is_default(given) else _route(given)
        if found is None:
            self._into.tell(BROKEN_TEMPLATE, NO_ROUTE, place)
            return
        method, path = found
        shown = "ANY" if method in {"any", "*"} else method.upper()
        key = "$default" if path == "$default" else f"{shown} /{path.strip('/')}"
        if key in self._routes:
            self._into.tell(BROKEN_TEMPLATE, f"There is another event for {key}", place)
            return
        self._routes[key] = None
        logical = f"HttpApiRoute{owner.logical}{name}"
        payload = given.get("payload") if isinstance(given, dict) else None
        properties = {
            "ApiId": {"Ref": HTTP},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": owner.arn,
            "PayloadFormatVersion": payload or self._settings.get("payload", "2.0"),
        }
        self._into.add(f"{logical}Integration", "AWS::ApiGatewayV2::Integration", properties, place)
        target = {"Fn::Join": ["/", ["integrations", {"Ref": f"{logical}Integration"}]]}
        route = {"ApiId": {"Ref": HTTP}, "RouteKey": key, "Target": target}
        self._into.add(logical, "AWS::ApiGatewayV2::Route", route, place)

    def add_url(self, given: Any, owner: EventOwner, place: str) -> None:
        """The URL of a function."""
        own = given if isinstance(given, dict) else {}
        cors = own.get("cors")
        if cors is True:
            headers = [one for one in HEADERS if one != "X-Amz-User-Agent"]
            settings: Any = {"AllowOrigins": ["*"], "AllowHeaders": headers, "AllowMethods": ["*"]}
        else:
            settings = _settings(cors)
        mode = "RESPONSE_STREAM" if own.get("invokeMode") == "RESPONSE_STREAM" else None
        properties = {"TargetFunctionArn": owner.arn, "Cors": settings or None, "InvokeMode": mode}
        self._into.add(f"{owner.logical}Url", "AWS::Lambda::Url", properties, place, {"InvokeMode": "invokeMode"})

    def finish(self) -> None:
        """Make the APIs that there are routes of."""
        if self._paths:
            for path, cors in self._preflight.items():
                self._paths[path].setdefault("options", {INTEGRATION: _answer(cors, self._paths[path])})
            self._into.add(REST, "AWS::ApiGateway::RestApi", {"Body": {"paths": self._paths}}, "/provider")
            self._into.places.put(f"/Resources/{REST}/Properties/Body", "/provider")
            stage = {"RestApiId": {"Ref": REST}, "StageName": self._stage}
            self._into.add("ApiGatewayDeployment", "AWS::ApiGateway::Deployment", stage, "/provider")
        if self._routes:
            cors = self._settings.get("cors")
            properties = {"ProtocolType": "HTTP", "CorsConfiguration": self._every() if cors is True else None}
            if isinstance(cors, dict):
                properties["CorsConfiguration"] = {**self._every(), **_settings(cors)}
            self._into.add(HTTP, "AWS::ApiGatewayV2::Api", properties, "/provider/httpApi")
            stage = {"ApiId": {"Ref": HTTP}, "StageName": "$default"}
            self._into.add("HttpApiStage", "AWS::ApiGatewayV2::Stage", stage, "/provider/httpApi")

    def _every(self) -> dict[str, Any]:
        """The CORS that the framework sets where none is described: for all origins, and the methods in use."""
        used = {key.partition(" ")[0] for key in self._routes}
        methods = METHODS if used & {"ANY", "$default"} else sorted(used)
        return {"AllowOrigins": ["*"], "AllowHeaders": [*HEADERS], "AllowMethods": ["OPTIONS", *methods]}


def _route(given: Any) -> tuple[str, str] | None:
    """The method, in lower case, and the path of an event; None for what is no route."""
    if isinstance(given, str):
        found = ROUTE.fullmatch(given.strip())
        return None if found is None else (found[1].lower(), found[2])
    if isinstance(given, dict) and isinstance(given.get("path"), str):
        method = given.get("method", "*" if given["path"] == "*" else None)
        return (method.lower(), given["path"]) if isinstance(method, str) else None
    return None


def _is_default(given: Any) -> bool:
    return isinstance(given, dict) and given.get("path") == "*" and given.get("method", "*") == "*"


def _settings(cors: Any) -> dict[str, Any]:
    own = cors if isinstance(cors, dict) else {}
    found = {name: own.get(called) for name, called in CORS.items()}
    listed = {"AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders"}
    return {
        name: [one] if name in listed and isinstance(one, str) else one
        for name, one in found.items()
        if one is not None
    }


def _answer(cors: Any, item: dict[str, Any]) -> dict[str, Any]:
    """What answers the requests that a browser asks first."""
    own = cors if isinstance(cors, dict) else {}
    origins = own.get("origins", own.get("origin", "*"))
    origin = ",".join(map(str, origins)) if isinstance(origins, list) else str(origins)
    headers = own.get("headers", HEADERS)
    used = METHODS if ANY in item else sorted(one.upper() for one in item)
    methods = own.get("methods", ["OPTIONS", *used])
    values = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": headers if isinstance(headers, str) else ",".join(map(str, headers)),
        "Access-Control-Allow-Methods": methods if isinstance(methods, str) else ",".join(map(str, methods)),
    }
    if own.get("allowCredentials"):
        values["Access-Control-Allow-Credentials"] = "true"
    if (age := own.get("maxAge")) is not None:
        values["Access-Control-Max-Age"] = str(age)
    return {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseParameters": {
                    f"method.response.header.{name}": f"'{value}'" for name, value in values.items()
                },
                "responseTemplates": {"application/json": ""},
            }
        },
    }
