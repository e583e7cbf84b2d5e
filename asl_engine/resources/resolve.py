"""From the ``Resource`` fields of a definition to the callables that serve them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.errors import ProjectError
from asl_engine.resources.python import python_resource
from asl_engine.resources.registry import canonical, function_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.resources import Resource
    from asl_engine.resources.registry import Registry

__all__ = ["resolve"]


def resolve(
    resources: Iterable[str],
    registry: Registry,
    remote: Resource | None = None,
    integrations: Mapping[str, Resource] | None = None,
) -> dict[str, Resource]:
    """What serves each distinct ``Resource``: a local callable, else ``remote`` (AWS Lambda) if it is given.

    ``integrations`` serve resources that are no functions.  Raises one ``ProjectError`` that lists every
    resource which nothing serves.
    """
    found: dict[str, Resource] = {}
    missing: dict[str, str] = {}
    unsupported: list[str] = []
    for resource in dict.fromkeys(resources):
        name = function_name(resource)
        function = None if name is None else registry.find(name)
        if integrations and resource in integrations:
            found[resource] = integrations[resource]
        elif name is None:
            unsupported.append(resource)
        elif function is not None:
            found[resource] = python_resource(function, name)
        elif remote is not None:
            found[resource] = remote
        else:
            missing[resource] = name
    problems = [*map(_unsupported, unsupported), *_missing(missing, registry)]
    if problems:
        raise ProjectError("\n".join(problems))
    return found


def _unsupported(resource: str) -> str:
    return (
        f"the resource {resource} is not supported yet by `asl run`: supported are Lambda function ARNs "
        "(arn:aws:lambda:REGION:ACCOUNT:function:NAME) and arn:aws:states:::lambda:invoke"
    )


def _missing(missing: dict[str, str], registry: Registry) -> list[str]:
    if not missing:
        return []
    lines = [_no_callable(resource, name, registry) for resource, name in missing.items()]
    known = ", ".join(registry) or "none"
    places = ", ".join(map(str, registry.places)) or "nowhere: no tasks are configured"
    return [
        *lines,
        f"task callables found: {known}; searched: {places}",
        "Define the missing ones there, or pass `--lambda` to call AWS Lambda for them.",
    ]


def _no_callable(resource: str, name: str, registry: Registry) -> str:
    from difflib import get_close_matches

    line = f"there is no task callable for the function {name!r} ({resource})"
    by_form = {canonical(known): known for known in registry}
    close = get_close_matches(canonical(name), by_form, n=1)
    return f"{line}; did you mean {by_form[close[0]]!r}?" if close else line
