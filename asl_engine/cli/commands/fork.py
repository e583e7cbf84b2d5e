"""``asl fork``: go on with a copy of an execution from one of its states, edited or not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from asl_engine.arn import Arn
from asl_engine.cli import options
from asl_engine.cli.lookup import find_one, parent_of
from asl_engine.cli.output import err
from asl_engine.cli.report import report, report_interruption
from asl_engine.cli.signals import AT_ONCE, Interrupted, Signals, at_the_wheel, drive, progress_for
from asl_engine.engine.clock import checked_time, clock_of
from asl_engine.engine.effects import local_identity
from asl_engine.errors import ExecutionAlreadyExists, InvalidInput, Parameter
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.lab.forking import Departure, ForkPoint, forked_log, keep, name_of_fork, stem_of_forks, told_choice
from asl_engine.lab.whereabouts import failed_at
from asl_engine.project.checking import load_definition
from asl_engine.project.definitions import Substituting, read_machine
from asl_engine.project.inputs import checked_name, read_input
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.project.setup import absolute_mock, recorded_setup, set_up
from asl_engine.states.compiling import variable_fault

if TYPE_CHECKING:
    from asl_engine.cli.progress import Progress
    from asl_engine.core import events as ev
    from asl_engine.core.execution import Execution
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.json_values import Json
    from asl_engine.limits import Limits
    from asl_engine.project.setup import Setup
    from asl_engine.store.records import Record
    from asl_engine.store.run_options import RunOptions
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["ForkOptions", "command"]


class ForkOptions(NamedTuple):
    """What ``asl fork`` is asked for: the origin, where to leave it, and what is edited.

    ``how`` has members of RunOptions, None for what stays as it was for the origin.
    """

    origin: str
    point: ForkPoint | None
    input: str | None
    variables: str | None
    definition: str | None
    substituting: Substituting
    name: str | None
    how: dict[str, Any]


def command(
    *,
    execution: options.Execution,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="STATE", help="The state to begin with. Default: where the execution has failed"
        ),
    ] = None,
    iteration: Annotated[
        int | None, typer.Option("--iteration", metavar="N", help="In this iteration of a Map, counted from 0.")
    ] = None,
    branch: Annotated[
        int | None, typer.Option("--branch", metavar="N", help="In this branch of a Parallel, counted from 0.")
    ] = None,
    visit: Annotated[
        int | None,
        typer.Option("--visit", metavar="N", help="The N-th time that the state was entered. Default: the last"),
    ] = None,
    failed_only: Annotated[
        bool, typer.Option("--failed-only", help="Keep all that has succeeded: only what failed is done again.")
    ] = False,
    given: Annotated[
        str | None,
        typer.Option("--input", "-i", metavar="FILE|-|JSON", help="Another input for the state. Default: its own"),
    ] = None,
    variables: Annotated[
        str | None,
        typer.Option("--variables", metavar="JSON", help="Variables to set before the state is entered."),
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option("--definition", metavar="FILE", help="Go on with this definition. Default: the recorded one"),
    ] = None,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The fork's name. Default: the origin's, numbered")
    ] = None,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="real|skip|scale=N", help="How time passes. Default: as for the origin"),
    ] = None,
    use_lambda: options.Lambda = False,
    lambda_endpoint: options.LambdaEndpoint = None,
    endpoint: options.Endpoints = None,
    mock: options.Mock = None,
    db: options.Db = None,
    json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Go on with a copy of an execution from one of its states, with another input or definition if you like."""
    if at is None and any(one is not None for one in (iteration, branch, visit, given, variables)):
        raise InvalidInput(
            "--iteration, --branch, --visit, --input and --variables are about a state: name it with --at"
        )
    if at is not None and failed_only:
        raise InvalidInput("--failed-only begins where the execution has failed: leave --at out")
    point = None if at is None else ForkPoint(at, iteration, branch, visit)
    substituting = Substituting(tuple(substitute or ()), substitutions)
    request = ForkOptions(
        origin=execution,
        point=point,
        input=given,
        variables=variables,
        definition=definition,
        substituting=substituting,
        name=name,
        how={
            "time": time,
            "use_lambda": use_lambda or None,
            "endpoint": lambda_endpoint,
            "endpoints": tuple(endpoint) if endpoint else None,
            "mock": None if mock is None else absolute_mock(mock),
        },
    )
    if time is not None:
        checked_time(time)
    return asyncio.run(_fork(database(db), request, as_json=json, quiet=quiet))


async def _fork(db: Path, request: ForkOptions, *, as_json: bool, quiet: bool) -> int:
    with at_the_wheel(AT_ONCE) as signals:
        async with opened(db) as store:
            origin = await find_one(store, request.origin)
            if origin.identity.map_run is not None:
                raise InvalidInput(
                    f"{origin.identity.name} belongs to a Map Run: "
                    f"fork the execution that started it, {await parent_of(store, origin)}"
                )
            setup = await _setup(store, origin, request)
            recorded = await store.events(origin.identity.arn)
            record = await _forked(store, origin, recorded, setup, request)
            name = record.identity.name
            if not quiet:
                err(f"{name} is a fork of {origin.identity.name}")
                choice = None if request.point is None else told_choice(recorded, request.point)
                if choice is not None:
                    err(choice)
            try:
                execution = await _go_on(store, setup, record, signals, progress_for(quiet=quiet or as_json))
                place = await failed_at(store, execution)
            except Interrupted as interrupted:
                report_interruption(name, db)
                return interrupted.exit_code
    return report(execution, db, as_json=as_json, quiet=quiet, place=place, registry=setup.registry)


async def _setup(store: SqliteStore, origin: Record, request: ForkOptions) -> Setup:
    """What serves the fork's tasks.  Raises ``AslError`` where the definition or the project is wrong."""
    given = {name: value for name, value in request.how.items() if value is not None}
    how = origin.options.detached()._replace(**given)
    if request.definition is None:
        return await recorded_setup(store, origin._replace(options=how))
    return _edited(request.definition, request.substituting, how, origin.identity.machine_name)


def _edited(definition: str, substituting: Substituting, how: RunOptions, machine_name: str) -> Setup:
    given = read_machine(definition, substituting, project_of(Path(definition).absolute()), local=True)
    how = how._replace(definition=given.reference, substituted=given.values)
    return set_up(how, given.project, load_definition(given.source, how.limits), machine_name)


async def _forked(
    store: SqliteStore, origin: Record, recorded: list[ev.Event], setup: Setup, request: ForkOptions
) -> Record:
    """The fork, which is in the store and has not gone on yet."""
    who, limits = origin.identity, setup.how.limits
    given = None if request.name is None else checked_name(request.name, limits)
    data = None if request.input is None else read_input(request.input, limits)
    wanted = Departure(request.point, data, _variables(request.variables, limits))
    now = clock_of(setup.how.time, recorded[-1].at).now()
    events = forked_log(wanted, who, recorded, setup.machine, at=now, limits=limits)
    arn = Arn.of(who.arn)
    while True:
        name = given or name_of_fork(who.name, await _taken(store, who.name))
        identity = local_identity(arn.region, arn.account, who.machine_name, name, now)
        try:
            return await keep(store, setup.how, setup.machine, events, identity)
        except ExecutionAlreadyExists:
            if given is not None:
                raise InvalidInput(
                    Parameter("name", given), f": {who.machine_name} has an execution of that name already"
                ) from None


async def _taken(store: SqliteStore, origin: str) -> list[str]:
    return [record.identity.name for record in await store.find(stem_of_forks(origin))]


def _variables(given: str | None, limits: Limits) -> dict[str, Json] | None:
    """Raises ``InvalidInput`` for a text that is no JSON object, and for a name that no variable can have."""
    if given is None:
        return None
    try:
        values = loads(given)
    except JsonSyntaxError as error:
        raise InvalidInput(Parameter("variables", given), f": it is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise InvalidInput(Parameter("variables", given), ": it has to be an object of names and values")
    for name in values:
        fault = variable_fault(name, limits.name_length)
        if fault is not None:
            raise InvalidInput(Parameter("variables", given), f": {fault}")
    return values


async def _go_on(
    store: SqliteStore, setup: Setup, record: Record, signals: Signals, progress: Progress | None
) -> Execution:
    async def begin(engine: Engine) -> Run:
        return await engine.resume(setup.machine, record)

    return await drive(store, setup, begin, signals, since=record.identity.started_at, progress=progress)
