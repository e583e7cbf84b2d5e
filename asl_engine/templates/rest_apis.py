"""Routes of the REST APIs of a template: of an OpenAPI document, or of resources and methods one by one.

"AWS::ApiGateway::RestApi", "Resource", "Method", "Deployment", "Stage" in the CloudFormation Template Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.templates.api_integrations import first_stages, target_of
from asl_engine.templates.declarations import DeclaredRoute
from asl_engine.templates.open_api import document_of, operations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.templates.declarations import Surroundings
    from asl_engine.templates.properties import TemplateResource

__all__ = ["REST_API_TYPES", "rest_routes"]

API: Final = "AWS::ApiGateway::RestApi"
RESOURCE: Final = "AWS::ApiGateway::Resource"
METHOD: Final = "AWS::ApiGateway::Method"
STAGES: Final = ("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment")
REST_API_TYPES: Final = (API, RESOURCE, METHOD, *STAGES)
# Its root is a resource too: what RootResourceId gives (resource_names.py).
ROOT: Final = "{api}/root"
NO_STAGE: Final = "$default"  # of an API that is not deployed in any


def rest_routes(resources: list[TemplateResource], around: Surroundings) -> Iterator[DeclaredRoute]:
    """The routes of each API in its first stage; ``resources`` are those of ``REST_API_TYPES``."""
    stages = first_stages((one for kind in STAGES for one in resources if one.kind == kind), "RestApiId")
    nodes = {one.logical: one for one in resources if one.kind == RESOURCE}
    for resource in resources:
        if resource.kind == API:
            yield from _of_document(resource, stages.get(resource.logical, NO_STAGE), around)
        elif resource.kind == METHOD:
            api = resource.text("RestApiId")
            yield _of_method(resource, api, stages.get(api, NO_STAGE), nodes)


def _of_document(resource: TemplateResource, stage: str, around: Surroundings) -> Iterator[DeclaredRoute]:
    for one in operations(document_of(resource, around)):
        integration = one.integration or {}
        target = target_of(resource, integration, f"Body{one.location}")
        yield DeclaredRoute(
            api=resource.logical,
            stage=stage,
            method=one.method,
            path=one.path,
            target=target,
            location=resource.written(f"Body{one.location}"),
            integration=integration,
            findings=resource.findings_below(f"Body{one.location}"),
        )


def _of_method(
    resource: TemplateResource, api: str, stage: str, nodes: Mapping[str, TemplateResource]
) -> DeclaredRoute:
    integration = resource.table("Integration")
    target = target_of(resource, integration, "Integration")
    path = _path(resource, resource.text("ResourceId"), api, nodes)
    return DeclaredRoute(
        api=api,
        stage=stage,
        method=resource.text("HttpMethod", "ANY").upper(),
        path=path,
        target=target,
        location=resource.location,
        integration=integration,
        findings=resource.findings,
    )


def _path(resource: TemplateResource, node: str, api: str, nodes: Mapping[str, TemplateResource]) -> str:
    parts: list[str] = []
    seen: set[str] = set()
    while node != ROOT.format(api=api):
        found = nodes.get(node)
        if found is None or node in seen:
            resource.tell(
                f"There is no way from this method to the root of {api}: {node} has no parent", "ResourceId"
            )
            break
        seen.add(node)
        parts.append(found.text("PathPart"))
        node = found.text("ParentId")
    return f"/{'/'.join(reversed(parts))}"
