"""Sessions: what a debugger may and may not do to an execution."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.apply import fold
from asl_engine.core.events import HeldByDebugger, InputReplaced, StateEntered
from asl_engine.debugging.given import GivenAnswer
from asl_engine.debugging.held_clock import HeldClock
from asl_engine.debugging.places import FreshStart, recorded_places
from asl_engine.debugging.session import Session
from asl_engine.errors import InvalidInput
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.steps import each, scope, state, wait
from tests.debugging.machines import MACHINES, call
from tests.debugging.sessions import Tasks, check_replay, session_of, setup_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path


def plays(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def played(*arguments: Any, **named: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **named), 30))

    return played


async def log(session: Session) -> list[Any]:
    return await session.store.events(session.identity.arn)


# -- held ---------------------------------------------------------------------------------------------


@plays
async def test_what_is_held_has_done_nothing() -> None:
    tasks = Tasks()
    async with session_of(MACHINES["row"], {"n": 2}, tasks=tasks) as session:
        assert not any(isinstance(event, StateEntered) for event in await log(session))
        assert tasks.calls == []
        await session.go("over")
        assert tasks.calls == ["double"]
        view = await session.view()
        assert (view.place.kind, view.state, view.left) == ("before", "Wait", "Double")
        assert [event.name for event in await log(session) if isinstance(event, StateEntered)] == ["Double"]


@plays
async def test_without_a_stop_on_entry_it_goes_on_to_the_end() -> None:
    async with session_of(MACHINES["row"], {"n": 2}, entry=False) as session:
        assert session.stop.reason == "ended"
        await check_replay(session)


@plays
async def test_time_stands_still_while_it_is_held() -> None:
    machine = 0
    clock = HeldClock("real", 1000, lambda: machine)
    machine = 500
    assert clock.now() == 1500
    clock.hold()
    machine = 9000
    assert (clock.now(), clock.seconds_until(1501), clock.seconds_until(1500)) == (1500, float("inf"), 0.0)
    clock.release()
    machine = 9100
    assert (clock.now(), clock.seconds_until(2600)) == (1600, 1.0)
    fast = HeldClock("scale=0.1", 0, lambda: machine)
    machine = 9200
    assert (fast.now(), fast.seconds_until(2000)) == (1000, 0.1)
    with pytest.raises(InvalidInput, match="skip, real or scale=N"):
        HeldClock("soon")


@plays
async def test_skipped_time_is_the_log_s() -> None:
    async with session_of(MACHINES["row"], {"n": 2}) as session:
        begun = session.clock.now()
        await session.go("continue")
        assert session.clock.now() - begun == 3_600_000


@plays
async def test_a_pause_stops_the_world_where_it_is() -> None:
    loop = scope(
        Count=state("Pass", Parameters={"i.$": "States.MathAdd($.i, 1)"}, Next="Wait"),
        Wait=wait(1, Next="Again"),
        Again=state("Choice", Choices=[{"Variable": "$.i", "NumericLessThan": 99, "Next": "Count"}], Default="Z"),
        Z=state("Succeed"),
    )
    async with session_of(loop, {"i": 0}) as session:
        assert not session.pause()
        session.breakpoints.add("Wait", hits="20", message="now")

        def pause(_message: str) -> None:
            session.pause()

        session.told = pause
        going = asyncio.ensure_future(session.go("continue"))
        assert (await going).reason == "pause"
        length = len(await log(session))
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(await log(session)) == length
        assert (await session.go("over")).reason == "step"
        await check_replay(session)


@plays
async def test_a_decision_that_is_taken_again_in_a_thread_stops_at_the_same_place() -> None:
    """Its expressions take so long that the event loop gives it up."""
    heavy = {
        "QueryLanguage": "JSONata",
        **scope(
            First=state("Pass", Output="{% $sum([1..20000]) %}", Next="Second"),
            Second=state("Pass", Next="Third"),
            Third=state("Pass"),
        ),
    }
    async with session_of(heavy) as session:
        point = session.breakpoints.add("First", after=True)
        counted = session.breakpoints.add("Second", message="passed")
        assert (await session.go("continue")).breakpoints == (point,)
        assert (point.hits, counted.hits) == (1, 1)
        view = await session.view()
        assert view.data is not None
        assert view.data.value == 200010000
        await session.go("continue")
        assert (point.hits, counted.hits) == (1, 1)
        await check_replay(session)


# -- data ---------------------------------------------------------------------------------------------


@plays
async def test_an_edit_is_kept_at_once_and_replayed() -> None:
    async with session_of(MACHINES["row"], {"n": 2}) as session:
        await session.set_input({"n": 50})
        events = await log(session)
        assert isinstance(events[-2], InputReplaced)
        assert isinstance(events[-1], HeldByDebugger)
        await session.go("continue")
        execution = fold(session.identity, await log(session))
        assert execution.output is not None
        assert execution.output.value == {"n": 100}
        await check_replay(session)


@plays
async def test_the_output_at_the_end_can_be_edited() -> None:
    async with session_of(MACHINES["loop"], {"i": 4}) as session:
        session.breakpoints.add("Done", after=True)
        await session.go("continue")
        await session.set_input("mine")
        await session.go("continue")
        view = await session.view()
        assert view.data is not None
        assert view.data.value == "mine"
        await check_replay(session)


@plays
async def test_the_past_is_not_touched_by_a_fork() -> None:
    async with session_of(MACHINES["row"], {"n": 2}) as session:
        await session.go("continue")
        origin, before = session.identity, await log(session)
        await session.go_to(3)
        await session.set_variables({"x": 1})
        await session.go("continue")
        assert session.identity.name == "one-fork-1"
        assert await session.store.events(origin.arn) == before
        await check_replay(session)


@plays
async def test_every_place_of_a_log_can_be_gone_to_and_forked() -> None:
    for name, data in (("branches", {"n": 1}), ("errors", {"n": 1}), ("loop", {"i": 3})):
        async with session_of(MACHINES[name], data, entry=False) as session:
            session.errors.uncaught = False
            while (await session.status()) == "RUNNING":
                await session.go("continue")
            origin = session.identity
            found = recorded_places(origin.arn, await log(session))
            end = (await session.status(), (await session.view()).data)
            for number, place in enumerate(found[:-1], 1):
                record = await session.store.record(origin.arn)
                assert record is not None
                await session.leave()
                await session.attach(record)
                await session.go_to(number)
                assert (await session.view()).place == place
                await session.fork()
                while (await session.status()) == "RUNNING":
                    await session.go("continue")
                assert (await session.status(), (await session.view()).data) == end, (name, number)
                await check_replay(session)


@plays
async def test_back_and_forth_ends_where_it_began() -> None:
    async with session_of(MACHINES["branches"], {"n": 1}) as session:
        session.breakpoints.add("Last")
        await session.go("continue")
        before = (await session.view()).place
        found, index = await session.places()
        assert index == len(found)
        for _ in found:
            await session.back()
        with pytest.raises(InvalidInput, match="this is the beginning"):
            await session.back()
        for _ in found:
            await session.go("into")
        assert not session.in_the_past
        assert (await session.view()).place == before


# -- iterations, children -----------------------------------------------------------------------------


@plays
async def test_out_of_an_iteration_and_over_a_map() -> None:
    machine = scope(
        Each=each(scope(One=state("Pass", Next="Two"), Two=state("Pass")), MaxConcurrency=1, Next="Last"),
        Last=state("Pass"),
    )
    async with session_of(machine, [1, 2, 3]) as session:
        await session.go("into")
        assert (await session.view()).state == "One"
        await session.go("out")
        assert (await session.view()).state == "Last"
        await session.restart()
        seen = []
        while (await session.status()) == "RUNNING":
            view = await session.view()
            seen.append((view.place.kind, view.state))
            await session.go("into")
        one = [("before", "One"), ("before", "Two"), ("end", "Two")]
        assert seen == [("before", "Each"), *one, *one, *one, ("before", "Last"), ("end", "Last")]


@plays
async def test_what_begins_while_the_world_stands_still_goes_on_with_it() -> None:
    """A child of a Map Run is started when another one has stopped the world: it must not be forgotten."""
    async with session_of(MACHINES["distributed"], [*range(20)]) as session:
        session.breakpoints.add("Two")
        stops = 0
        while (await session.go("continue")).reason == "breakpoint":
            stops += 1
        assert (stops, await session.status()) == (20, "SUCCEEDED")


# -- attaching ----------------------------------------------------------------------------------------


@plays
async def test_an_execution_that_was_left_is_taken_up(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "asl.db", create=True)
    try:
        setup = setup_of(MACHINES["row"])
        session = Session(store, setup, lambda _: None)
        await session.start(FreshStart("m", "one", Payload({"n": 2})))
        await session.go("over")
        arn = session.identity.arn
        await session.leave()
        record = await store.record(arn)
        assert record is not None
        other = Session(store, setup, lambda _: None)
        await other.attach(record)
        assert (await other.view()).state == "Wait"
        await other.go("continue")
        assert await other.status() == "SUCCEEDED"
        await check_replay(other)
        await other.leave()
        again = await store.record(arn)
        assert again is not None
        await other.attach(again)
        assert other.stop.reason == "ended"
        with pytest.raises(InvalidInput, match="the execution has ended"):
            await other.go("continue")
        await other.back()
        await other.restart()
        assert (await other.view()).state == "Double"
        await other.leave()
    finally:
        await store.close()


@plays
async def test_an_answer_from_outside_is_kept_while_the_world_stands_still() -> None:
    async with session_of(MACHINES["two"]) as session:
        assert (await session.go("continue")).reason == "waiting"
        assert await session.answer("Ask", GivenAnswer(Payload(1), once=True))
        assert (await session.view()).execution.status == "RUNNING"
        await session.go("continue")
        view = await session.view()
        assert view.data is not None
        assert view.data.value == [1, {}]
        await check_replay(session)


@plays
async def test_a_task_that_is_called_while_the_store_is_in_memory() -> None:
    async with session_of(scope(A=call("double")), {"n": 1}, store=MemoryStore(), time="real") as session:
        await session.go("continue")
        assert await session.status() == "SUCCEEDED"
