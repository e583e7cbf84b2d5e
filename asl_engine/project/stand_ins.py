"""Stand-ins from Python: callables that answer tasks instead of what their Resource names.

The key of a callable names what it stands for.  Of several that fit a task, the closest counts: its state, then
the Lambda function that it calls (its ARN, NAME:ALIAS, NAME), then its Resource (the ARN, or what follows
``arn:aws:states:::``), with its pattern or without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import (
    Arn,
    FunctionReference,
    function_arn,
    function_name,
    function_reference,
    is_activity,
    qualified_arn,
    resource_names,
    waits_for_token,
)
from asl_engine.engine.stand_ins import StandIns
from asl_engine.errors import Parameter, ProjectError
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.language.tree import tasks
from asl_engine.payload import Payload
from asl_engine.resources.catalog import resolve
from asl_engine.resources.python.registry import Registry, accepts_context, canonical, where
from asl_engine.resources.python.tasks import python_resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.core.execution import OpenTask
    from asl_engine.core.machine import StateMachine
    from asl_engine.engine.run import Run
    from asl_engine.language.tree import StateSource
    from asl_engine.resources import Direct, Resource, TaskCall
    from asl_engine.resources.catalog import Catalog
    from asl_engine.resources.nested import Executions
    from asl_engine.resources.python.registry import TaskFunction

__all__ = [
    "CallableStandIns",
    "CalledTask",
    "Fallback",
    "called_tasks",
    "check_callables",
    "check_keys",
    "check_served",
    "closest",
]

INVOKE, START_EXECUTION = "lambda:invoke", "states:startExecution"
HTTP = ("http:invoke", "apigateway:invoke")
AWS = Parameter("aws", "True")
# What a message offers before AWS: those for whom that is not to be had put something else there.
OR_LAMBDA = ", or call AWS Lambda for them with "
OR_AWS = ", or allow calls of AWS and of HTTP APIs with "
INSTEAD = (", give stand-ins with ", Parameter("tasks"), OR_LAMBDA, AWS)


class CalledTask(NamedTuple):
    """What a task calls.

    ``function`` is the Lambda function, ``machine`` the ARN of the state machine that it calls; None for none.
    ``computed`` means that only the running task tells which one.
    """

    state: str
    resource: str
    function: FunctionReference | None = None
    machine: str | None = None
    computed: bool = False

    @property
    def integration(self) -> str:
        """The shortest name of the Resource, such as ``sqs:sendMessage``."""
        return resource_names(self.resource)[-1]


class Fallback(NamedTuple):
    """What serves the tasks without a stand-in.

    ``catalog`` has the resources, ``executions`` runs the state machines of the project.  ``aws`` says that AWS
    and HTTP APIs may be called.
    """

    catalog: Catalog
    executions: Executions | None = None
    aws: bool = False


# -- what the tasks of a machine call -----------------------------------------------------------------


def called_tasks(machine: StateMachine, home: tuple[str, str]) -> list[CalledTask]:
    """The tasks of a machine that runs in this region and account."""
    return [_written(task, home) for task in tasks(loads(machine.text))]


def _written(task: StateSource, home: tuple[str, str]) -> CalledTask:
    resource: str = task.source["Resource"]
    jsonata = task.language == "JSONata"
    return _called(task.name, resource, task.source.get("Arguments" if jsonata else "Parameters"), home)


def _called(state: str, resource: str, parameters: Any, home: tuple[str, str]) -> CalledTask:
    """``parameters`` are as they are written, or what they have come to."""
    task = CalledTask(state, resource)
    if function_name(resource) is not None:
        return task._replace(function=_located(resource, None, home))
    if task.integration == INVOKE:
        given, computed = _text_in(parameters, "FunctionName")
        qualifier, also_computed = _text_in(parameters, "Qualifier")
        if given is None or computed or also_computed:
            return task._replace(computed=computed or also_computed)
        return task._replace(function=_located(given, qualifier, home))
    if task.integration == START_EXECUTION:
        given, computed = _text_in(parameters, "StateMachineArn")
        return task._replace(machine=None if computed else given, computed=computed)
    return task


def _text_in(parameters: Any, name: str) -> tuple[str | None, bool]:
    """The text of a member, and whether it is still to be computed."""
    if not isinstance(parameters, dict):
        return None, isinstance(parameters, str)
    value = parameters.get(name)
    if f"{name}.$" in parameters or (isinstance(value, str) and value.startswith("{%")):
        return None, True
    return (value if isinstance(value, str) else None), False


def _located(given: str, qualifier: str | None, home: tuple[str, str]) -> FunctionReference | None:
    found = function_reference(given)
    if found is None:
        return None
    region, account = home
    return found._replace(
        qualifier=found.qualifier or qualifier or "",
        account=found.account or account,
        region=found.region or region,
    )


# -- which stand-in counts ----------------------------------------------------------------------------


def closest(given: Mapping[str, TaskFunction], task: CalledTask) -> tuple[str, bool] | None:
    """The key that counts for a task, and whether it stands for the Lambda function that the task calls.

    Raises ``ProjectError`` where two stand for that function alike.
    """
    of_function = None if task.function is None else _function_key(given, task.function)
    if task.state in given:
        return task.state, task.state == of_function
    if of_function is not None:
        return of_function, True
    name = next((name for name in resource_names(task.resource) if name in given), None)
    return None if name is None else (name, False)


def _function_key(given: Mapping[str, TaskFunction], called: FunctionReference) -> str | None:
    fitting: dict[str, tuple[bool, bool, bool]] = {}
    for key in given:
        named = function_reference(key)
        if named is not None and _fits(named, called):
            fitting[key] = (named.account != "", named.qualifier != "", named.name == called.name)
    best = max(fitting.values(), default=None)
    keys = [key for key, closeness in fitting.items() if closeness == best]
    if len(keys) > 1:
        listed = ", ".join(f"{key} ({where(given[key])})" for key in keys)
        raise ProjectError(
            f"tasks: the function {called.name!r} could be any of {listed}: name one of them {called.name!r}"
        )
    return keys[0] if keys else None


def _fits(named: FunctionReference, called: FunctionReference) -> bool:
    return (
        canonical(named.name) == canonical(called.name)
        and named.qualifier in {"", called.qualifier}
        and named.account in {"", called.account}
        and named.region in {"", called.region}
    )


def check_callables(given: Mapping[str, TaskFunction]) -> None:
    """Raises ``ProjectError`` for a key that is no name, and for what cannot be called as a task."""
    for key, function in given.items():
        if not isinstance(key, str):
            raise ProjectError(f"tasks: the key {key!r} is of type {type(key).__name__}: a key is a name")
        accepts_context(function, key)


def check_keys(given: Mapping[str, TaskFunction], calls: list[CalledTask], types: Mapping[str, str]) -> None:
    """Refuse a stand-in that no task would call: its key may be misspelt, and the real thing be called instead.

    ``types`` are those of the states by name.  Raises ``ProjectError``.
    """
    counting = {task: closest(given, task) for task in calls}
    used = {found[0] for found in counting.values() if found is not None}
    for key in given:
        if key not in used:
            _refuse_unused(key, given, counting, types)


def _refuse_unused(
    key: str,
    given: Mapping[str, TaskFunction],
    counting: Mapping[CalledTask, tuple[str, bool] | None],
    types: Mapping[str, str],
) -> None:
    alone = {key: given[key]}
    for task, found in counting.items():
        if found is not None and closest(alone, task) is not None:
            raise ProjectError(
                f"tasks: {found[0]!r} and {key!r} stand for the same task, {task.state}, and {found[0]!r} counts: "
                f"leave {key!r} out"
            )
    if types.get(key, "Task") != "Task":
        raise ProjectError(f"tasks: {key!r} is a {types[key]} state; only Task states have stand-ins")
    if function_reference(key) is not None and any(
        task.computed and task.integration == INVOKE for task in counting
    ):
        return  # whether it is called turns out when the name has been computed
    names = _names(counting)
    known = f" (there are {', '.join(map(repr, names))})" if names else ""
    raise ProjectError(
        f"tasks: the definition has no task, function or resource {key!r}{did_you_mean(key, names)}{known}"
    )


def _names(calls: Iterable[CalledTask]) -> list[str]:
    """What the tasks can be called, without ARNs."""
    found: dict[str, None] = {}
    for task in calls:
        found[task.state] = None
        if task.function is not None:
            found[task.function.name] = None
        if function_name(task.resource) is None:
            found[task.integration] = None
    return [*found]


# -- what serves the others ---------------------------------------------------------------------------


def check_served(calls: Iterable[CalledTask], fallback: Fallback) -> None:
    """Hold the tasks without a stand-in against what may serve them.

    Raises one ``ProjectError`` that lists every task which nothing may serve.
    """
    resources: list[str] = []
    problems: list[str] = []
    outside = False
    for task in calls:
        unanswerable = _unanswerable(task)
        problem = unanswerable or _outside(task, fallback)
        if problem is None:
            resources.append(_arn(task))
        else:
            problems.append(f"the state {task.state!r} {problem}")
            outside = outside or unanswerable is None
    parts: list[str | Parameter] = []
    if problems:
        lines = "\n".join(dict.fromkeys(problems))
        parts = [
            f"{lines}\nGive stand-ins with ",
            Parameter("tasks"),
            ", by the name of the state or of the resource",
        ]
        parts += [OR_AWS, AWS, "."] if outside else ["."]
    try:
        resolve(resources, fallback.catalog, INSTEAD)
    except ProjectError as error:
        parts += ["\n", *error.parts] if parts else error.parts
    if parts:
        raise ProjectError(*parts)


def _arn(task: CalledTask) -> str:
    """The ARN of the function that a task calls, or else its Resource."""
    if function_name(task.resource) is not None or task.function is None:
        return task.resource
    name, qualifier, account, region = task.function
    arn = function_arn(region, account, name)
    return qualified_arn(arn, qualifier) if qualifier else arn


def _unanswerable(task: CalledTask) -> str | None:
    if is_activity(task.resource):
        return f"waits for a worker of the activity {task.resource}, and here none can come"
    if waits_for_token(task.resource) and not (task.computed and task.integration == INVOKE):
        return f"waits for its task token ({task.resource}), and here nobody can send it back"
    return None


def _outside(task: CalledTask, fallback: Fallback) -> str | None:
    if fallback.aws or task.function is not None or task.integration == INVOKE:
        return None
    if task.integration == START_EXECUTION:
        here = fallback.executions
        if here is not None and (task.computed or (task.machine is not None and here.serves(task.machine))):
            return None
        which = (
            "" if task.machine is None else f" the state machine {task.machine}, which the project does not have,"
        )
        return f"would start{which} on AWS ({task.resource})"
    if task.integration in HTTP:
        return f"would send an HTTP request ({task.resource})"
    return f"would call AWS ({task.resource})"


# -- as an execution's tasks run ----------------------------------------------------------------------


class CallableStandIns(StandIns):
    """What serves the tasks of an execution, with callables before it."""

    def __init__(self, given: Mapping[str, TaskFunction], fallback: Fallback) -> None:
        super().__init__(fallback.catalog)
        self.given = given
        self.fallback = fallback
        self._known: dict[tuple[str, str], CalledTask] = {}  # those whose parameters do not say what they call
        self._answers: dict[CalledTask, Direct | None] = {}

    async def find(self, call: TaskCall) -> Resource | None:
        """Raises ``ProjectError`` for a task that has none and may not be called."""
        task = self.called(call)
        if task not in self._answers:
            found = closest(self.given, task)
            if found is None:
                check_served([task._replace(computed=False)], self.fallback)
            self._answers[task] = None if found is None else _answer(self.given[found[0]], task, found)
        return self._answers[task]

    def called(self, call: TaskCall) -> CalledTask:
        task = self._known.get((call.state, call.resource))
        if task is None:
            task = _called(call.state, call.resource, call.input.value, Arn.of(call.execution).home)
            if task.integration not in {INVOKE, START_EXECUTION}:
                self._known[call.state, call.resource] = task
        return task

    def covers(self, run: Run, task: OpenTask) -> bool:
        del run
        return closest(self.given, CalledTask(task.frame.state, task.resource)) is not None


def _answer(function: TaskFunction, task: CalledTask, found: tuple[str, bool]) -> Direct:
    key, of_function = found
    if task.function is None:
        return python_resource(function, key)
    if not of_function or function_name(task.resource) is not None:
        return python_resource(function, task.function.name)
    from asl_engine.resources.lambda_.invoke import lambda_integration

    registry = Registry()
    registry.add(task.function.name, function)
    invoke = lambda_integration(registry, None)
    return _payload_of(invoke) if waits_for_token(task.resource) else invoke


def _payload_of(invoke: Direct) -> Direct:
    """What the function returns is what comes back with the token, so it is waited for."""

    async def answer(call: TaskCall) -> Payload:
        parameters: Any = call.input.value
        awaited = {name: value for name, value in parameters.items() if name != "InvocationType"}
        answered: Any = (await invoke(call._replace(input=Payload(awaited)))).value
        return Payload(answered["Payload"])

    return answer
