"""The Lambda functions of a CloudFormation template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.templates.declarations import DeclaredFunction
from asl_engine.templates.functions import as_text
from asl_engine.templates.settings import MAX_MEGABYTES, MAX_SECONDS, number, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.json_values import Json
    from asl_engine.templates.declarations import Surroundings
    from asl_engine.templates.properties import TemplateResource

__all__ = ["LAYERS", "declared_function"]

LAYERS: Final = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion")
ASSET: Final = "aws:asset:path"
ARCHITECTURES: Final = ("x86_64", "arm64")


def declared_function(
    resource: TemplateResource, layers: Mapping[str, TemplateResource], around: Surroundings
) -> DeclaredFunction:
    """The function, with its code where that is here; ``layers`` are those of the template."""
    variables = resource.table("Environment").get("Variables")
    environment = variables if isinstance(variables, dict) else {}
    function = DeclaredFunction(
        logical=resource.logical,
        name=resource.name(),
        location=resource.location,
        runtime=str(resource.get("Runtime", "")),
        handler=str(resource.get("Handler", "")),
        environment={name: as_text(one) for name, one in environment.items() if one is not None},
        timeout=number(resource.get("Timeout", 3), MAX_SECONDS, 3),
        memory=int(number(resource.get("MemorySize", 128), MAX_MEGABYTES, 128)),
        layers=tuple(_layers(resource, layers, around)),
        architecture=_architecture(resource),
        reserved=_reserved(resource),
    )
    function = _with_code(function, resource, around)
    return function._replace(findings=resource.findings)


def _architecture(resource: TemplateResource) -> str:
    given = resource.rows("Architectures")
    named = as_text(given[0]) if given else ARCHITECTURES[0]
    if named in ARCHITECTURES:
        return named
    resource.tell(f"There is no architecture {named}; there are {', '.join(ARCHITECTURES)}", "Architectures")
    return ARCHITECTURES[0]


def _reserved(resource: TemplateResource) -> int | None:
    given = resource.get("ReservedConcurrentExecutions")
    if given is None:
        return None
    found = whole(given)
    if found is None or found < 0:
        message = "ReservedConcurrentExecutions has to be a whole number from 0 on"
        resource.tell(message, "ReservedConcurrentExecutions")
        return None
    return found


def _with_code(function: DeclaredFunction, resource: TemplateResource, around: Surroundings) -> DeclaredFunction:
    if resource.get("PackageType", "Zip") == "Image" or "ImageUri" in resource:
        return function._replace(elsewhere="is a container image")
    if (asset := resource.metadata(ASSET)) is not None:
        return function._replace(code=asset)
    is_sam = resource.kind.startswith("AWS::Serverless::")
    inline, code, uri = resource.get("InlineCode"), resource.get("Code"), resource.get("CodeUri")
    if uri is None and is_sam:
        uri = "."
    if isinstance(code, dict) and "ZipFile" in code:
        inline = code["ZipFile"]
    if isinstance(inline, str):
        return function._replace(source=inline)
    for given in (code, uri):
        if isinstance(given, str) and "://" not in given:
            return function._replace(code=given)
        if isinstance(given, dict) and "ImageUri" in given:
            return function._replace(elsewhere="is a container image")
        if (found := _asset(given, around)) is not None:
            return function._replace(code=found)
        if given is not None:
            return function._replace(elsewhere="has its code in S3")
    return function._replace(elsewhere="has no code here")


def _asset(given: Json, around: Surroundings) -> str | None:
    key = given.get("S3Key", given.get("Key")) if isinstance(given, dict) else None
    return None if key is None else around.asset(str(key))


def _layers(
    resource: TemplateResource, layers: Mapping[str, TemplateResource], around: Surroundings
) -> Iterator[str]:
    """The folders of those layers that are in the template."""
    given = resource.written_value("Layers")
    for one in given if isinstance(given, list) else ():
        layer = layers.get(str(one.get("Ref"))) if isinstance(one, dict) else None
        if layer is None:
            continue
        content = layer.get("ContentUri") or layer.get("Content")
        found = layer.metadata(ASSET) or _asset(content, around)
        if found is not None or isinstance(content, str):
            yield str(found or content)
