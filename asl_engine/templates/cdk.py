"""The CDK's cloud assembly: which templates ``cdk.out`` has, and where its assets lie.

"Cloud assembly manifest" and "Asset manifest" in the schema of the CDK: manifest.json lists stacks and nested
assemblies (stages), NAME.assets.json lists the files that are to be in S3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.json_text import JsonSyntaxError, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AssembledStack", "asset_paths", "nested_assemblies", "stacks"]


class AssembledStack(NamedTuple):
    """A stack of an assembly: ``template`` and ``assets`` are files in its folder."""

    name: str
    template: str
    assets: str


def stacks(manifest: str) -> Iterator[AssembledStack]:
    """The stacks that a manifest lists."""
    for name, artifact in _artifacts(manifest):
        properties = artifact.get("properties")
        if artifact.get("type") == "aws:cloudformation:stack" and isinstance(properties, dict):
            template = str(properties.get("templateFile"))
            assets = f"{template.removesuffix('.template.json')}.assets.json"
            yield AssembledStack(str(properties.get("stackName", name)), template, assets)


def nested_assemblies(manifest: str) -> Iterator[str]:
    """The folders of the assemblies, such as those of stages, that a manifest lists."""
    for _, artifact in _artifacts(manifest):
        properties = artifact.get("properties")
        if artifact.get("type") == "cdk:cloud-assembly" and isinstance(properties, dict):
            yield str(properties.get("directoryName"))


def asset_paths(assets: str) -> dict[str, str]:
    """The files and folders by the keys that they will have in S3."""
    found: dict[str, str] = {}
    for asset in _table(_object(assets), "files").values():
        source = asset.get("source") if isinstance(asset, dict) else None
        path = source.get("path") if isinstance(source, dict) else None
        for place in _table(asset, "destinations").values() if isinstance(path, str) else ():
            if isinstance(place, dict) and isinstance(place.get("objectKey"), str):
                found[place["objectKey"]] = str(path)
    return found


def _artifacts(manifest: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, artifact in _table(_object(manifest), "artifacts").items():
        if isinstance(artifact, dict):
            yield name, artifact


def _object(text: str) -> dict[str, Any]:
    try:
        value = loads(text)
    except JsonSyntaxError:
        return {}
    return value if isinstance(value, dict) else {}


def _table(holder: Any, name: str) -> dict[str, Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}
