"""Routes of the HTTP APIs of a template, and the URLs of functions, which are routes of their own.

"AWS::ApiGatewayV2::Api", "Route", "Integration" and "Stage", and "AWS::Lambda::Url" in the CloudFormation Template
Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import function_arn, function_name
from asl_engine.templates.api_integrations import first_stages, invoked_by, target_of
from asl_engine.templates.declarations import DeclaredRoute
from asl_engine.templates.open_api import cors_of, document_of, operations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.findings import Finding
    from asl_engine.templates.declarations import Surroundings
    from asl_engine.templates.properties import TemplateResource

__all__ = ["HTTP_API_TYPES", "URL", "http_routes", "url_route"]

API: Final = "AWS::ApiGatewayV2::Api"
ROUTE: Final = "AWS::ApiGatewayV2::Route"
INTEGRATION: Final = "AWS::ApiGatewayV2::Integration"
STAGE: Final = "AWS::ApiGatewayV2::Stage"
URL: Final = "AWS::Lambda::Url"
HTTP_API_TYPES: Final = (API, ROUTE, INTEGRATION, STAGE)
DEFAULT: Final = "$default"
INTEGRATION_MEMBERS: Final = (
    "ConnectionType",
    "IntegrationMethod",
    "IntegrationSubtype",
    "IntegrationType",
    "IntegrationUri",
    "PassthroughBehavior",
    "PayloadFormatVersion",
    "RequestParameters",
    "RequestTemplates",
    "ResponseParameters",
    "TimeoutInMillis",
)


def http_routes(resources: list[TemplateResource], around: Surroundings) -> Iterator[DeclaredRoute]:
    """The routes of each API in its first stage; ``resources`` are those of ``HTTP_API_TYPES``."""
    stages = first_stages((one for one in resources if one.kind == STAGE), "ApiId")
    apis = {one.logical: one for one in resources if one.kind == API}
    integrations = {one.logical: one for one in resources if one.kind == INTEGRATION}
    for api in apis.values():
        if api.text("ProtocolType", "HTTP").upper() == "WEBSOCKET":
            api.tell_not_run("Nothing here runs WebSocket APIs")
            continue
        stage = stages.get(api.logical, DEFAULT)
        yield from _of_document(api, stage, around)
        yield from _of_target(api, stage)
    for route in resources:
        if route.kind != ROUTE:
            continue
        name = route.text("ApiId")
        found = apis.get(name)
        if found is not None and found.text("ProtocolType", "HTTP").upper() == "WEBSOCKET":
            continue
        yield _of_route(route, name, stages.get(name, DEFAULT), found, integrations)


def url_route(resource: TemplateResource, around: Surroundings) -> DeclaredRoute:
    """The URL of a function: all its requests go to the function."""
    given = resource.text("TargetFunctionArn")
    target = function_arn(around.region, around.account, given)
    name = function_name(target) or given
    if resource.text("InvokeMode") == "RESPONSE_STREAM":
        resource.tell_not_run("Responses are not streamed here: they are sent when they are whole", "InvokeMode")
    return DeclaredRoute(
        api=name,
        stage=DEFAULT,
        method="ANY",
        path=DEFAULT,
        target=target,
        location=resource.location,
        payload="2.0",
        integration={"Type": "AWS_PROXY"},
        cors=resource.table("Cors"),
        findings=resource.findings,
    )


def _of_document(api: TemplateResource, stage: str, around: Surroundings) -> Iterator[DeclaredRoute]:
    body = document_of(api, around)
    cors = api.table("CorsConfiguration") or cors_of(body)
    for one in operations(body):
        place = f"Body{one.location}"
        integration = one.integration or {}
        yield DeclaredRoute(
            api=api.logical,
            stage=stage,
            method=one.method,
            path=one.path,
            target=target_of(api, integration, place),
            location=api.written(place),
            payload=str(integration.get("PayloadFormatVersion", "1.0")),
            integration=integration,
            cors=cors,
            findings=api.findings_below(place),
        )


def _of_target(api: TemplateResource, stage: str) -> Iterator[DeclaredRoute]:
    """The route of an API that is created with nothing but its target."""
    given = api.text("Target")
    if not given:
        return
    method, path = _key(api.text("RouteKey", DEFAULT))
    target = invoked_by(given)
    if target is None:
        api.tell_not_run(f"Nothing here runs APIs with the target {given}", "Target")
    yield DeclaredRoute(
        api=api.logical,
        stage=stage,
        method=method,
        path=path,
        target=target,
        location=api.location,
        payload="2.0",
        integration={"Type": "AWS_PROXY"},
        cors=api.table("CorsConfiguration"),
        findings=api.findings,
    )


def _of_route(
    route: TemplateResource,
    name: str,
    stage: str,
    api: TemplateResource | None,
    integrations: Mapping[str, TemplateResource],
) -> DeclaredRoute:
    method, path = _key(route.text("RouteKey", DEFAULT))
    chosen = integrations.get(route.text("Target").removeprefix("integrations/"))
    members: dict[str, Any] = {}
    findings: tuple[Finding, ...] = ()
    target = None
    if chosen is None:
        route.tell("The route has no integration in this template", "Target")
    else:
        members = chosen.all(INTEGRATION_MEMBERS)
        target = target_of(chosen, members, "")
        members["Type"] = members.pop("IntegrationType", "")
        findings = chosen.findings
    return DeclaredRoute(
        api=name,
        stage=stage,
        method=method,
        path=path,
        target=target,
        location=route.location,
        payload=str(members.get("PayloadFormatVersion", "1.0")),
        integration=members,
        cors={} if api is None else api.table("CorsConfiguration"),
        findings=(*route.findings, *findings),
    )


def _key(given: str) -> tuple[str, str]:
    """The method and the path of a route's key: ``POST /orders``, or ``$default``."""
    method, _, path = given.partition(" ")
    return (method.upper(), path.strip()) if path else ("ANY", given)
