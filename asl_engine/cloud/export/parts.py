"""What all formats share: the definition with placeholders, and the meaning of each."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.cloud.deploy.account import AwsAccount
from asl_engine.cloud.deploy.bundle import handler_name
from asl_engine.cloud.deploy.deployment import settings_grants
from asl_engine.cloud.deploy.functions import deployed_name
from asl_engine.cloud.deploy.policy import document_of, grants
from asl_engine.cloud.deploy.roles import POLICY_NAME, PROJECT_TAG, log_grants
from asl_engine.cloud.deploy.settings import FunctionSettings, function_settings
from asl_engine.cloud.deploy.wiring import locate, wire
from asl_engine.errors import InvalidInput, Parameter
from asl_engine.json_text import loads
from asl_engine.language.placeholders import placeholders

if TYPE_CHECKING:
    from asl_engine.cloud.deploy.bundle import Bundle
    from asl_engine.cloud.deploy.deployment import Order
    from asl_engine.cloud.deploy.settings import Settings

__all__ = [
    "ACCOUNT",
    "PARTITION",
    "POLICY_NAME",
    "REGION",
    "ExportedFunction",
    "TemplateParts",
    "code_key",
    "parts_of",
]

# Names that a parameter must not have: CloudFormation has one space of names for parameters and resources, and
# Terraform keeps some for itself ("Input Variables").  Compared without regard to case.
_TAKEN = frozenset(
    {
        *("statemachine", "statemachinerole", "statemachineversion", "statemachinealias", "functionrole"),
        *("codebucket", "statemachinearn", "statemachinealiasarn"),
        *("source", "version", "providers", "count", "foreach", "lifecycle", "dependson", "locals"),
    }
)

# They stand in ARNs for what only a deployment knows; a placeholder there would be split at its colons.
PARTITION, REGION, ACCOUNT = "<partition>", "<region>", "<account>"
REGION_PLACEHOLDER, ACCOUNT_PLACEHOLDER = "AwsRegion", "AwsAccount"


class ExportedFunction(NamedTuple):
    """A function.  ``label`` is its name inside of a template.

    ``placeholder`` stands in the definition for the ARN of its version; ``digest`` changes with its code and its
    configuration, of which a version is made.
    """

    label: str
    name: str
    task: str
    handler: str
    settings: FunctionSettings
    placeholder: str
    digest: str


class TemplateParts(NamedTuple):
    """``text`` is the definition; ``parameters`` are its placeholders that the user has to fill on deployment.

    ``policy`` and ``function_policy`` are documents with PARTITION, REGION and ACCOUNT in them, and with
    ``${...}`` for parameters.  ``bundle`` is the functions' code, None without functions.
    """

    name: str
    text: str
    file: str
    settings: Settings
    alias: str | None
    functions: tuple[ExportedFunction, ...]
    parameters: tuple[str, ...]
    policy: dict[str, Any]
    function_policy: dict[str, Any]
    tags: dict[str, str]
    bundle: Bundle | None


def parts_of(order: Order) -> TemplateParts:
    """The parts of an order.  Raises ``DefinitionError`` if its definition is refused."""
    functions = _functions(order)
    text, parameters = _parameters(
        locate(order.text, f"${{{REGION_PLACEHOLDER}}}", f"${{{ACCOUNT_PLACEHOLDER}}}"), order, functions
    )
    written = {one.task: f"${{{one.placeholder}}}" for one in functions}
    named = {one.task: f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{one.name}" for one in functions}
    known = order.functions.placeholders if order.functions else {}
    complete = text.replace(f"${{{REGION_PLACEHOLDER}}}", REGION).replace(f"${{{ACCOUNT_PLACEHOLDER}}}", ACCOUNT)
    complete = wire(complete, named, known)
    order.check(_arns_for(complete, parameters))
    place = AwsAccount(PARTITION, REGION, ACCOUNT, order.name, frozenset(named.values()))
    needed = [*grants(loads(complete), place), *settings_grants(order.settings)]
    text = wire(text, written, known)
    return TemplateParts(
        name=order.name,
        text=text,
        file=f"{order.name}.asl.json",
        settings=order.settings,
        alias=order.settings.alias,
        functions=functions,
        parameters=parameters,
        policy=document_of(needed),
        function_policy=document_of(log_grants(f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}", order.name)),
        tags={PROJECT_TAG: order.settings.project},
        bundle=order.functions.bundle if order.functions else None,
    )


def code_key(name: str, bundle: Bundle) -> str:
    """The key of the code in its bucket.  It changes with the code, or CloudFormation would update nothing."""
    return f"{name}-{sha256(bundle.content).hexdigest()[:16]}.zip"


def _arns_for(text: str, parameters: tuple[str, ...]) -> str:
    """The text with an example for each parameter, which is valid wherever an ARN or a name is."""
    for name in parameters:
        text = text.replace(f"${{{name}}}", f"arn:aws:lambda:us-east-1:123456789012:function:{name}")
    return text


def _parameters(text: str, order: Order, functions: tuple[ExportedFunction, ...]) -> tuple[str, tuple[str, ...]]:
    """The text and the placeholders left in it, renamed where a template's parameter needs another name."""
    ours = {REGION_PLACEHOLDER, ACCOUNT_PLACEHOLDER, *(order.functions.placeholders if order.functions else ())}
    taken = {*_TAKEN, REGION_PLACEHOLDER.lower(), ACCOUNT_PLACEHOLDER.lower()}
    for one in functions:
        taken |= {f"{one.label}Function".lower(), one.placeholder.lower()}
    names: list[str] = []
    for name in placeholders(text):
        if name not in ours:
            plain = re.sub(r"[^A-Za-z0-9]", "", name)
            if plain.lower() in taken or not plain[:1].isalpha():
                raise InvalidInput(
                    f"{order.source}: ${{{name}}} has to be given a value with ",
                    Parameter("substitute", f"{name}=..."),
                    ", or another name: a template cannot have a parameter of this name beside its other names",
                )
            taken.add(plain.lower())
            names.append(plain)
            text = text.replace(f"${{{name}}}", f"${{{plain}}}")
    return text, tuple(names)


def _functions(order: Order) -> tuple[ExportedFunction, ...]:
    if order.functions is None:
        return ()
    tasks, code = order.functions.tasks, order.functions.bundle.sha256
    found = []
    for task, label in zip(tasks, _labels(tasks), strict=True):
        settings = function_settings(order.settings, task)
        made_of = (code, task, settings, order.settings.runtime, order.settings.architecture)
        found.append(
            ExportedFunction(
                label=label,
                name=deployed_name(order.name, task),
                task=task,
                handler=handler_name(task),
                settings=settings,
                placeholder=f"{label}FunctionArn",
                digest=sha256(repr(made_of).encode()).hexdigest()[:12],
            )
        )
    return tuple(found)


def _labels(tasks: tuple[str, ...]) -> list[str]:
    """A label for each task; numbers tell those apart that differ only in case."""
    labels: list[str] = []
    taken: set[str] = set()
    for task in tasks:
        first = camel(task)
        first = first if first[:1].isalpha() else f"Task{first}"
        numbered = (f"{first}{number}" for number in range(2, len(tasks) + 2))
        label = next(one for one in (first, *numbered) if one.lower() not in taken)
        taken.add(label.lower())
        labels.append(label)
    return labels


def camel(name: str) -> str:
    """``validate-order`` -> ``ValidateOrder``: letters and digits, as a logical id has to be."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
