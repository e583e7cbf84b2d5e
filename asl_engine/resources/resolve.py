"""From the ``Resource`` fields of a definition to the callables that serve them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_activity
from asl_engine.errors import ProjectError
from asl_engine.resources.registry import canonical, function_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.resources import Resource
    from asl_engine.resources.catalog import Catalog
    from asl_engine.resources.registry import Registry

__all__ = ["resolve"]


def resolve(resources: Iterable[str], catalog: Catalog) -> dict[str, Resource]:
    """What serves each distinct ``Resource``.

    Raises one ``ProjectError`` that lists every resource which nothing serves.
    """
    found: dict[str, Resource] = {}
    missing: dict[str, str] = {}
    problems: list[str] = []
    for resource in dict.fromkeys(resources):
        name = function_name(resource)
        try:
            served = catalog.find(resource)
        except ProjectError as error:
            problems.append(str(error))
            continue
        if served is not None:
            found[resource] = served
        elif name is None:
            problems.append(_not_run(resource))
        else:
            missing[resource] = name
    problems += _missing(missing, catalog.registry)
    if problems:
        raise ProjectError("\n".join(problems))
    return found


def _not_run(resource: str) -> str:
    if is_activity(resource):
        return (
            f"the resource {resource} is an activity, and `asl run` cannot give its workers their tasks: start "
            "`asl serve`, and create the activity and the state machine there (docs/activities.md)"
        )
    return f"the resource {resource} is not supported by `asl run`"


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
