"""What it takes to start an execution: everything that can be refused is refused before anything is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import execution_arn, function_name, invokes_function
from asl_engine.engine.clock import checked_time
from asl_engine.errors import DefinitionError, ExecutionAlreadyExists, InvalidInput, Parameter, ProjectError
from asl_engine.findings import Finding
from asl_engine.json_values import canonical_text
from asl_engine.language.document import located
from asl_engine.project.checking import load_definition
from asl_engine.project.definitions import NOTHING, Substituting, read_machine
from asl_engine.project.inputs import STDIN, checked_name, read_input
from asl_engine.project.limits import limits_of
from asl_engine.project.lookup import database, load_execution, project_of
from asl_engine.project.setup import Setup, absolute_mock, set_up, with_faults
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.errors import AslError
    from asl_engine.language.document import DefinitionSource
    from asl_engine.payload import Payload
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["RunRequest", "Start", "check_same", "prepare"]


class RunRequest(NamedTuple):
    """The command's arguments, as they were given.

    ``project`` is the folder of the project, where that is not the definition's own.
    """

    definition: str
    input: str | None = None
    name: str | None = None
    db: str | None = None
    time: str = "real"
    detach: bool = False
    use_lambda: bool = False
    lambda_endpoint: str | None = None
    json: bool = False
    quiet: bool = False
    limits: Sequence[str] = ()
    aws_limits: bool = True
    substituting: Substituting = NOTHING
    endpoints: tuple[str, ...] = ()
    mock: str | None = None
    faults: tuple[str, ...] = ()
    seed: int | None = None
    project: str | None = None
    log_format: str | None = None
    traces: bool = False


class Start(NamedTuple):
    """An execution that may be started."""

    setup: Setup
    machine_name: str
    name: str
    input: Payload

    @property
    def arn(self) -> str:
        project = self.setup.project
        return execution_arn(project.region, project.account, self.machine_name, self.name)

    async def begin(self, engine: Engine) -> Run:
        how = self.setup.how
        return await engine.start(self.setup.machine, self.machine_name, self.input, self.name, how)


def prepare(request: RunRequest) -> Start:
    """Read and check everything.  Raises ``AslError``."""
    checked_time(request.time)
    _check_stdin(request)
    project = project_of(Path(request.project or request.definition).absolute())
    limits = limits_of(project, request.limits, aws_limits=request.aws_limits)
    name = None if request.name is None else checked_name(request.name, limits)
    given = read_machine(request.definition, request.substituting, project, local=True)
    project, source = given.project, given.source
    how = RunOptions(
        definition=given.reference,
        use_lambda=request.use_lambda,
        endpoint=request.lambda_endpoint,
        time=request.time,
        limits=limits,
        endpoints=request.endpoints,
        mock=None if request.mock is None else absolute_mock(request.mock),
        substituted=given.values,
    )
    machine = load_definition(source, limits)
    how = with_faults(how, request.faults, request.seed, machine)
    _check_endpoints(request)
    payload = read_input(request.input, how.limits)
    if request.db is not None:
        project = project._replace(db=database(request.db))
    try:
        setup = set_up(how, project, machine, given.name)
    except ProjectError as error:
        raise _placed(error, source) from None
    _check_functions(setup, source)
    return Start(setup, given.name, name or _new_name(), payload)


def _placed(error: ProjectError, source: DefinitionSource) -> AslError:
    """The error, with the lines of the definition that it is about.

    Tasks are set up by their resources; only the definition knows where those are.
    """
    from asl_engine.json_text import loads
    from asl_engine.language.tree import tasks
    from asl_engine.project.checking import unknown_integrations, unsupported_resources

    document = loads(source.text)
    found = [*unsupported_resources(document), *unknown_integrations(document)]
    if wrong := [one for one in found if (one.location or "").endswith("/Resource")]:
        return DefinitionError(located(source, wrong), source.name)
    about = str(error)
    named = [task for task in tasks(document) if _is_about(task.source["Resource"], about)]
    at = located(source, [Finding("", "", f"{task.location}/Resource") for task in named])
    places = [f"\n  {source.name}:{one.line}:{one.column}: {one.location}" for one in at]
    return ProjectError(*error.parts, *(["\nnamed at:", *places] if places else ()))


def _is_about(resource: str, message: str) -> bool:
    """Whether a message names a Resource, or the function that it is."""
    return resource in message or f"the function {function_name(resource)!r}" in message


def _check_functions(setup: Setup, source: DefinitionSource) -> None:
    """Raises ``DefinitionError`` for functions that lambda:invoke tasks name and that nothing serves.

    What is not a task's Resource is not looked for when the tasks are set up.
    """
    how, project = setup.how, setup.project
    if how.mock is not None or not any(map(invokes_function, setup.machine.resources)):
        return
    from asl_engine.json_text import loads
    from asl_engine.project.checking import callables_of, functions_are_remote, missing_functions

    if functions_are_remote(project, asked=how.use_lambda or how.endpoint is not None):
        return
    missing = [*missing_functions(loads(source.text), callables_of(project), setup.name)]
    if missing:
        raise DefinitionError(located(source, missing), source.name)


def _check_endpoints(request: RunRequest) -> None:
    """Raises ``InvalidInput`` for a URL that is none: whether a task comes to call it is another matter."""
    url = request.lambda_endpoint
    if url is not None and not url.startswith(("http://", "https://")):
        raise InvalidInput(
            Parameter("lambda_endpoint", url), ": it has to be a URL, such as http://localhost:3001"
        )
    if request.endpoints:
        from asl_engine.resources.endpoints import endpoints

        endpoints(request.endpoints)


def _check_stdin(request: RunRequest) -> None:
    if request.definition != STDIN:
        return
    if request.input == STDIN:
        raise InvalidInput("standard input can be read only once: give - for the definition or for --input")
    if request.detach:
        raise InvalidInput("--detach: the new process reads the definition again: it has to be a file, not -")


def _new_name() -> str:
    from uuid import uuid4

    return str(uuid4())


async def check_same(store: SqliteStore, record: Record, start: Start) -> None:
    """Raises ``ExecutionAlreadyExists`` unless the execution runs, with this definition and input."""
    who = record.identity
    if record.status != "RUNNING":
        raise ExecutionAlreadyExists(
            f"the execution {who.name} of {who.machine_name} exists and has ended ({record.status}): "
            "choose another --name"
        )
    execution = await load_execution(store, record)
    other = None
    if record.definition != start.setup.machine.digest:
        other = "definition"
    elif execution.input is None or canonical_text(execution.input.value) != canonical_text(start.input.value):
        other = "input"
    if other is not None:
        raise ExecutionAlreadyExists(
            f"the execution {who.name} of {who.machine_name} is running with another {other}: "
            "choose another --name"
        )
