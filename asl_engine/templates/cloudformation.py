"""What a CloudFormation template declares, SAM's among them: machines, functions, events, other resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.templates.declarations import Declarations
from asl_engine.templates.declared_functions import LAYERS, declared_function
from asl_engine.templates.declared_machines import declared_machine
from asl_engine.templates.evaluation import TemplateEvaluation
from asl_engine.templates.event_rules import RULE, SCHEDULE, declared_rule, declared_schedule
from asl_engine.templates.event_sources import MAPPING, declared_mapping
from asl_engine.templates.expansion import Expansion
from asl_engine.templates.http_apis import HTTP_API_TYPES, URL, http_routes, url_route
from asl_engine.templates.other_resources import (
    BUCKET,
    NOTIFICATIONS,
    RESOURCES,
    declared_resource,
    with_notifications,
)
from asl_engine.templates.properties import TemplateResource
from asl_engine.templates.resource_names import FUNCTIONS, MACHINES
from asl_engine.templates.rest_apis import REST_API_TYPES, rest_routes
from asl_engine.templates.sam import generated, is_serverless, table_of
from asl_engine.templates.sam_events import sam_expansion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.findings import Finding
    from asl_engine.json_values import Json
    from asl_engine.templates.declarations import DeclaredResource, Locate, Surroundings

__all__ = ["CloudFormation"]

READ: Final = frozenset(
    {
        *FUNCTIONS,
        *MACHINES,
        *LAYERS,
        *REST_API_TYPES,
        *HTTP_API_TYPES,
        *RESOURCES,
        NOTIFICATIONS,
        MAPPING,
        RULE,
        SCHEDULE,
        URL,
    }
)


class CloudFormation:
    """Reads one template.

    ``also`` are other names of its resources, which only references use.  ``expansion`` says of what its resources
    were made, where the template itself was made of another file.
    """

    def __init__(
        self,
        document: dict[str, Any],
        locate: Locate,
        around: Surroundings,
        also: dict[str, str] | None = None,
        expansion: Expansion | None = None,
    ) -> None:
        written = table_of(document, "Resources")
        if expansion is None:
            expansion = sam_expansion(document) if is_serverless(document) else Expansion()
            document = {**document, "Resources": {**generated(document), **written, **expansion.resources}}
        self._document = document
        self._around = around
        self._told = expansion.told
        self._evaluation = TemplateEvaluation(document, locate, around, also, expansion.places)

    def declarations(self) -> Declarations:
        read = [*self._resources()]
        layers = {one.logical: one for one in read if one.kind in LAYERS}
        machines = [declared_machine(one, self._around) for one in _of(read, MACHINES)]
        functions = [declared_function(one, layers, self._around) for one in _of(read, FUNCTIONS)]
        routes = [
            *rest_routes(_of(read, REST_API_TYPES), self._around),
            *http_routes(_of(read, HTTP_API_TYPES), self._around),
            *(url_route(one, self._around) for one in _of(read, (URL,))),
        ]
        rules = [declared_rule(one) for one in _of(read, (RULE,))]
        rules += [declared_schedule(one) for one in _of(read, (SCHEDULE,))]
        mappings = [declared_mapping(one) for one in _of(read, (MAPPING,))]
        declared = Declarations(
            machines=tuple(machines),
            functions=tuple(functions),
            routes=tuple(routes),
            rules=tuple(rules),
            mappings=tuple(one for one in mappings if one is not None),
            resources=tuple(_resources(read)),
        )
        names = (*self._evaluation.asked, *self._evaluation.section("Parameters"))
        return declared._replace(
            names=tuple(dict.fromkeys(names)), findings=tuple(self._others(read, {*declared.told()}))
        )

    def exported(self, name: str) -> Json | None:
        return self._evaluation.exported(name)

    def _resources(self) -> Iterator[TemplateResource]:
        for logical, resource in table_of(self._document, "Resources").items():
            if not isinstance(resource, dict) or str(resource.get("Type")) not in READ:
                continue
            if self._evaluation.exists(resource, f"/Resources/{logical}"):
                yield TemplateResource(logical, resource, self._document, self._evaluation)

    def _others(self, read: list[TemplateResource], told: set[Finding]) -> Iterator[Finding]:
        """The findings that no declaration has: about what is left out because of them."""
        for code, message, place in self._told:
            yield self._evaluation.finding(code, message, place)
        for resource in read:
            yield from (one for one in resource.findings if one not in told)


def _resources(read: list[TemplateResource]) -> Iterator[DeclaredResource]:
    """The resources that are made here, with what the CDK says of them elsewhere."""
    notified = {one.text("BucketName"): one for one in _of(read, (NOTIFICATIONS,))}
    for one in _of(read, RESOURCES):
        declared = declared_resource(one)
        also = notified.pop(declared.name, None) if declared.type == BUCKET else None
        yield declared if also is None else with_notifications(declared, also)
    for name, other in notified.items():
        other.tell_not_run(f"There is no bucket {name} here that could tell of its objects")


def _of(read: list[TemplateResource], kinds: Iterable[str]) -> list[TemplateResource]:
    kinds = frozenset(kinds)
    return [one for one in read if one.kind in kinds]
