"""A task's Parameters or Arguments, held against what its integration takes.

"Passing parameters to a service API in Step Functions" in the Developer Guide.  It is done when a state machine
is created, with what is known of them then; values that only the state's input tells are looked at when it runs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.expressions.delimiters import is_expression
from asl_engine.findings import Finding
from asl_engine.language.placeholders import placeholders
from asl_engine.resources.aws.names import has_service, operation_name, service_model, services
from asl_engine.resources.aws.optimised import OPTIMISED as TABLE
from asl_engine.resources.aws.requests import Member, OperationInput, Rules, StructureFields, fields_of, read
from asl_engine.resources.aws.shapes import OPTIMISED, SDK
from asl_engine.resources.integrations import NATIVE, integration
from asl_engine.resources.request_fields import UNKNOWN
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json
    from asl_engine.language.tree import StateSource
    from asl_engine.resources.aws.optimised import Optimised
    from asl_engine.resources.aws.shapes import Spelling
    from asl_engine.resources.integrations import Integration

__all__ = ["parameter_faults", "unfitting_parameters"]

DYNAMIC = ".$"


def unfitting_parameters(task: StateSource, *, filled: bool = True) -> Iterator[Finding]:
    """A finding for each field that is wrong.  All of them are at the field that has the parameters, as on AWS.

    The task's Resource is one that is recognised.  Without botocore nothing is known of the services' fields.
    A text with a placeholder is known only where the definition is ``filled``.
    """
    resource, jsonata = task.source["Resource"], task.language == "JSONata"
    found = integration(resource)
    field = "Arguments" if jsonata else "Parameters"
    if found is None:
        return
    if field not in task.source:
        message = f"{field} field is required for resource ARN: {resource}"
        yield Finding(SCHEMA_VALIDATION_FAILED, message, task.location)
        return
    try:
        faults = parameter_faults(found, _known(task.source[field], jsonata=jsonata, filled=filled), field)
    except RecursionError:
        faults = [f"The {field} are nested too deeply"]
    for fault in faults:
        yield Finding(SCHEMA_VALIDATION_FAILED, fault, f"{task.location}/{field}")


def _known(template: Json, *, jsonata: bool, filled: bool) -> Any:
    """The value of a payload template as far as it is known before the state runs."""
    known = partial(_known, jsonata=jsonata, filled=filled)
    if isinstance(template, dict):
        if jsonata:
            return {key: known(inner) for key, inner in template.items()}
        return {
            key.removesuffix(DYNAMIC): UNKNOWN if key.endswith(DYNAMIC) else known(inner)
            for key, inner in template.items()
        }
    if isinstance(template, list):
        return [known(item) for item in template]
    if not filled and isinstance(template, str) and placeholders(template):
        return UNKNOWN
    return UNKNOWN if jsonata and is_expression(template) else template


def parameter_faults(found: Integration, value: Any, field: str = "Parameters") -> list[str]:
    """What is wrong with a task's parameters, of which parts may be ``UNKNOWN``."""
    if value is UNKNOWN:
        return []
    if not isinstance(value, dict):
        return [f"The {field} must be an object"]
    if not found.sdk and found.name in NATIVE:
        return _native(found.name)(value)
    request = _request_of(found)
    if request is None:
        return []
    _, faults = read(request, value, converts=False)
    return [fault.message for fault in faults]


def _native(name: str) -> Callable[[dict[str, Any]], list[str]]:
    """What looks at the parameters of an integration that is no operation of a service."""
    if name == "lambda:invoke":
        from asl_engine.resources.lambda_.invoke import invocation_faults

        return invocation_faults
    if name == "states:startExecution":
        from asl_engine.resources.nested import execution_faults

        return execution_faults
    if name == "http:invoke":
        from asl_engine.resources.http.invoke import request_faults as http_faults

        return http_faults
    from asl_engine.resources.http.api_gateway import request_faults

    return request_faults


# -- operations of services ------------------------------------------------------------------------------


class _Text(NamedTuple):
    """The shape of a text that the operation's model does not have."""

    name: str = ""
    type_name: str = "string"


def _request_of(found: Integration) -> OperationInput | None:
    """What an integration takes; None where nothing is known of it."""
    if not services():
        return None
    entry = None if found.sdk else TABLE[found.name]
    service = services().get(found.service) if entry is None else entry.service
    if service is None or not has_service(service):
        return None
    name = operation_name(service, found.action) if entry is None else entry.operation
    assert name is not None, "a recognised action"  # noqa: S101  for the type checker
    spelling = OPTIMISED if entry is not None and entry.family.legacy else SDK
    shape = service_model(service).operation_model(name).input_shape
    if entry is None:
        return OperationInput(fields_of(shape, spelling, tokens=True), spelling, tokens=True)
    refused = entry.refused | entry.taken.get(found.pattern, frozenset())
    fields = _own_words(fields_of(shape, spelling), entry, spelling)
    return OperationInput(fields, spelling, rules=Rules(entry.needed, entry.true, refused))


def _own_words(words: StructureFields, entry: Optimised, spelling: Spelling) -> StructureFields:
    """The fields of a request as an integration calls them."""
    fields, names = dict(words.fields), list(words.required)
    for member, place in entry.renamed.items():
        field, own = spelling.name(member, ""), place.strip("[]")
        renamed = fields.pop(field)
        fields[own] = renamed._replace(shape=renamed.shape.member) if place.startswith("[") else renamed
        names = [own if name == field else name for name in names]
    if entry.named is not None:
        fields[entry.named.field] = Member(entry.named.field, _Text())
        names.append(entry.named.field)
    return StructureFields(fields, tuple(names), {})
