"""The APIs of a SAM template, with what the events of functions and state machines add to them.

"Api", "HttpApi" and "AWS::Serverless::Api" in the Developer Guide of SAM.  It writes an OpenAPI document into a
RestApi or an Api of CloudFormation, and so does this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.templates.expansion import NOT_RUN_HERE
from asl_engine.templates.properties import ResourceProperties
from asl_engine.templates.recognition import BROKEN_TEMPLATE
from asl_engine.templates.sam import table_of

if TYPE_CHECKING:
    from asl_engine.templates.expansion import EventOwner, Expansion

__all__ = ["SamApis"]

REST, HTTP = "AWS::Serverless::Api", "AWS::Serverless::HttpApi"
IMPLICIT: Final = {REST: "ServerlessRestApi", HTTP: "ServerlessHttpApi"}
MADE: Final = {REST: "AWS::ApiGateway::RestApi", HTTP: "AWS::ApiGatewayV2::Api"}
STAGES: Final = {REST: "AWS::ApiGateway::Stage", HTTP: "AWS::ApiGatewayV2::Stage"}
ID_OF_API: Final = {REST: "RestApiId", HTTP: "ApiId"}
DEFAULT_STAGE: Final = {REST: "Prod", HTTP: "$default"}
ANY: Final = "x-amazon-apigateway-any-method"
INTEGRATION: Final = "x-amazon-apigateway-integration"
INVOKED: Final = (
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations"
)
STARTED: Final = "arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution"
INPUT: Final = "$util.escapeJavaScript($input.json('$'))"
# JavaScript's escapes go too far for JSON, which knows no \'.
UNESCAPED: Final = INPUT + """.replaceAll("\\\\'","'")"""
CORS: Final = {
    "AllowHeaders": "Access-Control-Allow-Headers",
    "AllowMethods": "Access-Control-Allow-Methods",
    "AllowOrigin": "Access-Control-Allow-Origin",
    "MaxAge": "Access-Control-Max-Age",
}
# In this order, as SAM lists them for a path with any method.
METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


class SamApis:
    """Collects the paths of each API; ``finish`` makes the resources."""

    def __init__(self, document: dict[str, Any], into: Expansion) -> None:
        self._document = document
        self._into = into
        self._bodies: dict[str, dict[str, Any]] = {}
        self._kinds: dict[str, str] = {}
        for logical, resource in table_of(document, "Resources").items():
            if isinstance(resource, dict) and str(resource.get("Type")) in MADE:
                self._kinds[logical] = str(resource["Type"])

    def add_function(self, kind: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        """An event ``Api`` or ``HttpApi`` of a function; ``kind`` is the type of its API."""
        integration = {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": {"Fn::Sub": [INVOKED, {"Function": owner.arn}]},
        }
        if kind == HTTP:
            integration["payloadFormatVersion"] = event.get("PayloadFormatVersion", "2.0")
        self._add(kind, event, integration, owner, place)

    def add_machine(self, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        """An event ``Api`` of a state machine."""
        given = UNESCAPED if event.get("UnescapeMappingTemplate") is True else INPUT
        template = f'{{"input": "{given}", "stateMachineArn": "${{Machine}}"}}'
        integration = {
            "type": "aws",
            "httpMethod": "POST",
            "uri": {"Fn::Sub": STARTED},
            "requestTemplates": {"application/json": {"Fn::Sub": [template, {"Machine": owner.arn}]}},
            "responses": {"200": {"statusCode": "200"}, "400": {"statusCode": "400"}},
        }
        self._add(REST, event, integration, owner, place)

    def finish(self) -> None:
        """Make the APIs: those of the template, and those that SAM adds."""
        resources = table_of(self._document, "Resources")
        for logical, kind in self._kinds.items():
            resource = resources[logical]
            place = f"/Resources/{logical}/Properties"
            self._make(logical, kind, ResourceProperties(self._document, logical, resource), resource, place)
        for kind, logical in IMPLICIT.items():
            shared = ResourceProperties(self._document, logical, {"Type": kind})
            if logical not in self._kinds:
                self._make(logical, kind, shared, {}, f"/Globals/{'Api' if kind == REST else 'HttpApi'}")

    # -- paths ----------------------------------------------------------------------------------------

    def _add(
        self, kind: str, event: dict[str, Any], integration: dict[str, Any], owner: EventOwner, place: str
    ) -> None:
        api = event.get(ID_OF_API[kind], {"Ref": IMPLICIT[kind]})
        logical = api.get("Ref") if isinstance(api, dict) else api
        if not isinstance(logical, str) or (logical != IMPLICIT[kind] and self._kinds.get(logical) != kind):
            name = ID_OF_API[kind]
            message = f"{name} has to refer to a resource of the type {kind} in this template"
            self._into.tell(BROKEN_TEMPLATE, message, f"{place}/{name}")
            return
        path, method = event.get("Path"), event.get("Method")
        if kind == HTTP and path is None and method is None:
            path, method = "$default", "any"
        if not isinstance(path, str) or not isinstance(method, str):
            missing = "Method" if isinstance(path, str) else "Path"
            self._into.tell(BROKEN_TEMPLATE, f"The event has no {missing}", place)
            return
        if not path.startswith("/") and path != "$default":
            message = f"The path of an API begins with a slash, as /{path} does; it is {path!r}"
            self._into.tell(BROKEN_TEMPLATE, message, f"{place}/Path")
            return
        method = ANY if method.lower() == "any" else method.lower()
        there = self._bodies.setdefault(logical, {}).setdefault(path, {})
        if method in there:
            self._into.tell(BROKEN_TEMPLATE, f"{logical} has another event for {method} {path}", place)
            return
        operation: Any = {INTEGRATION: integration}
        if owner.condition is not None:
            operation = {"Fn::If": [owner.condition, operation, {"Ref": "AWS::NoValue"}]}
        there[method] = operation
        self._into.places.put(f"/Resources/{logical}/Properties/Body/paths/{path}/{method}", place)

    # -- resources ------------------------------------------------------------------------------------

    def _make(
        self, logical: str, kind: str, own: ResourceProperties, resource: dict[str, Any], place: str
    ) -> None:
        managed = "DefinitionBody" not in own and "DefinitionUri" not in own
        body, written = self._body(logical, kind, own, managed=managed)
        cors = own.get("CorsConfiguration" if kind == HTTP else "Cors")
        if kind == REST and cors is not None and isinstance(body, dict) and "paths" in body:
            body = {**body, "paths": _with_options(table_of(body, "paths"), cors)}
        properties = {"Name": own.get("Name"), "Body": body}
        if body is None:
            properties["BodyS3Location"] = own.get("DefinitionUri")
        if kind == HTTP:
            properties["CorsConfiguration"] = {"AllowOrigins": ["*"]} if cors is True else cors
        names = {"Body": written, "BodyS3Location": "DefinitionUri"}
        self._into.add(logical, MADE[kind], properties, place, {} if managed else names)
        if managed:
            self._into.places.put(f"/Resources/{logical}/Properties/Body", place)
        stage = own.get("StageName") if "StageName" in own else DEFAULT_STAGE[kind]
        named = {ID_OF_API[kind]: {"Ref": logical}, "StageName": stage}
        self._into.add(f"{logical}Stage", STAGES[kind], named, place)
        if isinstance(condition := resource.get("Condition"), str):
            for made in (logical, f"{logical}Stage"):
                self._into.resources[made]["Condition"] = condition

    def _body(self, logical: str, kind: str, own: ResourceProperties, *, managed: bool) -> tuple[Any, str]:
        """The document of an API with the paths of events, and the property that it is written in."""
        paths = self._bodies.get(logical, {})
        given, uri = own.get("DefinitionBody"), own.get("DefinitionUri")
        if managed:
            return {"paths": paths}, "DefinitionBody"
        written = "DefinitionBody" if uri is None else "DefinitionUri"
        there = table_of(given, "paths")
        if there and (kind == HTTP or own.get("MergeDefinitions") is True):
            merged = {path: {**table_of(paths, path), **table_of(there, path)} for path in {**there, **paths}}
            return {**given, "paths": merged}, written
        for path, item in paths.items() if isinstance(given, dict) and there else ():
            for method in (one for one in item if one not in table_of(there, path)):
                message = (
                    f"{logical} has a document without {path}, and SAM adds nothing to that: say MergeDefinitions"
                )
                place = self._into.places.written(f"/Resources/{logical}/Properties/Body/paths/{path}/{method}")
                self._into.tell(NOT_RUN_HERE, message, place)
        if given is None and isinstance(uri, str):
            given = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": uri}}}
        return given, written


def _with_options(paths: dict[str, Any], cors: Any) -> dict[str, Any]:
    """The paths, each with an answer to the requests that a browser asks first."""
    given = cors if isinstance(cors, dict) and not any(name.startswith("Fn::") for name in cors) else {}
    if not given:
        given = {"AllowOrigin": cors}
    return {
        path: {**item, "options": {INTEGRATION: _answer(given, item)}}
        if isinstance(item, dict) and "options" not in item
        else item
        for path, item in paths.items()
    }


def _answer(cors: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    methods = METHODS if ANY in item else sorted({*(one.upper() for one in item), "OPTIONS"})
    given = {"AllowMethods": f"'{','.join(methods)}'", **cors}
    headers = {f"method.response.header.{header}": given[name] for name, header in CORS.items() if given.get(name)}
    if cors.get("AllowCredentials") is True:
        headers["method.response.header.Access-Control-Allow-Credentials"] = "'true'"
    return {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseParameters": headers,
                "responseTemplates": {"application/json": "{}"},
            }
        },
    }
