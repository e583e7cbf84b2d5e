"""State machines from Python: one call that runs one to its end, for scripts and for tests.

The command line keeps what it runs; this keeps nothing unless it is told where.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import uuid4

import anyio

from asl_engine.arn import function_name
from asl_engine.engine.clock import checked_time
from asl_engine.errors import DefinitionError, InvalidInput, ProjectError
from asl_engine.findings import did_you_mean
from asl_engine.json_text import dumps, loads
from asl_engine.json_values import MISSING
from asl_engine.language.document import check_source, read_source
from asl_engine.limits import AWS_LIMITS, utf8_length
from asl_engine.payload import Payload
from asl_engine.project.configuration import Project, find_project
from asl_engine.project.inputs import checked_name, machine_name, read_text
from asl_engine.project.limits import overridden
from asl_engine.project.options import How, limits_of
from asl_engine.project.setup import assemble
from asl_engine.projections.descriptions import history_event
from asl_engine.projections.history import project as project_history
from asl_engine.projections.moments import iso
from asl_engine.resources.catalog import Catalog, resolve
from asl_engine.resources.python.loading import load_tasks
from asl_engine.resources.python.registry import Registry, canonical
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.core.execution import Status
    from asl_engine.core.machine import StateMachine
    from asl_engine.findings import Finding
    from asl_engine.json_values import Json, Missing
    from asl_engine.language.document import DefinitionSource
    from asl_engine.limits import Limits
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.resources import Resource
    from asl_engine.store.protocol import Store

    Definition: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]

__all__ = ["Result", "run", "validate"]

UNNAMED = "StateMachine"  # the name of a machine that no file gives one
UNNAMED_SOURCE = "definition"


class Result(NamedTuple):
    """How an execution ended.

    ``output`` is a JSON value, None unless ``status`` is SUCCEEDED; ``error`` and ``cause`` are those of one
    that has FAILED, each None where there is none.  ``history`` has the shape of GetExecutionHistory's
    events, with ``timestamp`` as ISO 8601 text, as the AWS CLI prints it.
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
    project: str | os.PathLike[str] | None = None,
    name: str | None = None,
    db: str | os.PathLike[str] | None = None,
    time: str = "skip",
    aws_limits: bool | Mapping[str, int | None] = True,
    substitutions: Mapping[str, str] | None = None,
) -> Result:
    """Run a state machine to its end.

    ``definition`` is the path of its file (JSON or YAML), its JSON text (which begins with a brace), or the
    parsed object; ``substitutions`` are values for its ``${Name}`` placeholders, beside the project's;
    ``input`` is any JSON value, ``{}`` without one.  ``tasks`` has callables, sync or async, by the name of
    the Lambda function that each stands for.  For all others the callables of the ``project`` (a folder;
    by default the definition's own) are used.  AWS is never called.

    The execution is forgotten when this returns, unless ``db`` names a database to keep it in.  With
    ``time="skip"`` nothing waits: waits and retry intervals pass at once; "real" and "scale=0.1" are the others.
    ``aws_limits`` switches all limits off with False, or sets some otherwise by their names, None for off.

    Not for use where an event loop runs: there, ``await asyncio.to_thread(run, ...)``.

    Raises ``DefinitionError``, ``InvalidInput``, ``ProjectError`` (a task that nothing serves, or that
    the definition does not call), ``ExecutionAlreadyExists`` and ``StoreError``: all of them ``AslError``.
    """
    checked_time(time)
    source = _read(definition, substitutions or {}, project)
    home = source.project
    limits = _limits(home, aws_limits)
    how = How(definition=source.path or Path(), time=time, limits=limits)
    machine = _load(source, limits)
    start = _Start(
        machine=machine,
        machine_name=UNNAMED if source.path is None else machine_name(str(source.path)),
        resources=_resources(machine, tasks or {}, home),
        input=_payload({} if input is MISSING else input, how),
        name=str(uuid4()) if name is None else checked_name(name, limits),
        how=how,
        project=home,
        db=None if db is None else Path(db).absolute(),
    )
    return anyio.run(_run, start)


def _limits(project: Project, given: bool | Mapping[str, int | None]) -> Limits:
    if isinstance(given, bool):
        return limits_of(project, aws_limits=given)
    return overridden(limits_of(project), given, "aws_limits: ")


class _Start(NamedTuple):
    """An execution that may be started."""

    machine: StateMachine
    machine_name: str
    resources: dict[str, Resource]
    input: Payload
    name: str
    how: How
    project: Project
    db: Path | None


async def _run(start: _Start) -> Result:
    store: Store = MemoryStore() if start.db is None else await SqliteStore.open(start.db, create=True)
    engine = assemble(store, start.resources, start.how, start.project)
    try:
        async with engine:
            running = await engine.start(
                start.machine, start.machine_name, start.input, start.name, start.how.to_options()
            )
            ended = await running.wait()
        events = await store.events(running.arn)
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
    """Everything that is wrong with a definition, given as to ``run``; empty where it is sound.

    Raises ``AslError`` where its file cannot be read.
    """
    return _checked(_read(definition, substitutions or {}, None))[1]


class _Source(NamedTuple):
    """A definition that was read.  ``path`` is that of its file.

    ``ours`` says that the text was made here, so that nobody has a line of it to look at.
    """

    read: DefinitionSource
    project: Project
    path: Path | None = None
    ours: bool = False


def _read(definition: Definition, values: Mapping[str, str], project: str | os.PathLike[str] | None) -> _Source:
    if isinstance(definition, str) and definition.lstrip().startswith("{"):
        return _Source(read_source(definition, UNNAMED_SOURCE, values), _project(None, project))
    if isinstance(definition, str | os.PathLike):
        name = os.fspath(definition)
        path = Path(name).absolute()
        home = _project(path, project)
        read = read_source(read_text(name, "the definition"), name, {**home.substitutions, **values})
        return _Source(read, home, path)
    text = _json_text(dict(definition), "the definition")
    return _Source(read_source(text, UNNAMED_SOURCE, values), _project(None, project), ours=True)


def _project(path: Path | None, given: str | os.PathLike[str] | None) -> Project:
    start = path if given is None else Path(given)
    return Project(Path(), (), Path()) if start is None else find_project(start, {})


def _load(source: _Source, limits: Limits) -> StateMachine:
    machine, findings = _checked(source, limits)
    if machine is None:
        raise DefinitionError([finding for finding in findings if finding.severity == "ERROR"], source.read.name)
    return machine


def _checked(source: _Source, limits: Limits = AWS_LIMITS) -> tuple[StateMachine | None, list[Finding]]:
    machine, findings = check_source(source.read, limits)
    return machine, [finding._replace(line=None, column=None) for finding in findings] if source.ours else findings


def _json_text(value: Json, what: str) -> str:
    try:
        return dumps(value)
    except (TypeError, ValueError) as error:  # a set, a NaN, a value that contains itself
        raise InvalidInput(f"{what} is not JSON: {error}") from None


def _payload(value: Json, how: How) -> Payload:
    text = _json_text(value, "the input")
    size = utf8_length(text)
    if how.limits.payload_bytes is not None and size > how.limits.payload_bytes:
        raise InvalidInput(
            f"the input has {size:,} bytes; AWS allows {how.limits.payload_bytes:,} (256 KiB): "
            "pass a reference to the data instead, or aws_limits=False"
        )
    return Payload(loads(text), text)  # what the caller does to the value later changes nothing


def _resources(
    machine: StateMachine, given: Mapping[str, Callable[..., Any]], project: Project
) -> dict[str, Resource]:
    registry = Registry()
    for name, function in given.items():
        registry.add(name, function)
    functions = [name for name in map(function_name, machine.resources) if name is not None]
    _refuse_unused(given, functions)
    if any(registry.find(name) is None for name in functions):
        registry = _with_those_of(project, registry)
    return resolve(machine.resources, Catalog(registry))


def _refuse_unused(given: Mapping[str, Callable[..., Any]], functions: list[str]) -> None:
    """A stand-in whose name is misspelt, or hidden by another, must not let the real task be called."""
    for name in given:
        others = [
            function for function in functions if function != name and canonical(function) == canonical(name)
        ]
        if name in functions or any(function not in given for function in others):
            continue
        if others:
            raise ProjectError(f"tasks: {name!r} and {others[0]!r} stand for the same function: leave one out")
        raise ProjectError(f"tasks: the definition calls no function {name!r}{did_you_mean(name, functions)}")


def _with_those_of(project: Project, given: Registry) -> Registry:
    """The project's callables, except where one is given."""
    own = load_tasks(*project.tasks, root=project.root)
    replaced = {canonical(name) for name in given}
    together = Registry(own.places)
    for registry, names in ((own, [name for name in own if canonical(name) not in replaced]), (given, given)):
        for name in names:
            function = registry.find(name)
            assert function is not None, f"{name} comes from the registry"  # noqa: S101  for the type checker
            together.add(name, function)
    return together
