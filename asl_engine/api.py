"""State machines from Python: one call that runs one to its end, for scripts and for tests.

The command line keeps what it runs; this keeps nothing unless it is told where.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import uuid4

import anyio

from asl_engine.arn import is_activity, is_of_states
from asl_engine.engine.clock import SKIP, checked_time
from asl_engine.errors import AslError, DefinitionError, InvalidInput, Parameter
from asl_engine.json_text import dumps, loads
from asl_engine.json_values import MISSING
from asl_engine.language.document import read_source
from asl_engine.limits import AWS_LIMITS, utf8_length
from asl_engine.payload import Payload
from asl_engine.project.arguments import (
    check_folder,
    check_limits,
    check_path,
    check_placeholders,
    check_substitutes,
    check_switch,
    check_text,
    check_texts,
)
from asl_engine.project.checking import check_definition
from asl_engine.project.configuration import Project, find_project
from asl_engine.project.definitions import Substituting, pseudo_parameters, read_machine
from asl_engine.project.executions import ProjectExecutions
from asl_engine.project.inputs import checked_name
from asl_engine.project.limits import limits_of, overridden
from asl_engine.project.setup import assemble, project_tasks, remote_lambda, services_of, with_faults
from asl_engine.project.stand_ins import (
    CallableStandIns,
    CalledTask,
    Fallback,
    called_tasks,
    check_callables,
    check_keys,
    check_served,
    closest,
)
from asl_engine.projections.descriptions import history_event
from asl_engine.projections.history import project as project_history
from asl_engine.projections.moments import iso
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.python.registry import Registry
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from asl_engine.core.execution import Status
    from asl_engine.core.machine import StateMachine
    from asl_engine.findings import Finding
    from asl_engine.json_values import Json, Missing
    from asl_engine.language.document import DefinitionSource
    from asl_engine.limits import Limits
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.store.protocol import Store

    Definition: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]

__all__ = ["Prepared", "Result", "Served", "arun", "is_loop_running", "prepared", "run", "validate"]

UNNAMED = "StateMachine"  # the name of a machine that no file gives one
UNNAMED_SOURCE = "definition"
NO_PROJECT = Project(Path(), (), Path())  # that of a definition without a file

# Who hears of what was run, such as a report of what tests cover: each is given the store, which is closed then,
# and the ARN of the execution.
LISTENERS: list[Callable[[Store, str], Awaitable[None]]] = []


class Result(NamedTuple):
    """How an execution ended.

    ``output`` is a JSON value, None unless ``status`` is SUCCEEDED.  ``error`` and ``cause`` are those of a
    failure; each is None where there is none.  ``history`` has the shape of GetExecutionHistory's events, with
    ``timestamp`` as ISO 8601 text, as the AWS CLI prints it.
    """

    status: Status
    output: Any
    error: str | None
    cause: str | None
    history: list[HistoryEvent]
    name: str
    arn: str


def run(
    definition: Definition,
    input: Json | Missing = MISSING,  # noqa: A002  StartExecution's own term
    *,
    tasks: Mapping[str, Callable[..., Any]] | None = None,
    aws: bool = False,
    project: str | os.PathLike[str] | None = None,
    name: str | None = None,
    db: str | os.PathLike[str] | None = None,
    time: str = "skip",
    aws_limits: bool | Mapping[str, int | None] = True,
    substitutions: Mapping[str, str] | None = None,
    faults: Sequence[str] = (),
    seed: int = 0,
) -> Result:
    """Run a state machine to its end.

    ``definition`` is the path of its file (JSON or YAML), its JSON text (which begins with a brace), or the
    parsed object; ``"template.yaml#Order"`` is a state machine that a template declares, whose functions run as it
    declares them.  ``substitutions`` are values for its ``${Name}`` placeholders, beside the project's;
    ``input`` is any JSON value, ``{}`` without one.

    ``tasks`` has stand-ins: callables, sync or async, each by the name of what it stands for.  That is a Task
    state (``"ProcessPayment"``), a Lambda function (``"validateOrder"``, ``"validateOrder:live"`` or its ARN),
    or a Resource (``"sqs:sendMessage"``, ``"sqs:sendMessage.waitForTaskToken"`` or the ARN; an activity's ARN or
    name).  The closest counts, in this order.  The callables of the ``project`` (a folder; by default the
    definition's own) serve the other functions, and its ``statemachines`` are started by tasks that name them.
    Nothing else is called, neither AWS nor an HTTP API, unless ``aws`` allows it.

    The execution is forgotten when this returns, unless ``db`` names a database to keep it in.  With
    ``time="skip"`` nothing waits: waits and retry intervals pass at once; "real" and "scale=0.1" are the others.
    ``faults`` let tasks go wrong, each as the command line takes them: ``"ProcessPayment:PaymentError@2"`` fails
    the second call of that state's task.  Which calls a percentage hits follows from ``seed``.
    ``aws_limits`` switches all limits off with False, or sets some otherwise by their names, None for off.

    Raises ``DefinitionError``, ``InvalidInput``, ``ProjectError`` (a task that nothing serves, or a stand-in that
    the definition does not call), ``ExecutionAlreadyExists`` and ``StoreError``: all of them ``AslError``.  Raises
    ``RuntimeError`` where an event loop is running: ``arun`` is for there.  An argument of another type than the
    signature's is a ``TypeError``, which names it.
    """
    if is_loop_running():
        raise RuntimeError(
            "asl_engine.run() has an event loop of its own and cannot be called where one is running, in a "
            "coroutine or a notebook: write `await asl_engine.arun(...)` there, with the same arguments"
        )
    start = prepared(
        definition,
        input,
        tasks=tasks,
        aws=aws,
        project=project,
        name=name,
        db=db,
        time=time,
        aws_limits=aws_limits,
        substitutions=substitutions,
        faults=faults,
        seed=seed,
    )
    return anyio.run(_run, start)


async def arun(
    definition: Definition,
    input: Json | Missing = MISSING,  # noqa: A002  StartExecution's own term
    *,
    tasks: Mapping[str, Callable[..., Any]] | None = None,
    aws: bool = False,
    project: str | os.PathLike[str] | None = None,
    name: str | None = None,
    db: str | os.PathLike[str] | None = None,
    time: str = "skip",
    aws_limits: bool | Mapping[str, int | None] = True,
    substitutions: Mapping[str, str] | None = None,
    faults: Sequence[str] = (),
    seed: int = 0,
) -> Result:
    """Run a state machine to its end, as ``run`` does, on the event loop that is running.

    The loop has to be asyncio's.  Several executions may run on it at a time.  One whose ``arun`` is cancelled
    stays where its last event has left it; with ``db``, ``asl resume`` goes on with it.
    """
    start = prepared(
        definition,
        input,
        tasks=tasks,
        aws=aws,
        project=project,
        name=name,
        db=db,
        time=time,
        aws_limits=aws_limits,
        substitutions=substitutions,
        faults=faults,
        seed=seed,
    )
    return await _run(start)


def is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _by_nobody(_machine: StateMachine, _task: CalledTask) -> bool:
    return False


def prepared(
    definition: Definition,
    given_input: Json | Missing,
    *,
    tasks: Mapping[str, Callable[..., Any]] | None,
    aws: bool = False,
    project: str | os.PathLike[str] | None = None,
    name: str | None = None,
    db: str | os.PathLike[str] | None = None,
    time: str = SKIP,
    aws_limits: bool | Mapping[str, int | None] = True,
    substitutions: Mapping[str, str] | None = None,
    faults: Sequence[str] = (),
    seed: int = 0,
    answered: Callable[[StateMachine, CalledTask], bool] = _by_nobody,
) -> Prepared:
    """Check everything before anything is stored.

    ``answered`` says of a machine's task without a stand-in that the caller sees to it.
    """
    check_switch("aws", aws)
    check_limits("aws_limits", aws_limits)
    check_text("time", time)
    if name is not None:
        check_text("name", name)
    if db is not None:
        check_path("db", db)
    checked_time(time)
    source = _read(definition, substitutions, project)
    home = source.project
    limits = _limits(home, aws_limits)
    how = RunOptions(
        definition=source.path or Path(), use_lambda=aws, time=time, limits=limits, substituted=source.values
    )
    machine = _load(source, limits)
    how = with_faults(how, check_texts("faults", faults), seed if faults else None, machine)
    return Prepared(
        machine=machine,
        machine_name=source.name,
        served=_served(machine, tasks or {}, home, how, answered),
        input=_payload({} if given_input is MISSING else given_input, how),
        name=str(uuid4()) if name is None else checked_name(name, limits),
        how=how,
        project=home,
        db=None if db is None else Path(db).absolute(),
    )


def _limits(project: Project, given: bool | Mapping[str, int | None]) -> Limits:
    if isinstance(given, bool):
        return limits_of(project, aws_limits=given)
    return overridden(limits_of(project), given, "aws_limits: ")


class Served(NamedTuple):
    """What serves the tasks; ``activities`` are those that somebody works for, ``nested`` runs other machines."""

    stand_ins: CallableStandIns
    activities: list[str]
    nested: ProjectExecutions | None


class Prepared(NamedTuple):
    """An execution that may be started."""

    machine: StateMachine
    machine_name: str
    served: Served
    input: Payload
    name: str
    how: RunOptions
    project: Project
    db: Path | None


async def _store(db: Path | None) -> Store:
    """Where the execution is kept.  The database is imported where there is one: tests run without."""
    if db is None:
        return MemoryStore()
    from asl_engine.store.sqlite.store import SqliteStore

    return await SqliteStore.open(db, create=True)


async def _run(start: Prepared) -> Result:
    store = await _store(start.db)
    stand_ins, activities, nested = start.served
    engine = assemble(
        store,
        stand_ins,
        start.how,
        start.project,
        stand_in=stand_ins.stand_in,
        activities=activities,
        s3=start.how.use_lambda,
    )
    if nested is not None:
        nested.engine = engine
    try:
        async with engine:
            running = await engine.start(start.machine, start.machine_name, start.input, start.name, start.how)
            ended = await running.wait()
        events = await store.events(running.arn)
        for listener in LISTENERS:
            await listener(store, running.arn)
    finally:
        await store.close()
    return Result(
        status=ended.status,
        output=None if ended.output is None else ended.output.value,
        error=ended.error,
        cause=ended.cause,
        history=[history_event(event, iso) for event in project_history(ended.identity, events)],
        name=start.name,
        arn=running.arn,
    )


def validate(definition: Definition, substitutions: Mapping[str, str] | None = None) -> list[Finding]:
    """Return everything that is wrong with a definition, which is given as to ``run``; nothing for a sound one.

    Raises ``AslError`` for a file that cannot be read.
    """
    return _checked(_read(definition, substitutions, None))[1]


class _Source(NamedTuple):
    """A definition that was read.  ``path`` is that of its file, or FILE#MACHINE; ``values`` fill its template.

    ``ours`` says that its text was made here, so that the lines in it mean nothing to the caller.
    """

    read: DefinitionSource
    project: Project
    path: Path | None = None
    ours: bool = False
    name: str = UNNAMED
    values: Mapping[str, str] = {}


def _read(
    definition: Definition, substitutions: Mapping[str, str] | None, project: str | os.PathLike[str] | None
) -> _Source:
    values = {} if substitutions is None else substitutions
    check_substitutes("substitutions", values)
    if project is not None:
        check_folder("project", project)
    is_text = isinstance(definition, str) and definition.lstrip().startswith("{")
    if isinstance(definition, str | os.PathLike) and not is_text:
        name = os.fspath(definition)
        home = _project(Path(name).absolute(), project)
        given = Substituting(tuple(f"{key}={value}" for key, value in values.items()))
        try:
            machine = read_machine(name, given, home, local=True)
        except InvalidInput as error:
            raise InvalidInput(*map(_worded, error.parts)) from None
        return _Source(
            machine.source, machine.project, machine.reference, name=machine.name, values=machine.values
        )
    home = _project(None, project)
    text = definition if isinstance(definition, str) else _json_text(_as_dict(definition), "the definition")
    return _Source(_filled(text, UNNAMED_SOURCE, home, values), home, ours=not is_text)


def _worded(part: str | Parameter) -> str | Parameter:
    """A part of a message, with this function's argument for one value of the command line's."""
    return "substitutions" if isinstance(part, Parameter) and part.name == "substitute" else part


def _filled(text: str, name: str, home: Project, values: Mapping[str, str]) -> DefinitionSource:
    check_placeholders("substitutions", values, text)
    return read_source(text, name, {**pseudo_parameters(home), **home.substitutions, **values})


def _as_dict(definition: object) -> dict[str, Any]:
    """The parsed object.  Raises ``InvalidInput`` for what is none."""
    if isinstance(definition, Mapping):
        return dict(definition)
    raise InvalidInput(
        f"the definition is of type {type(definition).__name__}: give a path, JSON text or the parsed object"
    )


def _project(path: Path | None, given: str | os.PathLike[str] | None) -> Project:
    start = path if given is None else Path(given)
    return NO_PROJECT if start is None else find_project(start, {})


def _load(source: _Source, limits: Limits) -> StateMachine:
    machine, findings = _checked(source, limits)
    if machine is None:
        raise DefinitionError([finding for finding in findings if finding.severity == "ERROR"], source.read.name)
    return machine


def _checked(source: _Source, limits: Limits = AWS_LIMITS) -> tuple[StateMachine | None, list[Finding]]:
    machine, findings = check_definition(source.read, limits)
    return machine, [finding._replace(line=None, column=None) for finding in findings] if source.ours else findings


def _json_text(value: Json, what: str) -> str:
    try:
        return dumps(value)
    except (TypeError, ValueError) as error:  # a set, a NaN, a value that contains itself
        raise InvalidInput(f"{what} is not JSON: {error}") from None


def _payload(value: Json, how: RunOptions) -> Payload:
    text = _json_text(value, "the input")
    size = utf8_length(text)
    if how.limits.payload_bytes is not None and size > how.limits.payload_bytes:
        raise InvalidInput(
            f"the input has {size:,} bytes; AWS allows {how.limits.payload_bytes:,} (256 KiB): "
            "pass a reference to the data instead, or aws_limits=False"
        )
    return Payload(loads(text), text)  # what the caller does to the value later changes nothing


def _served(
    machine: StateMachine,
    given: Mapping[str, Callable[..., Any]],
    project: Project,
    how: RunOptions,
    answered: Callable[[StateMachine, CalledTask], bool],
) -> Served:
    """What serves the tasks of a machine, and of those that they start.  Raises ``ProjectError``."""
    if not isinstance(given, Mapping):
        raise InvalidInput(f"tasks is of type {type(given).__name__}: give a mapping from names to callables")
    check_callables(given)
    nested = None if project is NO_PROJECT else ProjectExecutions(how, project)
    machines = {machine.digest: machine}
    calls: list[CalledTask] = []
    left: list[CalledTask] = []
    unread = [machine]
    while unread:
        one = unread.pop(0)
        found = called_tasks(one, (project.region, project.account))
        unanswered = [task for task in found if closest(given, task) is None and not answered(one, task)]
        calls += found
        left += unanswered
        started = (task.machine for task in unanswered if task.machine is not None)
        for other in [] if nested is None else _started(started, nested):
            if other.digest not in machines:
                machines[other.digest] = other
                unread.append(other)
    check_keys(
        given, calls, {name: state.type for each in machines.values() for name, state in each.states.items()}
    )
    fallback = Fallback(_catalog(left, project, how, nested), nested, how.use_lambda)
    check_served(left, fallback)
    activities = [task.resource for task in calls if is_activity(task.resource)]
    return Served(CallableStandIns(given, fallback), activities, nested)


def _started(machines: Iterable[str], nested: ProjectExecutions) -> Iterator[StateMachine]:
    """The machines of the project among these; one that is refused fails the task that starts it."""
    for arn in machines:
        with suppress(AslError):
            machine = nested.machine(arn)
            if machine is not None:
                yield machine


def _catalog(
    left: list[CalledTask], project: Project, how: RunOptions, nested: ProjectExecutions | None
) -> Catalog:
    """What serves the tasks without a stand-in.  The project's tasks are only imported where they are needed."""
    services = None
    if project.has_functions or any(is_of_states(task.resource) for task in left):
        reachable = project if how.use_lambda else project._replace(connections={})
        services = services_of(how, reachable, sdk_region=True)._replace(executions=nested)
    calls_functions = any(task.function is not None or task.computed for task in left)
    registry = project_tasks(project) if calls_functions else Registry()
    remote = remote_lambda(how, project) if how.use_lambda and calls_functions else None
    return Catalog(registry, remote, services)
