"""What is wrong with the tasks of a definition in its project: functions that it lacks, Resources that are none.

``asl validate`` shows the findings.  Whatever else takes a definition refuses it for them, before it stores or
writes anything: ``load_definition`` and ``check_tasks`` do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.arn import (
    Arn,
    function_arn,
    function_name,
    invokes_function,
    is_activity,
    is_arn,
    is_of_states,
    parse_arn,
)
from asl_engine.errors import DefinitionError, ProjectError
from asl_engine.findings import Finding, did_you_mean
from asl_engine.json_text import loads
from asl_engine.language.document import check_source, load_source, located
from asl_engine.language.tree import tasks
from asl_engine.limits import AWS_LIMITS
from asl_engine.project.tasks import imported_tasks
from asl_engine.resources.lambda_.deployed import task_of
from asl_engine.resources.python.registry import accepts_context, canonical
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED
from asl_engine.templates.recognition import BROKEN_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json
    from asl_engine.language.document import DefinitionSource
    from asl_engine.language.tree import StateSource
    from asl_engine.limits import Limits
    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry
    from asl_engine.resources.services import NotRunHere

__all__ = [
    "CODES",
    "Callables",
    "callables_of",
    "calls_function",
    "check_definition",
    "check_tasks",
    "functions_are_remote",
    "functions_called",
    "load_definition",
    "missing_functions",
    "task_faults",
    "unknown_integrations",
    "unsupported_resources",
]

NO_CALLABLE: Final = "TASK_WITHOUT_CALLABLE"
CODES: Final = {
    NO_CALLABLE: "The project has no callable for the function.",
    BROKEN_TEMPLATE: "A state machine of a template has no definition, or is misspelt.",
}


class Callables(NamedTuple):
    """What serves Lambda functions in a project: its task callables, and the functions that it configures.

    What its templates declare counts too; ``refused`` are those that cannot be run here, with the reasons.
    """

    registry: Registry
    functions: Collection[str] = ()
    refused: Mapping[str, NotRunHere] = {}


def functions_are_remote(project: Project, *, asked: bool = False) -> bool:
    """Whether AWS Lambda is called for functions that the project has no callable for.

    ``asked``: the command says so; the environment and the project may, too.
    """
    return bool(asked or os.environ.get("LAMBDA_ENDPOINT") or project.lambda_endpoint or project.use_lambda)


def calls_function(resource: str) -> bool:
    """Whether tasks with this Resource call a Lambda function."""
    return function_name(resource) is not None or invokes_function(resource)


def callables_of(project: Project) -> Callables:
    """What the project has.  Raises ``ProjectError`` for tasks that cannot be imported."""
    return Callables(imported_tasks(project), {**project.declared, **project.functions}, project.refused)


def unsupported_resources(definition: Json) -> Iterator[Finding]:
    """The Resources that name neither a Lambda function nor something of Step Functions."""
    for task in tasks(definition):
        resource: str = task.source["Resource"]
        arn = parse_arn(resource)
        if arn is None or "${" in resource or function_name(resource) is not None or is_of_states(resource):
            continue
        message = f"No task can call {resource}{_meant(arn)}"
        yield Finding(SCHEMA_VALIDATION_FAILED, message, f"{task.location}/Resource")


def load_definition(source: DefinitionSource, limits: Limits = AWS_LIMITS) -> StateMachine:
    """The state machine, with tasks that CreateStateMachine would accept too.

    Raises ``DefinitionError`` with every finding of severity ERROR.
    """
    machine = load_source(source, limits)
    check_tasks(source, machine.resources)
    return machine


def check_definition(
    source: DefinitionSource, limits: Limits = AWS_LIMITS
) -> tuple[StateMachine | None, list[Finding]]:
    """Like ``check_source``, with what is wrong with the tasks of a machine that is sound otherwise."""
    machine, findings = check_source(source, limits)
    faults = [] if machine is None else task_faults(source, machine.resources)
    return (None, located(source, [*findings, *faults])) if faults else (machine, findings)


def check_tasks(source: DefinitionSource, resources: Iterable[str]) -> None:
    """Raises ``DefinitionError`` for tasks that CreateStateMachine would refuse."""
    faults = task_faults(source, resources)
    if faults:
        raise DefinitionError(faults, source.name)


def task_faults(source: DefinitionSource, resources: Iterable[str]) -> list[Finding]:
    """What CreateStateMachine would refuse of the tasks of a definition, whose Resources are these.

    The definition is read again, and the services' models are looked at, only where there is something to check.
    """
    if all(function_name(resource) is not None or is_activity(resource) for resource in resources):
        return []
    from asl_engine.resources.integrations import unsupported

    document = loads(source.text)
    lacking = {f"{task.location}/Resource" for task in tasks(document) if unsupported(task.source["Resource"])}
    found = [*unsupported_resources(document), *unknown_integrations(document)]
    return located(source, [one for one in found if one.location not in lacking])


def unknown_integrations(definition: Json) -> Iterator[Finding]:
    """The Resources of integrations that AWS does not have, and the parameters that theirs do not take."""
    from asl_engine.resources.integrations import recognised
    from asl_engine.resources.recognition import unrecognised

    resources = {f"{task.location}/Resource": task.source["Resource"] for task in tasks(definition)}
    for finding in unrecognised(definition, filled=False):
        resource = resources.get(finding.location or "")
        hint = "" if resource is None or recognised(resource) else _meant_integration(resource)
        yield finding._replace(message=finding.message.removesuffix(".") + hint) if hint else finding


def _meant_integration(resource: str) -> str:
    from asl_engine.resources.aws.names import service_model, services
    from asl_engine.resources.aws.optimised import OPTIMISED
    from asl_engine.resources.integrations import NATIVE, integration

    found = integration(resource)
    if found is None:
        return ""
    if not found.sdk:
        patterns = {**NATIVE, **{name: entry.patterns for name, entry in OPTIMISED.items()}}
        if found.name in patterns:
            there_are = ", ".join(patterns[found.name]) or "none"
            return f"; {found.name} has the patterns: {there_are}"
        return did_you_mean(found.name, patterns)
    service = services().get(found.service)
    if service is None:
        return did_you_mean(found.service, services())
    actions = [name[:1].lower() + name[1:] for name in service_model(service).operation_names]
    return did_you_mean(found.action, actions)


def _meant(arn: Arn) -> str:
    """What was probably meant, or what there is."""
    if arn.service == "lambda":
        near = did_you_mean(arn.kind, ("function",))
        if near and arn.name:
            return f"; did you mean '{function_arn(*arn.home, arn.name)}'?"
        return "; the ARN of a Lambda function is arn:aws:lambda:REGION:ACCOUNT:function:NAME"
    near = did_you_mean(arn.service, ("lambda", "states"))
    if near:
        return f": there is no service '{arn.service}'{near}"
    return (
        ": a Resource is a Lambda function (arn:aws:lambda:REGION:ACCOUNT:function:NAME), "
        "an activity or a service integration (arn:aws:states:::SERVICE:ACTION)"
    )


def missing_functions(definition: Json, callables: Callables, machine: str) -> Iterator[Finding]:
    """The Lambda functions that the project has no callable for, or none that can be called.

    ``machine`` is the name of the state machine, whose deployed functions are its tasks.
    """
    for task in tasks(definition):
        for place, name in _called(task):
            message = _problem(name, callables, machine)
            if message is not None:
                yield Finding(NO_CALLABLE, message, f"{task.location}/{place}")


def functions_called(definition: Json) -> Iterator[str | None]:
    """The functions that tasks call; None for one whose name is known only when it is called."""
    for task in tasks(definition):
        resource: str = task.source["Resource"]
        named = [name for _, name in _called(task)]
        yield from named
        if not named and (calls_function(resource) or "${" in resource):
            yield None


def _called(task: StateSource) -> Iterator[tuple[str, str]]:
    """The function that a task names, as far as it is known beforehand, and the field that names it."""
    resource: str = task.source["Resource"]
    name = function_name(resource)
    if name is not None and "${" not in name:
        yield "Resource", name
    if name is not None or not calls_function(resource):
        return
    field = "Arguments" if task.language == "JSONata" else "Parameters"
    given = task.source.get(field)
    named = given.get("FunctionName") if isinstance(given, dict) else None
    if isinstance(named, str) and "${" not in named and not named.startswith("{%"):
        found = function_name(named if is_arn(named) else function_arn("region", "account", named))
        if found is not None:
            yield f"{field}/FunctionName", found


def _problem(name: str, callables: Callables, machine: str) -> str | None:
    """Why a function cannot be called, None where it can."""
    if name in callables.functions:
        return None
    registry = callables.registry
    try:
        function = registry.find(name)
        if function is not None:
            accepts_context(function, name)
            return None
        if task_of(registry, name, machine) is not None:
            return None
        if name in callables.refused:
            return callables.refused[name].why
    except ProjectError as error:
        return str(error)
    from difflib import get_close_matches

    by_form = {canonical(known): known for known in (*registry, *callables.functions)}
    close = get_close_matches(canonical(name), by_form, n=1)
    hint = f"; did you mean {by_form[close[0]]!r}?" if close else ""
    return f"There is no task callable for the function {name!r}{hint}"
