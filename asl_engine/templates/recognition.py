"""Templates that deploy state machines: of SAM, CloudFormation, the CDK, the Serverless Framework and Terraform.

A template is not a definition: it holds definitions, or says in which files they are.  Whoever is given one for
the other tells which it is and where the definitions are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.findings import Finding, did_you_mean
from asl_engine.json_text import JsonSyntaxError, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.json_values import Json
    from asl_engine.templates.declarations import Locate

__all__ = [
    "BROKEN_TEMPLATE",
    "SERVERLESS",
    "SIGNS",
    "TERRAFORM",
    "DeploymentTemplate",
    "TemplateMachine",
    "is_broken_template",
    "read_template",
    "recognised_template",
]

BROKEN_TEMPLATE: Final = "BROKEN_TEMPLATE"

SAM: Final = "AWS::Serverless::StateMachine"
CLOUDFORMATION: Final = "AWS::StepFunctions::StateMachine"
# The properties of a machine's resource: those that hold its definition, and those that name its file.
INLINE: Final = ("Definition", "DefinitionString")
ELSEWHERE: Final = ("DefinitionUri", "DefinitionS3Location")
# ${file(order.yml)}, ${file(order.yml):order}: how the Serverless Framework includes a file.
INCLUDED: Final = re.compile(r"\$\{file\(([^)]+)\)(?::[^}]*)?\}")
# A text without these is no template; most definitions are not read a second time.
SIGNS: Final = re.compile(
    r"AWS::\w+::|AWSTemplateFormatVersion|stepFunctions|^functions[ \t]*:"
    r"|aws_(?:sfn_state_machine|lambda_function)",
    re.MULTILINE,
)
# What else is run or made here: a project's functions, what calls them, what they use.
RUN: Final = re.compile(
    r"AWS::(?:ApiGateway\w*|DynamoDB|Events|Kinesis|Lambda|S3|SNS|SQS|Scheduler|SecretsManager|SSM|Serverless)::"
)
# What shows a template in a text that cannot be read.
MADE: Final = re.compile(rf"{SAM}|{CLOUDFORMATION}|AWS::(?:Serverless|Lambda)::Function\b")
# Types that look like a state machine's, and are others.
LIKE_MACHINES: Final = frozenset({f"{CLOUDFORMATION}Alias", f"{CLOUDFORMATION}Version"})
NEAR: Final = 0.9  # how alike a misspelt type is


class TemplateMachine(NamedTuple):
    """A state machine of a template.

    ``file`` is where its definition is, relative to the template, None for one in the template itself, at
    ``location``.
    """

    name: str
    location: str
    file: str | None
    line: int | None = None


class DeploymentTemplate(NamedTuple):
    """``kind`` names it for people, as in "a SAM template".  ``faults`` are what is misspelt in it.

    ``has_more``: there are functions in it, or what else is run or made here, with state machines or without.
    """

    kind: str
    machines: tuple[TemplateMachine, ...]
    faults: tuple[Finding, ...] = ()
    has_more: bool = False

    @property
    def counts(self) -> bool:
        """Whether a project with this template is another one than without it."""
        return bool(self.machines or self.faults or self.has_more)


def recognised_template(text: str, name: str) -> DeploymentTemplate | None:
    """The template that ``text`` is, None if it is none.  ``name`` is that of its file."""
    if SIGNS.search(text) is None:
        return None
    document, locate = read_template(text, name)
    if not isinstance(document, dict):
        return None
    kind = _kind(document, name)
    if kind is None:
        return None
    found = READERS.get(kind, _of_resources)(document)
    machines = tuple(one._replace(line=(locate(one.location) or (None,))[0]) for one in found)
    faults: tuple[Finding, ...] = ()
    if kind not in READERS:
        faults = tuple(
            Finding(BROKEN_TEMPLATE, message, place, "ERROR", *(locate(place) or ()))
            for place, message in _misspelt(document)
        )
    return DeploymentTemplate(kind, machines, faults, _has_more(document, kind))


def _has_more(document: dict[str, Any], kind: str) -> bool:
    if kind == SERVERLESS:
        return "functions" in document or "resources" in document
    if kind == TERRAFORM:
        return "aws_lambda_function" in str(document)
    resources = document[_section(document) or "Resources"]
    return any(RUN.match(one) for one in _types(resources)) if isinstance(resources, dict) else False


def is_broken_template(text: str, name: str) -> bool:
    """Whether ``text`` has a state machine or a function of a template, and cannot be read."""
    return MADE.search(text) is not None and read_template(text, name)[0] is None


def read_template(text: str, name: str) -> tuple[Json, Locate]:
    """The value of a template, and a function from a location to its line and column.

    The value is None where the text cannot be read.
    """
    if text.lstrip().startswith("{"):
        from asl_engine.language.positions import locate

        try:
            return loads(text), lambda location: locate(text, location)
        except JsonSyntaxError:
            return None, lambda _: None
    from asl_engine.errors import DefinitionError
    from asl_engine.language.yaml import read_yaml

    try:
        read = read_yaml(text, name, template=True)
    except DefinitionError:
        return None, lambda _: None
    return loads(read.text) if read.text else None, read.locate


SERVERLESS: Final = "a configuration of the Serverless Framework"


TERRAFORM: Final = "a plan of Terraform"


def _kind(document: dict[str, Any], name: str) -> str | None:
    if "format_version" in document and ("planned_values" in document or "values" in document):
        return TERRAFORM
    if "service" in document and ("provider" in document or "stepFunctions" in document):
        return SERVERLESS
    section = _section(document)
    resources = None if section is None else document[section]
    types = _types(resources) if isinstance(resources, dict) else []
    if not any(kind.startswith(("AWS::", "Custom::")) for kind in types):
        return None
    if "AWS::CDK::Metadata" in types or (name.endswith(".template.json") and "aws:cdk:path" in str(resources)):
        return "a CloudFormation template of the CDK"
    if "AWS::Serverless" in str(document.get("Transform")) or any("::Serverless::" in kind for kind in types):
        return "a SAM template"
    return "a CloudFormation template"


def _section(document: dict[str, Any]) -> str | None:
    """The name of the section that holds the resources; it may be misspelt where none is called Resources."""
    if "Resources" in document:
        return "Resources"
    if "StartAt" in document or "States" in document:
        return None
    sections = (name for name, value in document.items() if isinstance(value, dict))
    return next((name for name in sections if did_you_mean(name, ["Resources"])), None)


def _types(resources: dict[str, Any]) -> list[str]:
    return [str(one["Type"]) for one in resources.values() if isinstance(one, dict) and "Type" in one]


def _of_resources(document: dict[str, Any]) -> Iterator[TemplateMachine]:
    section = _section(document)
    for name, resource in () if section is None else document[section].items():
        if not isinstance(resource, dict) or str(resource.get("Type")) not in {SAM, CLOUDFORMATION}:
            continue
        place = f"/{section}/{name}"
        properties = resource.get("Properties")
        given = properties if isinstance(properties, dict) else {}
        within = next((field for field in INLINE if field in given), None)
        if within is not None:
            yield TemplateMachine(name, f"{place}/Properties/{within}", None)
            continue
        field = next((field for field in ELSEWHERE if field in given), None)
        where = None if field is None else _file(given[field])
        yield TemplateMachine(name, place if field is None else f"{place}/Properties/{field}", where)


def _misspelt(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is misspelt where a template says what it holds: the location, and a message."""
    from difflib import get_close_matches

    section = _section(document)
    if section is None:
        return
    if section != "Resources":
        yield f"/{section}", f"A template has no section {section}; did you mean 'Resources'?"
    types = {one.casefold(): one for one in (SAM, CLOUDFORMATION)}
    for name, resource in document[section].items():
        kind = resource.get("Type") if isinstance(resource, dict) else None
        if not isinstance(kind, str) or kind in {SAM, CLOUDFORMATION} or kind in LIKE_MACHINES:
            continue
        near = get_close_matches(kind.casefold(), types, 1, NEAR)
        if near:
            yield f"/{section}/{name}/Type", f"There is no type {kind}; did you mean '{types[near[0]]}'?"


def _file(value: Any) -> str | None:
    """A path, or an object in S3 by its URI."""
    if isinstance(value, dict) and "Bucket" in value and "Key" in value:
        bucket = value["Bucket"] if isinstance(value["Bucket"], str) else "..."
        return f"s3://{bucket}/{value['Key']}"
    return value if isinstance(value, str) else None


def _of_serverless(document: dict[str, Any]) -> Iterator[TemplateMachine]:
    steps = document.get("stepFunctions")
    if isinstance(steps, str):
        yield TemplateMachine("stepFunctions", "/stepFunctions", _included(steps))
        return
    machines = steps.get("stateMachines") if isinstance(steps, dict) else None
    if isinstance(machines, str):
        yield TemplateMachine("stateMachines", "/stepFunctions/stateMachines", _included(machines))
        return
    for name, machine in machines.items() if isinstance(machines, dict) else ():
        place = f"/stepFunctions/stateMachines/{name}"
        if isinstance(machine, str):
            yield TemplateMachine(name, place, _included(machine))
        elif isinstance(machine, dict):
            definition = machine.get("definition")
            file = _included(definition) if isinstance(definition, str) else None
            yield TemplateMachine(name, f"{place}/definition", file)


def _of_terraform(document: dict[str, Any]) -> Iterator[TemplateMachine]:
    from asl_engine.templates.terraform_plan import terraform_machines

    for address, location in terraform_machines(document):
        yield TemplateMachine(address, f"{location}/values/definition", None)


READERS: Final = {SERVERLESS: _of_serverless, TERRAFORM: _of_terraform}


def _included(value: str) -> str | None:
    found = INCLUDED.search(value)
    return found and found[1].strip()
