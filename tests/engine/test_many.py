"""Many executions at once: taken up after a crash, started for a Map Run, read for its results."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core import events as ev
from asl_engine.core.apply import fold
from asl_engine.engine import launching
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.engine.resuming import resume_many
from asl_engine.engine.run import Run
from asl_engine.errors import AslError, StatesError, StoreError, StoreUnavailable
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import Record
from asl_engine.store.sqlite.rows import SHORT_EVENTS
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.driver import IDENTITY, NOW, history
from tests.core.steps import FUNCTION, scope, state, task, wait
from tests.engine.test_map_runs import distributed, output
from tests.engine.test_prefixes import CUTS, MACHINE, recorded, scheduled, without_times
from tests.projections.test_order_history import ORDER, PATHS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.resources import TaskCall
    from asl_engine.store.records import NewExecution

WAITING = load(json.dumps(scope(W=wait(1000))))
WORKING = load(json.dumps(scope(T=task())))
BEGINNING: list[Event] = [
    ev.ExecutionStarted(1, 1, 0, NOW, 0, Payload({}), "salt"),
    ev.StateEntered(2, 2, 0, NOW, 0, "W", "Wait", Payload({})),
    ev.WaitScheduled(3, 0, 2, NOW, 0, NOW + 1_000_000),
]
AT_WORK: list[Event] = [
    BEGINNING[0],
    ev.StateEntered(2, 2, 0, NOW, 0, "T", "Task", Payload({})),
    ev.TaskScheduled(3, 3, 2, NOW, 0, FUNCTION, Payload({}), None, None, 0),
    ev.TaskStarted(4, 4, 3, NOW, 0, 3),
]


def named(name: str, digest: str = WAITING.digest) -> Record:
    return Record(IDENTITY._replace(name=name, arn=f"{IDENTITY.arn}-{name}"), digest)


class Counting(SqliteStore):
    """Counts the queries, and the commits that append to logs."""

    queries = 0
    appends = 0

    async def fetch(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        self.queries += 1
        return await super().fetch(query, values)

    async def append(self, arn: str, events: Sequence[Event]) -> None:
        self.appends += 1
        await super().append(arn, events)


async def left_behind(folder: Path, executions: dict[str, list[Event]], definition: str) -> None:
    """A database with these logs, whose process has died."""
    store = await SqliteStore.open(folder / "asl.db", synchronous="OFF")
    for name, log in executions.items():
        await store.create(named(name, load(definition).digest), definition, log)
    await store.close()


def test_resumed_together_after_any_event_they_end_as_they_would_have(tmp_path: Path) -> None:
    """Each path of the order machine, cut behind each event: as one by one, in ``test_prefixes``."""
    logs = {f"{path}-{length}": recorded(path)[:length] for path, length in CUTS}
    scripts: dict[str, dict[str, deque[Any]]] = {}
    answered: dict[str, set[str]] = {}
    for path, length in CUTS:
        arn = named(f"{path}-{length}").identity.arn
        scripts[arn] = {name: deque(given) for name, given in PATHS[path][0].items()}
        state_of = {event.seq: name for name, event in scheduled(recorded(path))}
        ended = [e.task for e in recorded(path)[:length] if isinstance(e, ev.TaskSucceeded | ev.TaskFailed)]
        answered[arn] = {f"{arn}:{key}" for key in ended}
        for key in ended:
            scripts[arn][state_of[key]].popleft()
    calls: list[str] = []

    async def scripted(call: TaskCall) -> Payload:
        calls.append(call.key)
        answer = scripts[call.execution][call.state].popleft()
        if isinstance(answer, StatesError):
            raise answer
        return Payload(answer)

    async def main() -> None:
        await left_behind(tmp_path, logs, ORDER)
        store = await SqliteStore.open(tmp_path / "asl.db", synchronous="OFF")
        resources = dict.fromkeys(MACHINE.resources, scripted)
        async with Engine(store, resources, clock=VirtualClock(NOW)) as engine:
            with engine.timers.busy():
                records = await store.records(await store.running())
                found = await resume_many(engine, [(MACHINE, record) for record in records])
            assert {record.identity.arn for record in records} == {*found}
            for run in found.values():
                assert isinstance(run, Run)
                await run.wait()
        for path, length in CUTS:
            events = await store.events(named(f"{path}-{length}").identity.arn)
            assert without_times(history(events)) == without_times(PATHS[path][1]), (path, length)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
        await store.close()

    anyio.run(main)
    for arn, keys in answered.items():
        assert not keys & set(calls), arn


def test_as_many_queries_for_many_as_for_a_few(tmp_path: Path) -> None:
    counted = []

    async def main(count: int) -> None:
        folder = tmp_path / str(count)
        await left_behind(folder, {f"{number}": BEGINNING for number in range(count)}, WAITING.text)
        store = await Counting.open(folder / "asl.db", synchronous="OFF")
        assert isinstance(store, Counting)
        async with Engine(store, {}, clock=VirtualClock(NOW)) as engine:
            with engine.timers.busy():
                records = await store.records(await store.running())
                assert len(records) == count
                store.queries = 0
                found = await resume_many(engine, [(WAITING, record) for record in records])
                counted.append((store.queries, store.appends))
                assert len(engine.runs) == count
            for run in found.values():
                assert isinstance(run, Run)
                assert (await run.wait()).at == NOW + 1_000_000
        await store.close()

    anyio.run(main, 3)
    anyio.run(main, 200)
    assert counted[0] == counted[1] == (3, 0)


def test_what_is_long_damaged_or_stopped_meanwhile_holds_up_no_other(tmp_path: Path) -> None:
    beats: list[Event] = [ev.TaskHeartbeatReceived(seq, 0, 4, NOW, 0, 3) for seq in range(5, SHORT_EVENTS + 5)]
    logs: dict[str, list[Event]] = {
        "good": AT_WORK,
        "long": [*AT_WORK, *beats],
        "damaged": AT_WORK[1:],
        "stopped": AT_WORK,
    }

    class Stopping(Counting):
        """Somebody else stops an execution once its log has been read."""

        async def logs(self, arns: Any) -> dict[str, list[Event]]:
            found = await super().logs(arns)
            arn = named("stopped").identity.arn
            if arn in found:
                aborted = ev.ExecutionAborted(5, 5, 0, NOW, 0, "Stopped", None)
                await SqliteStore.append(self, arn, [aborted])
            return found

    async def answer(call: TaskCall) -> Payload:
        return Payload(call.deaths)

    async def main() -> None:
        await left_behind(tmp_path, logs, WORKING.text)
        store = await Stopping.open(tmp_path / "asl.db", synchronous="OFF")
        async with Engine(store, {FUNCTION: answer}, clock=VirtualClock(NOW - 1)) as engine:
            with engine.timers.busy():
                records = await store.records(await store.running())
                found = await resume_many(engine, [(WORKING, record) for record in records])
            assert engine.clock.now() == NOW  # no log is ahead of the clock
            runs = {record.identity.name: found[record.identity.arn] for record in records}
            assert isinstance(runs["damaged"], StoreError)
            for name in ("good", "long"):
                run = runs[name]
                assert isinstance(run, Run)
                assert output(await run.wait()) == 1  # that its process died is known
            stopped = runs["stopped"]
            assert isinstance(stopped, Run)
            assert (await stopped.wait()).status == "ABORTED"
        await store.close()

    anyio.run(main)


def test_a_server_tells_of_what_it_cannot_resume_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asl_engine.resources.catalog import Catalog
    from asl_engine.resources.python.registry import Registry
    from asl_engine.server import service as module

    monkeypatch.setattr(module, "RESUMED_AT_ONCE", 2)
    names = [f"{number}" for number in range(8)]
    later: list[str] = []

    class Failing(SqliteStore):
        async def claim_many(self, arns: Any) -> dict[str, bool]:
            for number, error in ((2, StoreError("nonsense")), (4, StoreUnavailable("the disk is full"))):
                if named(f"{number}").identity.arn in arns:
                    raise error
            return await super().claim_many(arns)

    async def main() -> None:
        await left_behind(tmp_path, dict.fromkeys(names, BEGINNING), WAITING.text)
        store = await Failing.open(tmp_path / "asl.db", synchronous="OFF")
        catalog = Catalog(Registry())
        async with Engine(store, catalog, clock=VirtualClock(NOW)) as engine:
            service = module.Service(store, engine, catalog)
            with engine.timers.busy():
                assert len(await service.resume_all(await service.unfinished(), later.append)) == 4
                assert {run.execution.identity.name for run in engine.runs.values()} == {"0", "1", "6", "7"}
                assert later == [named("4").identity.arn, named("5").identity.arn]
        await store.close()

    anyio.run(main)
    for number in (2, 3):
        assert f"cannot resume {named(f'{number}').identity.arn}: nonsense" in caplog.text
    assert "the disk is full" not in caplog.text  # it is tried again


# -- Map Runs -----------------------------------------------------------------------------------------

PASS = scope(P=state("Pass"))
ITEMS = 450


class Creating(SqliteStore):
    """Counts the transactions that create executions, and the queries."""

    created: list[int]
    queries = 0

    async def create_many(self, new: Sequence[NewExecution], definition: str) -> list[AslError | None]:
        self.created.append(len(new))
        return await super().create_many(new, definition)

    async def fetch(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        self.queries += 1
        return await super().fetch(query, values)


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_children_are_started_and_their_results_read_in_pages(tmp_path: Path, kind: str) -> None:
    place = {"Bucket": "data", "Prefix": "results"}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": place}
    definition = load(json.dumps(scope(M=distributed(PASS, kind, ResultWriter=writer))))

    async def main() -> None:
        store = await Creating.open(tmp_path / "asl.db", synchronous="OFF")
        assert isinstance(store, Creating)
        store.created = []
        (tmp_path / "data").mkdir()
        engine = Engine(store, {}, clock=VirtualClock(NOW), buckets={"data": tmp_path / "data"})
        async with engine:
            items: Any = [{"n": number} for number in range(ITEMS)]
            execution = await (await engine.start(definition, "m", Payload(items), "n")).wait()
        details = output(execution)["ResultWriterDetails"]
        manifest = json.loads((tmp_path / "data" / details["Key"]).read_text())
        (file,) = manifest["ResultFiles"]["SUCCEEDED"]
        results = json.loads((tmp_path / "data" / file["Key"]).read_text())
        assert [json.loads(result["Output"]) for result in results] == items
        assert len({result["ExecutionArn"] for result in results}) == ITEMS
        assert sum(store.created) == ITEMS
        assert len(store.created) <= 4  # of 200 each
        assert store.queries < 30  # three for each page of 200, and those of the execution itself
        await store.close()

    anyio.run(main)


def test_others_have_their_turn_while_children_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions of many children must not hold up what else the process does."""
    monkeypatch.setattr(launching, "TURN_SECONDS", -1)
    definition = load(json.dumps(scope(M=distributed(PASS))))
    turns = 0

    async def main() -> None:
        nonlocal turns
        async with Engine(MemoryStore(), {}, clock=VirtualClock(NOW)) as engine:
            run = await engine.start(definition, "m", Payload([*range(100)]), "n")
            while not run.done.done():
                await anyio.lowlevel.checkpoint()
                turns += 1
            assert output(await run.wait()) == [*range(100)]

    anyio.run(main)
    assert turns >= 100


def test_each_execution_has_a_salt_of_its_own() -> None:
    count = 2 * launching.SALTS_AT_ONCE + 10

    async def main() -> None:
        store = MemoryStore()
        async with Engine(store, {}, clock=VirtualClock(NOW)) as engine:
            machine = load(json.dumps(PASS))
            for number in range(count):
                await engine.start(machine, "m", Payload({}), f"{number}")
        logs = await store.logs([record.identity.arn for record in await store.executions()])
        salts = {fold(IDENTITY, log).salt for log in logs.values()}
        assert len(salts) == count
        assert {len(salt) for salt in salts} == {32}

    anyio.run(main)
