"""A debugging session: one execution at a time, as it goes on, and as it was.

Whoever has a user interface asks here.  A session stands at a *view*: where the execution stands now, or one of
the places that its log goes through.  Going on from a place in the past walks along the log; going on from there
with other data, or because somebody wants to, is a fork: a new execution, with its origin's history up to there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import Arn
from asl_engine.debugging.breakpoints import Breakpoints, ErrorStops
from asl_engine.debugging.gate import Goal, Stop, is_caught
from asl_engine.debugging.held_clock import HeldClock
from asl_engine.debugging.places import (
    FreshStart,
    Standpoint,
    Thread,
    View,
    chain,
    kind_of,
    leaves,
    recorded_places,
    somewhere,
)
from asl_engine.debugging.questions import compile_question, context_of
from asl_engine.debugging.reading import ExecutionReader
from asl_engine.engine.effects import local_identity
from asl_engine.errors import ExecutionAlreadyExists, InvalidInput
from asl_engine.json_text import loads
from asl_engine.json_values import MISSING
from asl_engine.lab.forking import Departure, keep, log_forked_at, name_of_fork, stem_of_forks
from asl_engine.language.tree import all_states
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution, Identity
    from asl_engine.debugging.gate import Motion
    from asl_engine.debugging.given import GivenAnswer
    from asl_engine.debugging.world import World
    from asl_engine.json_values import Json
    from asl_engine.project.setup import Setup
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record

__all__ = ["Session"]


class Session:
    """Debugs executions of the machine of ``setup``; ``told`` is called with the messages of log points.

    Every method raises ``AslError`` for what cannot be done.
    """

    def __init__(self, store: Store, setup: Setup, log: Callable[[str], None]) -> None:
        self._states = {state.name: state for state in all_states(loads(setup.machine.text))}
        self.store = store
        self.setup = setup
        self.breakpoints = Breakpoints({name: state.language for name, state in self._states.items()})
        self.errors = ErrorStops()
        self.answers: dict[str, GivenAnswer] = {}
        self.clock = HeldClock(setup.how.time)
        self.stop = Stop("entry")
        self.beginning: FreshStart | None = None
        self.told = log
        self._world: World | None = None
        self._identity: Identity | None = None
        self._place: Standpoint | None = None  # where it is looked at; None: where it stands
        self._focus: Standpoint | None = None  # where it stands
        self._input: Payload | None = None  # edits of the past, which a fork will have
        self._variables: dict[str, Json] | None = None
        self._reader = ExecutionReader(store, setup.machine)

    # -- beginning and leaving ------------------------------------------------------------------------------

    async def start(self, beginning: FreshStart, *, stop_on_entry: bool = True) -> Stop:
        """Start an execution; it stands before its first state, or goes on to where it stops."""
        self.beginning = beginning
        for one in self.breakpoints.all.values():
            one.hits = 0
        world = await self._enter()
        world.stop(Stop("entry"))
        run = await world.start(*beginning)
        self._identity = run.execution.identity
        await self._stopped()
        return self.stop if stop_on_entry else await self._go("continue", again=True)

    async def attach(self, record: Record) -> Stop:
        """Look at an execution that is in the store, and go on with it where it has not ended.

        Raises ``ExecutionBusy`` where a process drives it.
        """
        self._identity = record.identity
        if record.status == "RUNNING":
            if record.identity.map_run is not None:
                raise InvalidInput(
                    f"{record.identity.name} belongs to a Map Run: debug the execution that started it"
                )
            return await self._take_up(record, "entry")
        self.stop = Stop("ended")
        return self.stop

    async def restart(self, *, stop_on_entry: bool = True) -> Stop:
        """Abort the execution, where it has not ended, and begin another one with the same input."""
        if self.beginning is None:
            execution = await self._standing()
            if execution.input is None:
                raise InvalidInput("there is nothing to restart")
            who = execution.identity
            self.beginning = FreshStart(who.machine_name, who.name, execution.input)
        await self.abort()
        await self._exit()
        stem = self.beginning.name
        for number in range(2, 10_000):
            self.beginning = self.beginning._replace(name=f"{stem[:70]}-{number}")
            try:
                return await self.start(self.beginning, stop_on_entry=stop_on_entry)
            except ExecutionAlreadyExists:
                await self._exit()
        raise InvalidInput(f"there are too many executions whose names begin with {stem}")

    async def abort(self) -> None:
        if self._world is not None:
            await self._world.abort()

    async def leave(self) -> None:
        """Leave the execution as it is: where it has not ended, it can be resumed."""
        await self._exit()

    @property
    def name(self) -> str | None:
        """The execution's name, None before it has begun."""
        return None if self._identity is None else self._identity.name

    @property
    def identity(self) -> Identity:
        assert self._identity is not None  # noqa: S101  it was begun
        return self._identity

    async def status(self) -> str:
        """The execution's status: whether it can go on."""
        return (await self._standing()).status

    async def _enter(self) -> World:
        from asl_engine.debugging.world import World

        world = World(
            self.store,
            self.setup,
            self.clock,
            breakpoints=self.breakpoints,
            errors=self.errors,
            given=self.answers,
            log=self._tell,
        )
        self._world = await world.__aenter__()
        self._reader.engine = world.engine
        return self._world

    def _tell(self, text: str) -> None:
        self.told(text)

    async def _exit(self) -> None:
        world, self._world = self._world, None
        self._reader.engine = None
        self._place = self._focus = self._input = self._variables = None
        if world is not None:
            await world.__aexit__(None, None, None)

    async def _take_up(self, record: Record, reason: str) -> Stop:
        events = await self._reader.log(record.identity.arn)
        self.clock.catch_up(events[-1].at)
        world = await self._enter()
        world.stop(Stop("fork" if reason == "fork" else "entry"))
        await world.resume(record)
        self._identity = record.identity
        await self._stopped()
        return self.stop

    # -- where it stands ------------------------------------------------------------------------------------

    async def view(self, thread: Thread | None = None) -> View:
        """Where the session stands, or where a thread does."""
        here = await self._here()
        if thread is None or thread == Thread.of(here.place):
            return here
        return await self._view_of(thread)

    async def _here(self) -> View:
        if self._place is not None:
            return await self._past(self._place)
        execution = await self._standing(None if self._focus is None else self._focus.execution)
        focus = self._focus
        if focus is None or focus.frame not in execution.frames:
            focus = somewhere([execution]) or Standpoint(execution.identity.arn, execution.seq, 0, "ended")
        kind = "ended" if not execution.frames else kind_of(execution.frames[focus.frame])
        failure = focus.failure
        if failure is not None and kind == "within":  # a failure that nothing has been told of
            kind = "error"
        place = focus._replace(seq=execution.seq, kind=kind)
        return View(self._reader.machine_of(execution), execution, place, live=execution.status == "RUNNING")

    async def view_at(self, place: Standpoint) -> View:
        """How the execution stood at a place of its log, without going there."""
        return await self._reader.view_at(place)

    @property
    def in_the_past(self) -> bool:
        return self._place is not None

    @property
    def is_edited(self) -> bool:
        """Whether the past was given other data: going on from here is a fork."""
        return self._input is not None or self._variables is not None

    async def threads(self) -> list[Thread]:
        """The paths that the execution is on, and those of the children of its Map Runs."""
        if self._place is not None:
            executions = [(await self._past(self._place)).execution]
        else:
            executions = [await self._standing()]
            world = self._world
            for run in [] if world is None else world.engine.runs.values():
                if run.arn != self.identity.arn and run.machine.text == self.setup.machine.text:
                    executions.append(run.execution)
        return [Thread(one.identity.arn, frame.id) for one in executions for frame in leaves(one)]

    async def focus(self, thread: Thread) -> None:
        """Look at another thread of where the execution stands."""
        view = await self._view_of(thread)
        self.stop = Stop("goto", view.place)
        if self._place is None:
            self._focus = view.place
        else:
            self._place = view.place

    async def places(self) -> tuple[list[Standpoint], int]:
        """The places of the execution's log, and which of them the session stands at; behind the last: now."""
        standing = self._focus or self._place
        arn = self.identity.arn if standing is None else standing.execution
        found = recorded_places(arn, await self._reader.log(arn))
        if self._place is not None:
            here = self._place[:4]
            return found, next((index for index, one in enumerate(found) if one[:4] == here), len(found))
        return found, await self._now_in(found)

    async def _now_in(self, found: list[Standpoint]) -> int:
        """Which of the places is now; behind the last one where the log has nothing of it yet."""
        if found and found[-1].kind == "ended":
            return len(found) - 1
        focus = self._focus
        if focus is not None and focus.kind == "error" and focus.failure is not None:
            last = [number for number, one in enumerate(found) if one.frame == focus.frame][-1:]
            return next((number for number in last if found[number].failure == focus.failure), len(found))
        return len(found)

    async def events(self) -> Sequence[Event]:
        """The log of the execution up to where the session stands."""
        view = await self.view()
        events = await self._reader.log(view.place.execution)
        return events[: view.place.seq]

    async def evaluate(self, text: str, thread: Thread | None = None) -> Json:
        """The value of an expression in the scope of a place.  Raises ``InvalidInput``, for nothing too."""
        view = await self.view(thread)
        language = self.breakpoints.languages.get(view.state) or next(iter(self.breakpoints.languages.values()))
        value = compile_question(text, language).ask(view)
        if value is MISSING:
            raise InvalidInput(f"{text.strip()}: there is nothing there")
        return value

    def definition_of(self, state: str) -> Json:
        """A state as it is written."""
        source: Json = self._states[state].source
        return source

    async def context(self, thread: Thread | None = None) -> dict[str, Json]:
        return context_of(await self.view(thread))

    async def _view_of(self, thread: Thread) -> View:
        if self._place is not None:
            here = await self._past(self._place)
            execution, live = here.execution, False
        else:
            execution, live = await self._standing(thread.execution), True
        frame = execution.frames.get(thread.frame)
        if frame is None:
            raise InvalidInput("this path of the execution has ended")
        place = Standpoint(execution.identity.arn, execution.seq, frame.id, kind_of(frame))
        return View(self._reader.machine_of(execution), execution, place, live=live)

    async def _standing(self, arn: str | None = None) -> Execution:
        """An execution as it stands now, the session's own by default."""
        return await self._reader.standing(self.identity.arn if arn is None else arn)

    async def _past(self, place: Standpoint) -> View:
        """As ``view_at``, with the edits that a fork will have."""
        view = await self._reader.view_at(place)
        if view.frame is not None and place == self._place:
            view.frame.input = self._input or view.frame.input
            view.frame.variables = view.frame.variables if self._variables is None else self._variables
        return view

    # -- going on -------------------------------------------------------------------------------------------

    async def go(self, motion: Motion) -> Stop:
        """Go on: to the next stop, into the next state, over it, or out of the branch or iteration."""
        if self._place is not None:
            if not self.is_edited:
                return await self._walk(motion)
            await self.fork()
        if (await self._standing()).status != "RUNNING":
            raise InvalidInput("the execution has ended: go back in it, or begin it anew with restart")
        return await self._go(motion)

    @property
    def is_held(self) -> bool:
        """Whether there is an execution, which does not go on by itself."""
        if self._identity is None:
            return False
        return self._world is None or self._world.gate.closed is not None

    def pause(self) -> bool:
        """Stop the world where it is; False where it stands still already."""
        if self._world is None or self.is_held:
            return False
        self._world.stop(Stop("pause"))
        return True

    async def _go(self, motion: Motion, *, again: bool = False) -> Stop:
        """``again``: stop here too, where a breakpoint says so."""
        view = await self.view()
        assert self._world is not None  # noqa: S101  it runs
        around = tuple(one.id for one in chain(view.frame))[1:]
        if not again:
            self._world.gate.pass_by(view)
        child = view.place.execution != self.identity.arn
        outer = self.identity.arn if child else ""
        self._world.open(Goal(motion, view.place.execution, view.place.frame, around, outer))
        await self._stopped()
        return self.stop

    async def _stopped(self) -> None:
        assert self._world is not None  # noqa: S101  somebody has let it run
        self.stop = await self._world.until_stopped()
        self._place = None
        self._focus = self.stop.place
        if self._focus is None:
            runs = self._world.engine.runs.values()
            self._focus = somewhere(run.execution for run in runs)

    # -- going back -----------------------------------------------------------------------------------------

    async def back(self) -> Stop:
        """Go back to the place before."""
        found, index = await self.places()
        if index == 0:
            raise InvalidInput("this is the beginning")
        return self._stand(found[index - 1], "step")

    async def back_to_breakpoint(self) -> Stop:
        """Go back to the last place at which a breakpoint holds, or to the beginning."""
        found, index = await self.places()
        if index == 0:
            raise InvalidInput("this is the beginning")
        for place in reversed(found[:index]):
            stop = await self._hit(place)
            if stop is not None:
                return self._stand(place, stop.reason, stop)
        return self._stand(found[0], "entry")

    async def go_to(self, number: int) -> Stop:
        """Go to a place of the log, counted from 1.  Raises ``InvalidInput``."""
        found, index = await self.places()
        if not 1 <= number <= len(found):
            raise InvalidInput(f"there are places 1 to {len(found)}; this is {index + 1}")
        return self._stand(found[number - 1], "goto")

    async def now(self) -> Stop:
        """Come back to where the execution stands."""
        self._place = self._input = self._variables = None
        ended = await self.status() != "RUNNING"
        self.stop = Stop("ended") if ended else Stop("goto", self._focus)
        return self.stop

    def _stand(self, place: Standpoint, reason: str, stop: Stop | None = None) -> Stop:
        self._place = None if place.kind == "ended" else place
        self._input = self._variables = None
        if place.kind == "ended":
            self.stop = Stop("ended")
        else:
            self.stop = Stop("goto", place)._replace(reason=reason) if stop is None else stop  # type: ignore[arg-type]  # one of them
        return self.stop

    async def _walk(self, motion: Motion) -> Stop:
        """Go on along the log."""
        found, index = await self.places()
        here = await self.view()
        around = {one.id for one in chain(here.frame)}
        within = around - {here.place.frame}
        for place in found[index + 1 : await self._now_in(found)]:
            if motion == "continue":
                stop = await self._hit(place)
                if stop is not None:
                    return self._stand(place, stop.reason, stop)
            elif place.kind in {"before", "end"} and (
                motion == "into" or place.frame in (around if motion == "over" else within)
            ):
                return self._stand(place, "step")
        return await self.now()

    async def _hit(self, place: Standpoint) -> Stop | None:
        """Whether one would stop at a place of the past.  Hits are not counted there."""
        view = await self._past(place)
        hit = tuple(one for one in self.breakpoints.at(view) if one.message is None)
        if hit:
            return Stop("breakpoint", place, hit)
        if place.kind != "error" or place.failure is None or view.frame is None:
            return None
        caught = is_caught(self.setup.machine, view.frame, place.failure.error)
        wanted = self.errors.wants(place.failure.error, caught=caught)
        return Stop("error", place, caught=caught) if wanted else None

    # -- other data, other answers --------------------------------------------------------------------------

    async def set_input(self, value: Json) -> None:
        """Give the state that is entered next another input, or the path that ends another output."""
        await self._edit(Payload(value), None)

    async def set_variables(self, values: dict[str, Json]) -> None:
        """Set variables besides those that there are."""
        view = await self.view()
        await self._edit(None, {**view.variables, **values})

    async def _edit(self, given: Payload | None, variables: dict[str, Json] | None) -> None:
        view = await self.view()
        if view.frame is None or not view.can_be_edited:
            raise InvalidInput(
                "data is edited between two states: before one is entered, or when the last was left; "
                "a task's failure or result is given beforehand, as an answer"
            )
        if self._place is not None:
            self._input = given or self._input
            self._variables = variables if variables is not None else self._variables
            return
        assert self._world is not None  # noqa: S101  it runs
        payload = None if variables is None else Payload(variables)
        if not await self._world.edit(view.place.execution, view.place.frame, given, payload):
            raise InvalidInput("the execution has gone on: nothing was edited")

    async def answer(self, state: str, given: GivenAnswer) -> bool:
        """Answer the next call of a state's task, or each; whether one waited for that already."""
        self.breakpoints.checked(state)
        machine_state = self.setup.machine.states[state]
        if machine_state.type != "Task":
            raise InvalidInput(f"{state} is a {machine_state.type} state: only tasks are answered")
        if given.once and self._world is not None and self._place is None:
            for run, task in self._world.waiting():
                if task.frame.state == state and run.machine.text == self.setup.machine.text:
                    await self._world.answer(run, task, given)
                    return True
        self.answers[state] = given
        return False

    def awaited(self) -> list[str]:
        """What the world waits for."""
        return [] if self._world is None else [str(one) for one in self._world.awaited()]

    async def fork(self) -> str:
        """Go on from where the session stands as a new execution, and answer its name."""
        view = await self.view()
        if view.frame is None:
            raise InvalidInput("a fork goes on from somewhere: go back first")
        origin = view.execution.identity
        if origin.map_run is not None:
            raise InvalidInput(f"{origin.name} belongs to a Map Run: fork the execution that started it")
        before = (await self._reader.log(origin.arn))[: view.place.seq]
        edits = Departure(None, self._input, self._variables)
        at = max(self.clock.now(), before[-1].at)
        machine = self.setup.machine
        events = log_forked_at(edits, origin, before, view.place.frame, machine, at=at)
        taken = [record.identity.name for record in await self.store.find(stem_of_forks(origin.name))]
        arn = Arn.of(origin.arn)
        name = name_of_fork(origin.name, taken)
        identity = local_identity(arn.region, arn.account, origin.machine_name, name, at)
        how = self.setup.how.detached()
        record = await keep(self.store, how, machine, events, identity)
        await self._exit()
        await self._take_up(record, "fork")
        self._focus = view.place._replace(execution=identity.arn)
        return name
