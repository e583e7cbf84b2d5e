"""What changes something: the operations of the API, and forks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import execution_arn
from asl_engine.console.refusals import ConsoleError
from asl_engine.console.shown import EXPRESS, OF_A_MAP_RUN
from asl_engine.errors import ExecutionAlreadyExists
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.lab.forking import (
    Departure,
    ForkPoint,
    forked_log,
    keep,
    name_of_fork,
    stem_of_forks,
    told_choice,
)
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload
from asl_engine.server.definitions import checked_definition
from asl_engine.server.protocol.request import checked_name
from asl_engine.states.compiling import variable_fault
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from asl_engine.console.asked import Asked
    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json
    from asl_engine.store.records import Record

__all__ = ["fork", "operation"]

MAX_TRIES: Final = 20


async def operation(asked: Asked) -> dict[str, Any]:
    """An operation of the API, as an SDK would call it."""
    return await asked.perform(asked.http.path_params["name"], asked.body)


async def fork(asked: Asked) -> dict[str, Any]:
    """Go on with a copy of an execution from one of its states; the server drives it at once."""
    service = asked.service
    origin = await service.execution(asked.api, asked.given("arn"))
    who = origin.identity
    if who.map_run is not None or who.type == "EXPRESS":
        raise ConsoleError(400, "NotForkable", OF_A_MAP_RUN if who.map_run is not None else EXPRESS)
    point = _point(asked)
    machine = await _machine(asked, origin)
    options = await _options(asked, origin)
    recorded = await service.store.events(who.arn)
    wanted = Departure(point, _input(asked), _variables(asked))
    now = service.engine.clock.now()
    service.check_capacity()
    events = forked_log(wanted, who, recorded, machine, at=now, limits=options.limits)
    service.keep(machine)
    record = await _kept(asked, origin, machine, options, events)
    driven = await service.driven(record)
    note = None if point is None else told_choice(recorded, point)
    if driven is None:
        note = "It is kept, but this server cannot go on with it: it says why. `asl resume` may"
    return {"arn": record.identity.arn, "name": record.identity.name, "note": note}


def _point(asked: Asked) -> ForkPoint | None:
    """Raises ``ConsoleError`` where something is said of a state that is not named."""
    state = asked.optional_given("state")
    where = {name: asked.given_number(name) for name in ("iteration", "branch", "visit")}
    if state is not None:
        return ForkPoint(state, **where)
    edited = [name for name in (*where, "input", "variables") if asked.body.get(name) is not None]
    if edited:
        raise ConsoleError(
            400, "InvalidRequest", f"{', '.join(edited)}: this is about a state", "Name the state to begin with."
        )
    return None


async def _machine(asked: Asked, origin: Record) -> StateMachine:
    """What the fork runs.  Raises InvalidDefinition."""
    text = asked.optional_given("definition")
    if text is None:
        return await asked.service.compiled(origin.definition)
    return await checked_definition(text, "STANDARD", asked.service.engine.limits)


async def _options(asked: Asked, origin: Record) -> RunOptions:
    """Those of an execution of this server, whoever has started the origin.

    What a server has started belongs to its state machine, and goes with it: so a fork of what `asl run` has run
    is none of a server's where there is no such machine.
    """
    service = asked.service
    if origin.options.served:
        return origin.options._replace(started_by=None)
    there = await service.store.machines.get(origin.identity.machine_arn) is not None
    return RunOptions(limits=service.engine.limits, served=there)


def _input(asked: Asked) -> Payload | None:
    text = asked.optional_given("input")
    if text is None:
        return None
    most = asked.service.engine.limits.payload_bytes
    if most is not None and utf8_length(text) > most:
        raise ConsoleError(400, "InvalidRequest", f"The input has more than {most:,} bytes")
    return Payload(_json(text, "input"), text)


def _json(text: str, what: str) -> Json:
    try:
        return loads(text)
    except JsonSyntaxError as error:
        raise ConsoleError(400, "InvalidRequest", f"The {what} is not JSON: {error}") from None


def _variables(asked: Asked) -> dict[str, Json] | None:
    text = asked.optional_given("variables")
    if text is None:
        return None
    values = _json(text, "variables")
    if not isinstance(values, dict):
        raise ConsoleError(400, "InvalidRequest", "The variables have to be an object of names and values")
    for name in values:
        fault = variable_fault(name, asked.service.engine.limits.name_length)
        if fault is not None:
            raise ConsoleError(400, "InvalidRequest", f"The variables: {fault}")
    return values


async def _kept(
    asked: Asked, origin: Record, machine: StateMachine, options: RunOptions, events: list[Event]
) -> Record:
    """The fork, on disk.  Raises ``ExecutionAlreadyExists``."""
    store, who = asked.service.store, origin.identity
    given = asked.optional_given("name")
    if given is not None:
        checked_name(given, asked.service.engine.limits.name_length)
    for _ in range(MAX_TRIES):
        taken = [record.identity.name for record in await store.find(stem_of_forks(who.name))]
        name = given or name_of_fork(who.name, taken)
        arn = execution_arn(*asked.desk.caller, who.machine_name, name)
        identity = who._replace(arn=arn, name=name, started_at=asked.service.engine.clock.now())
        try:
            return await keep(store, options, machine, events, identity)
        except ExecutionAlreadyExists:
            if given is not None:
                raise
    raise ConsoleError(409, "ExecutionAlreadyExists", "Others are forking it, too", "Give the fork a name.")
