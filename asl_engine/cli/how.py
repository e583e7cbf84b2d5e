"""How an execution was asked to run, and everything that follows from it.

It is stored with the execution, so that ``asl resume`` needs to be told nothing.
"""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.definition import load
from asl_engine.errors import InvalidInput
from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits, from_option, overridden, parse_limits, to_option
from asl_engine.timing import REAL, clock_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from asl_engine.cli.nested import ProjectExecutions
    from asl_engine.clock import Clock
    from asl_engine.engine import Engine, Run
    from asl_engine.events import Event
    from asl_engine.jsontypes import Json
    from asl_engine.machine import StateMachine
    from asl_engine.project import Project
    from asl_engine.resources import Resource
    from asl_engine.resources.connections import Connection
    from asl_engine.resources.lambda_ import LambdaService
    from asl_engine.resources.local_functions import LocalFunction
    from asl_engine.resources.mock_config import MockFile
    from asl_engine.resources.services import Services
    from asl_engine.store import Record, Store

    Observer = Callable[[Run, list[Event]], None]

__all__ = ["How", "Setup", "limits_of", "recorded_setup", "remote_lambda", "services_of", "set_up"]


class How(NamedTuple):
    """``definition`` is the absolute path of its file; ``endpoint`` is Lambda's URL, None for the AWS SDK's own.

    ``time`` is one of the texts of ``--time``; ``endpoints`` are those of other services, as ``--endpoint`` takes
    them; ``mock`` is FILE#CASE.
    """

    definition: Path
    use_lambda: bool = False
    endpoint: str | None = None
    time: str = REAL
    limits: Limits = AWS_LIMITS
    endpoints: tuple[str, ...] = ()
    mock: str | None = None

    def to_options(self) -> dict[str, Json]:
        return {
            "definition_path": str(self.definition),
            "lambda": self.use_lambda,
            "lambda_endpoint": self.endpoint,
            "time": self.time,
            "limits": to_option(self.limits),
            **({"mock": self.mock} if self.mock else {}),
            **({"endpoints": [*self.endpoints]} if self.endpoints else {}),
        }

    @classmethod
    def from_options(cls, options: dict[str, Json]) -> How:
        """Executions that something else than this command has started may lack any option."""
        path, endpoint = options.get("definition_path"), options.get("lambda_endpoint")
        endpoints, time = options.get("endpoints"), options.get("time")
        mock = options.get("mock")
        return cls(
            definition=Path(path if isinstance(path, str) else ""),
            use_lambda=options.get("lambda") is True,
            endpoint=endpoint if isinstance(endpoint, str) else None,
            time=time if isinstance(time, str) else REAL,
            limits=from_option(options.get("limits")),
            endpoints=tuple(map(str, endpoints)) if isinstance(endpoints, list) else (),
            mock=mock if isinstance(mock, str) else None,
        )

    def clock(self, since: int = 0) -> Clock:
        """Not before ``since`` (milliseconds): where time is not this machine's, the log may be ahead of it."""
        return clock_of(self.time, since)


def limits_of(project: Project, given: Iterable[str] = (), *, aws_limits: bool = True) -> Limits:
    """AWS's, unless the project says otherwise, unless the command does.  Raises ``InvalidInput``."""
    base = overridden(AWS_LIMITS, project.limits, f"{project.source}: limits: ") if aws_limits else NO_LIMITS
    return parse_limits(given, base)


class Setup(NamedTuple):
    """What an engine needs to run one machine."""

    how: How
    project: Project
    machine: StateMachine
    resources: dict[str, Resource]
    name: str = ""
    nested: ProjectExecutions | None = None

    def engine(self, store: Store, since: int = 0, observer: Observer | None = None) -> Engine:
        """An engine for it.  ``since`` is the time, in milliseconds, that the log has reached."""
        from asl_engine.engine import Engine

        mocking = None
        if self.how.mock is not None:
            from asl_engine.mocking import Mocking

            file, case = mock_file(self.how.mock)
            mocking = Mocking(self.resources, store, file, (self.name, case))
        engine = Engine(
            store,
            self.resources if mocking is None else mocking,
            clock=self.how.clock(since),
            limits=self.how.limits,
            region=self.project.region,
            account=self.project.account,
            observer=observer,
            stand_in=None if mocking is None else mocking.stand_in,
        )
        if self.nested is not None:
            self.nested.engine = engine
        return engine


def absolute_mock(given: str) -> str:
    """``FILE#CASE`` with the file's absolute path.  Raises ``InvalidInput``."""
    file, mark, case = given.rpartition("#")
    if not mark or not file or not case:
        raise InvalidInput(f"--mock {given}: it is FILE#CASE, a mock configuration and one of its test cases")
    return f"{Path(file).absolute()}#{case}"


def mock_file(mock: str) -> tuple[MockFile, str]:
    """The file and the test case of an ``absolute_mock``."""
    from asl_engine.resources.mock_config import MockFile

    path, _, case = mock.rpartition("#")
    return MockFile(Path(path)), case


def set_up(how: How, project: Project, machine: StateMachine, name: str = "") -> Setup:
    """Find what serves every task that is not mocked; ``name`` is the machine's.

    Raises ``ProjectError`` for tasks that cannot be loaded, and for one that lists all that are missing.
    """
    from asl_engine.resources.catalog import Catalog
    from asl_engine.resources.loading import load_tasks
    from asl_engine.resources.resolve import resolve

    with redirect_stdout(sys.stderr):  # the output is ours alone: what tasks print goes elsewhere
        registry = load_tasks(*project.tasks, root=project.root)
    services = None
    if project.functions or any(":states:" in resource for resource in machine.resources):
        services = services_of(how, project, sdk_region=True)
    nested = None
    if services is not None and any("states:startExecution" in resource for resource in machine.resources):
        from asl_engine.cli.nested import ProjectExecutions

        nested = ProjectExecutions(how, project)
        services = services._replace(executions=nested)
    catalog = Catalog(registry, remote_lambda(how, project), services)
    resources = resolve(_unmocked(how, machine, name), catalog)
    # What the machines need that its tasks start is found when they need it.
    return Setup(how, project, machine, resources if nested is None else catalog, name, nested)


def _unmocked(how: How, machine: StateMachine, name: str) -> Iterable[str]:
    """The resources of the states that no test case answers for.  Raises ``ProjectError`` for a bad one."""
    if how.mock is None:
        return machine.resources
    file, case = mock_file(how.mock)
    mocked = file.read().states(name, case)
    named = ((state, getattr(machine.states[state], "resource", None)) for state in machine.states)
    used = {resource for state, resource in named if resource is not None and state not in mocked}
    return [resource for resource in machine.resources if resource in used]


def services_of(how: How, project: Project, *, sdk_region: bool = False) -> Services:
    """What tasks can call, where the command, the environment and the project say.

    ``sdk_region``: in the region that the AWS SDK is configured with, if it is.  Raises ``InvalidInput``.
    """
    from asl_engine.resources.aws.clients import AwsClients, Connecting
    from asl_engine.resources.endpoints import endpoints
    from asl_engine.resources.services import Services

    urls = endpoints(how.endpoints, os.environ, project.endpoints)
    connections: dict[str, Connection] = {}
    if project.connections:
        from asl_engine.resources.connections import read_connections

        connections = read_connections(project.connections, os.environ, str(project.source))
    functions: dict[str, LocalFunction] = {}
    if project.functions:
        from asl_engine.resources.local_functions import LocalFunction, read_functions

        configured = read_functions(project.functions, project.root, str(project.source))
        functions = {name: LocalFunction(function) for name, function in configured.items()}
    clients = AwsClients(Connecting(urls, sdk_region))
    return Services(clients, connections=connections, functions=functions)


def remote_lambda(how: How, project: Project) -> LambdaService | None:
    """AWS Lambda, where the command, the environment or the project says that it is to be called."""
    endpoint = how.endpoint or os.environ.get("LAMBDA_ENDPOINT") or project.lambda_endpoint
    if not (how.use_lambda or endpoint or project.use_lambda):
        return None
    from asl_engine.resources.lambda_ import lambda_resource

    # A region is only needed to sign what a local endpoint does not check.
    located = "AWS_REGION" in os.environ or "AWS_DEFAULT_REGION" in os.environ
    return lambda_resource(endpoint, project.region if endpoint and not located else None)


async def recorded_setup(store: Store, record: Record) -> Setup:
    """The setup of an execution that is in the store, with the definition it was started with.

    The tasks are those of the project of its definition's file, or where that is gone, of the current
    directory.
    """
    from asl_engine.cli.lookup import project_of

    how = How.from_options(record.options)
    start = how.definition if how.definition.is_file() else Path.cwd()
    text, name = await store.definition(record.definition), record.identity.name
    machine = load(text, f"the definition of {name}", NO_LIMITS)  # it has been accepted once
    return set_up(how, project_of(start), machine, record.identity.machine_name)
