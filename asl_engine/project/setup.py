"""An engine put together for one execution: what serves its tasks, as its options and its project say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import is_activity, is_of_states, starts_executions
from asl_engine.engine.clock import clock_of
from asl_engine.engine.run import observed_by
from asl_engine.errors import InvalidInput, Parameter, ProjectError
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.project.tasks import imported_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.gate import Gate
    from asl_engine.core.machine import StateMachine
    from asl_engine.engine.clock import Clock
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.host import StandIn, Tracing
    from asl_engine.engine.mocking import Mocking
    from asl_engine.engine.run import Run
    from asl_engine.project.configuration import Project
    from asl_engine.project.executions import ProjectExecutions
    from asl_engine.resources import Resource
    from asl_engine.resources.concurrency import Reserved
    from asl_engine.resources.http.connections import Connection
    from asl_engine.resources.lambda_.local import FunctionConfiguration, LocalFunction
    from asl_engine.resources.lambda_.service import LambdaService
    from asl_engine.resources.mocks.configuration import MockFile
    from asl_engine.resources.python.registry import Registry
    from asl_engine.resources.services import Services
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record
    from asl_engine.store.run_options import RunOptions

    Observer = Callable[[Run, list[Event]], None]

__all__ = [
    "Setup",
    "assemble",
    "function_settings",
    "project_tasks",
    "recorded_setup",
    "remote_lambda",
    "services_of",
    "set_up",
    "with_faults",
]


class Setup(NamedTuple):
    """What an engine needs to run one machine."""

    how: RunOptions
    project: Project
    machine: StateMachine
    resources: dict[str, Resource]
    name: str = ""
    nested: ProjectExecutions | None = None
    registry: Registry | None = None
    tracing: Tracing | None = None

    def engine(self, store: Store, since: int = 0, observer: Observer | None = None) -> Engine:
        """An engine for it.  ``since`` is the time, in milliseconds, that the log has reached."""
        mocking = self.mocking(store)
        resources: Mapping[str, Resource] = self.resources if mocking is None else mocking
        if self.tracing is not None:
            self.tracing.store = store
            resources = self.tracing.resources(resources)
            observer = observed_by(self.tracing.observe, observer)
        engine = assemble(
            store,
            resources,
            self.how,
            self.project,
            since=since,
            observer=observer,
            stand_in=None if mocking is None else mocking.stand_in,
            activities=filter(is_activity, self.machine.resources),
        )
        if self.nested is not None:
            self.nested.engine = engine
        return engine

    def mocking(self, store: Store) -> Mocking | None:
        """The stand-ins of the test case that is to be run, None where there is none."""
        if self.how.mock is None:
            return None
        from asl_engine.engine.mocking import Mocking

        file, case = mock_file(self.how.mock)
        return Mocking(self.resources, store, file, (self.name, case))


def assemble(
    store: Store,
    resources: Mapping[str, Resource],
    how: RunOptions,
    project: Project,
    *,
    since: int = 0,
    observer: Observer | None = None,
    stand_in: StandIn | None = None,
    activities: Iterable[str] = (),
    s3: bool = True,
    clock: Clock | None = None,
    await_outside: bool = True,
    gate: Gate | None = None,
) -> Engine:
    """An engine for one execution, as its options and its project say.

    ``since`` is the time, in milliseconds, that the log has reached.  ``stand_in`` answers the tasks of
    ``activities``, by ARN: nobody else could.  ``s3``: buckets without a folder may be read and written in S3.
    ``clock`` comes before the one of the options; ``await_outside`` and ``gate`` are the engine's.
    """
    from asl_engine.engine.engine import Engine

    faulting = None
    if how.faults:
        from asl_engine.engine.faulting import Faulting

        faulting = Faulting(resources, stand_in)
        resources, stand_in = faulting, faulting.stand_in
    engine = Engine(
        store,
        resources,
        clock=clock_of(how.time, since) if clock is None else clock,
        limits=how.limits,
        region=project.region,
        account=project.account,
        observer=observer,
        stand_in=stand_in,
        buckets=project.buckets,
        s3=s3,
        await_outside=await_outside,
        gate=gate,
    )
    engine.activities.know(activities)
    if faulting is not None:
        faulting.host = engine
    return engine


def with_faults(how: RunOptions, faults: Sequence[str], seed: int | None, machine: StateMachine) -> RunOptions:
    """The options with these faults, checked against the machine, and with a seed where one is needed.

    Raises ``InvalidInput``.
    """
    if not faults:
        if seed is not None:
            raise InvalidInput(
                Parameter("seed"), " decides which faults happen: it goes with ", Parameter("fault")
            )
        return how
    from asl_engine.engine.faults import check_faults, needs_seed, parse_fault

    parsed = [parse_fault(text) for text in faults]
    check_faults(parsed, {name: state.type for name, state in machine.states.items()})
    if seed is None and needs_seed(parsed):
        from random import SystemRandom

        seed = SystemRandom().randrange(MOST_SEEDS)
    return how._replace(faults=tuple(faults), seed=seed)


MOST_SEEDS = 1_000_000  # a seed is typed again by hand

SDK_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_DISABLE_HOST_PREFIX_INJECTION",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    }
)

# What else can be done where task callables are missing.
USE_LAMBDA = (", or pass `", Parameter("lambda"), "` to call AWS Lambda for them")


def absolute_mock(given: str) -> str:
    """``FILE#CASE`` with the file's absolute path.  Raises ``InvalidInput``."""
    file, mark, case = given.rpartition("#")
    if not mark or not file or not case:
        raise InvalidInput(
            Parameter("mock", given), ": it is FILE#CASE, a mock configuration and one of its test cases"
        )
    return f"{Path(file).absolute()}#{case}"


def mock_file(mock: str) -> tuple[MockFile, str]:
    """The file and the test case of an ``absolute_mock``."""
    from asl_engine.resources.mocks.configuration import MockFile

    path, _, case = mock.rpartition("#")
    return MockFile(Path(path)), case


def set_up(how: RunOptions, project: Project, machine: StateMachine, name: str = "") -> Setup:
    """Find what serves every task that is not mocked; ``name`` is the machine's.

    Raises ``ProjectError`` for tasks that cannot be loaded, and for one that lists all that are missing.
    """
    from asl_engine.resources.catalog import Catalog, resolve

    registry = project_tasks(project)
    services = None
    if project.has_functions or any(map(is_of_states, machine.resources)):
        services = services_of(how, project, sdk_region=True)
        if how.mock is None and (services.connections or services.functions):
            _check_services(services, machine)
    nested = None
    if services is not None and any(map(starts_executions, machine.resources)):
        from asl_engine.project.executions import ProjectExecutions

        nested = ProjectExecutions(how, project)
        services = services._replace(executions=nested)
    remote = remote_lambda(how, project)
    resources = resolve(
        _unmocked(how, machine, name), Catalog(registry, remote, services, machine=name), USE_LAMBDA
    )
    if nested is not None:  # what the machines need that its tasks start is found when they need it
        resources = Catalog(registry, remote, services)
    return Setup(how, project, machine, resources, name, nested, registry)


def _check_services(services: Services, machine: StateMachine) -> None:
    """Raises ``ProjectError`` for what the machine names and the project configures, but not so that it works.

    That is a connection that lacks a variable, or a function that cannot be started.
    """
    from asl_engine.json_text import loads
    from asl_engine.project.checking import functions_called
    from asl_engine.resources.http.connections import unset_in
    from asl_engine.resources.lambda_.local import not_startable

    definition = loads(machine.text)
    problems = [*unset_in(services.connections, definition)]
    for name in functions_called(definition):
        function = services.functions.get(name or "")
        if function is not None and (problem := not_startable(function.function)) is not None:
            problems.append(problem)
    if problems:
        raise ProjectError("\n".join(dict.fromkeys(problems)))


def project_tasks(project: Project) -> Registry:
    """The project's callables, which run where the project says.  Raises ``ProjectError``."""
    from asl_engine.resources.python.isolation import isolation_of

    registry = imported_tasks(project)
    registry.isolation = isolation_of(project.tasks, project.root, project.isolation, project.max_deaths)
    registry.reserved = reserved_of(project)
    return registry


def reserved_of(project: Project) -> Reserved:
    """How many calls of the project's functions run at a time."""
    from asl_engine.resources.concurrency import Reserved

    sized = project.sizing.items()
    return Reserved(project.root, {name: one.concurrency for name, one in sized if one.concurrency is not None})


def _unmocked(how: RunOptions, machine: StateMachine, name: str) -> Iterable[str]:
    """The resources of the states that no test case answers for.

    Raises ``ProjectError`` for a test case that there is not, or that mocks what the machine does not have.
    """
    if how.mock is None:
        return machine.resources
    file, case = mock_file(how.mock)
    mocks = file.read()
    mocks.check(name, case, {state: compiled.type for state, compiled in machine.states.items()})
    mocked = mocks.states(name, case)
    named = ((state, getattr(machine.states[state], "resource", None)) for state in machine.states)
    used = {resource for state, resource in named if resource is not None and state not in mocked}
    return [resource for resource in machine.resources if resource in used]


def services_of(
    how: RunOptions,
    project: Project,
    *,
    sdk_region: bool = False,
    emulated: Mapping[str, str] | None = None,
    hear: Callable[[str, str], None] | None = None,
) -> Services:
    """What tasks can call, where the command, the environment and the project say.

    ``sdk_region``: in the region that the AWS SDK is configured with, if it is.  ``emulated`` are the URLs of
    services that are emulated; where there are any, the functions that the project configures find all services as
    the declared ones do.  ``hear`` takes the name of a function and each line that it writes; None: those go to
    our stderr.  Raises ``InvalidInput``.
    """
    from asl_engine.resources.aws.clients import AwsClients, Connecting
    from asl_engine.resources.endpoints import endpoints
    from asl_engine.resources.services import Services

    urls = endpoints(how.endpoints, os.environ, project.endpoints, str(project.source))
    urls = {**(emulated or {}), **urls}
    connections: dict[str, Connection] = {}
    if project.connections:
        from asl_engine.resources.http.connections import read_connections

        connections = read_connections(project.connections, os.environ, str(project.source))
    functions: dict[str, LocalFunction] = {}
    if project.functions or project.declared:
        from asl_engine.resources.lambda_.local import LocalFunction

        settings = function_settings(how, project, emulated)
        functions = {name: LocalFunction(*given, hear) for name, given in settings.items()}
    clients = AwsClients(Connecting(urls, sdk_region))
    return Services(clients, connections=connections, functions=functions, refused={**project.refused})


def function_settings(
    how: RunOptions, project: Project, emulated: Mapping[str, str] | None = None
) -> dict[str, tuple[FunctionConfiguration, Mapping[str, str]]]:
    """The functions that are configured or declared, by name, and the variables by which they find services.

    ``emulated`` is as for ``services_of``.
    """
    from asl_engine.resources.endpoints import endpoints
    from asl_engine.resources.lambda_.local import NO_VARIABLES, read_functions

    urls = {**(emulated or {}), **endpoints(how.endpoints, os.environ, project.endpoints, str(project.source))}
    configured = read_functions(project.functions, project.root, str(project.source))
    connecting = _connecting(urls)
    return {
        **{
            name: (_sized(function, project), NO_VARIABLES if emulated is None else connecting)
            for name, function in configured.items()
        },
        **{name: (_sized(one, project), connecting) for name, one in project.declared.items()},
    }


MEMORY_SIZE = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"


def _sized(function: FunctionConfiguration, project: Project) -> FunctionConfiguration:
    """The function with its reserved concurrency; it knows its memory as from Lambda."""
    sizing = project.sizing.get(function.name)
    if sizing is None:
        return function
    memory = {} if sizing.memory is None else {MEMORY_SIZE: str(sizing.memory)}
    slots = reserved_of(project).slots(function.name)
    return function._replace(environment={**memory, **function.environment}, slots=slots)


def _connecting(urls: Mapping[str, str]) -> dict[str, str]:
    """The variables by which the AWS SDK of a declared function finds services and credentials, as tasks do."""
    from asl_engine.resources.endpoints import ENDPOINT_URL, endpoint_variable

    own = {
        name: text for name, text in os.environ.items() if name in SDK_VARIABLES or name.startswith(ENDPOINT_URL)
    }
    return own | {endpoint_variable(service): url for service, url in urls.items()}


def remote_lambda(how: RunOptions, project: Project) -> LambdaService | None:
    """AWS Lambda, where the command, the environment or the project says that it is to be called."""
    endpoint = how.endpoint or os.environ.get("LAMBDA_ENDPOINT") or project.lambda_endpoint
    if not (how.use_lambda or endpoint or project.use_lambda):
        return None
    from asl_engine.resources.lambda_.service import lambda_resource

    # A region is only needed to sign what a local endpoint does not check.
    located = "AWS_REGION" in os.environ or "AWS_DEFAULT_REGION" in os.environ
    return lambda_resource(endpoint, project.region if endpoint and not located else None)


async def recorded_setup(store: Store, record: Record) -> Setup:
    """The setup of an execution that is in the store, with the definition it was started with.

    The tasks are those of the project of its definition's file, or where that is gone, of the current
    directory.  An execution of a server has no such file: its functions may be any template's of the project.
    """
    from asl_engine.project.definitions import project_with_templates, recorded_project
    from asl_engine.project.inputs import is_there
    from asl_engine.project.lookup import project_of

    how = record.options
    start = how.definition if is_there(how.definition) else Path.cwd()
    if how.definition == Path():
        project = project_with_templates(project_of(start))
    else:
        project = recorded_project(how.definition, how.substituted, project_of(start))
    text, name = await store.definition(record.definition), record.identity.name
    machine = load(text, f"the definition of {name}", NO_LIMITS)  # it has been accepted once
    return set_up(how, project, machine, record.identity.machine_name)
