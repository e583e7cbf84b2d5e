"""The state machines of a CloudFormation template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.templates.declarations import DeclaredMachine
from asl_engine.templates.functions import as_text

if TYPE_CHECKING:
    from asl_engine.templates.declarations import Surroundings
    from asl_engine.templates.properties import TemplateResource

__all__ = ["declared_machine"]

INLINE: Final = ("Definition", "DefinitionString")
ELSEWHERE: Final = ("DefinitionUri", "DefinitionS3Location")
CONSTRUCT: Final = "aws:cdk:path"
NO_DEFINITION: Final = (
    "The state machine has no definition: give it one of Definition, DefinitionString and DefinitionUri"
)


def declared_machine(resource: TemplateResource, around: Surroundings) -> DeclaredMachine:
    """The machine, with its definition or the file of that."""
    substitutions = resource.table("DefinitionSubstitutions")
    machine = DeclaredMachine(
        logical=resource.logical,
        name=resource.name(),
        location=resource.location,
        substitutions={name: as_text(one) for name, one in substitutions.items() if one is not None},
        express=resource.get("Type") == "EXPRESS" or resource.get("StateMachineType") == "EXPRESS",
        also=_constructs(resource.metadata(CONSTRUCT)),
    )
    field = next((one for one in INLINE if one in resource), None)
    if field is not None:
        definition = resource.get(field)
        return machine._replace(
            location=resource.written(field), definition=definition, findings=resource.findings
        )
    file = _file(resource, around)
    where = next((one for one in ELSEWHERE if one in resource), None)
    if file is None and not resource.findings:
        resource.tell(NO_DEFINITION, where or "")
    location = machine.location if where is None else resource.written(where)
    return machine._replace(location=location, file=file, findings=resource.findings)


def _file(resource: TemplateResource, around: Surroundings) -> str | None:
    for field in ELSEWHERE:
        value: Any = resource.get(field)
        if isinstance(value, str):
            if "://" not in value:
                return value
            value = {"Key": value.rpartition("/")[2], "Bucket": value}
        if isinstance(value, dict):
            found = around.asset(str(value.get("Key")))
            if found is None and not resource.findings:
                message = f"The definition is in S3 ({value.get('Bucket')}, {value.get('Key')}), and not here"
                resource.tell(message, field)
            return found
    return None


def _constructs(path: str | None) -> tuple[str, ...]:
    """The path of a construct of the CDK, and its last name: ``Stack/Order/Resource`` is called Order."""
    path = (path or "").removesuffix("/Resource")
    return (path, path.rpartition("/")[2]) if path else ()
