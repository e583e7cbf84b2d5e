"""Alerts in virtual time: what is told, once, to the targets of the alert's rule, by whichever process."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.arn import Arn
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import InvalidInput, StatesError, StoreUnavailable
from asl_engine.events.alert_rules import read_alerts, with_alerts
from asl_engine.events.bus import EventBus
from asl_engine.events.declared import DeclaredRule, declare
from asl_engine.events.delivering import DeliveryAttempt, DeliveryFailed
from asl_engine.events.entries import Home
from asl_engine.events.running import BusRunner
from asl_engine.json_text import loads
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.practice.alerts import AlertCompanion, Alerts, _Happened, bursts
from asl_engine.store.mapping_records import NewDiscarded
from asl_engine.store.sqlite.store import SqliteStore
from tests.events.serving import events_client, receiving, until
from tests.server.harness import FAIL, created, ended, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from asl_engine.resources import TaskCall

HOME = Home("us-east-1", "123456789012")
PAY = "arn:aws:lambda:us-east-1:123456789012:function:pay"
NOTIFY = "arn:aws:lambda:us-east-1:123456789012:function:notify"
BEGIN = 1_700_000_000_000
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
TASK = {"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": PAY, "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 7200, "End": True}}}
MIXED = {
    "StartAt": "W",
    "States": {
        "W": {"Type": "Wait", "Seconds": 1500, "Next": "X"},
        "X": {"Type": "Wait", "Seconds": 7200, "End": True},
    },
}


class World:
    """A server's engine, bus and alerts.  ``got`` is what the rules delivered, and when."""

    def __init__(self, engine: Engine, bus: EventBus, clock: VirtualClock, alerts: Alerts) -> None:
        self.engine, self.bus, self.clock, self.alerts = engine, bus, clock, alerts
        self.got: list[tuple[int, dict[str, Any]]] = []
        self.refuses: set[str] = set()  # the names of rules whose targets are gone

    async def send(self, attempt: DeliveryAttempt) -> dict[str, Any]:
        if Arn.of(attempt.rule.arn).resource.rpartition("/")[2] in self.refuses:
            raise DeliveryFailed("Gone", "no such function", final=True)
        self.got.append((self.clock.now() - BEGIN, loads(attempt.input)))  # type: ignore[arg-type]  # an event
        return {}

    async def until(self, moment: int) -> None:
        self.engine.timers.set_horizon(BEGIN + moment)
        await self.engine.timers.quiet()
        self.clock.jump(BEGIN + moment)

    async def start(self, name: str, machine: Any = TASK, called: str = "orders") -> None:
        await self.engine.start(load(json.dumps(machine)), called, Payload({}), name)

    async def fail(self, *names: str, called: str = "orders") -> None:
        for name in names:
            await self.start(name, called=called)
            await self.until(self.clock.now() - BEGIN)

    @property
    def texts(self) -> list[tuple[int, str]]:
        return [(moment, event["detail"]["text"]) for moment, event in self.got if event["source"] == "asl.alerts"]


async def fails(call: TaskCall) -> Payload:
    raise StatesError("Lost", call.state)


@asynccontextmanager
async def world(
    folder: Path, begin: int = 0, *, rules: tuple[DeclaredRule, ...] = (), **table: Any
) -> AsyncIterator[World]:
    given = {name: {"targets": {"tell": NOTIFY}, **alert} for name, alert in table.items()}
    store = await SqliteStore.open(folder / "asl.db", synchronous="OFF")
    clock = VirtualClock(BEGIN + begin)
    async with Engine(store, {PAY: fails}, clock=clock) as engine:
        engine.timers.set_horizon(BEGIN + begin)
        bus = EventBus(store.bus, clock.now, HOME)
        await declare(bus, HOME, *with_alerts(([], [*rules]), given, "asl.toml"))
        alerts = Alerts(
            read_alerts(given, "asl.toml"), store.watch, bus, engine.timers, clock, jumps=True, pause=0
        )
        made = World(engine, bus, clock, alerts)
        engine.observer = alerts.observe
        works = [BusRunner(bus, engine.timers, clock, made.send, jumps=True).run(), alerts.run()]
        under_way = [asyncio.ensure_future(work) for work in works]
        try:
            yield made
        finally:
            for one in under_way:
                one.cancel()
            for one in under_way:
                with suppress(asyncio.CancelledError):
                    await one
    await store.close()


# -- failures ----------------------------------------------------------------------------------------------------


def test_failures_in_a_window_are_told_once_and_again_after_it_was_quiet(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, failing={"failures": 3, "within": "10min"}) as made:
            await made.fail("a", "b")
            assert made.got == []
            await made.until(2 * MINUTE)
            await made.fail("c", "d", "e")
            assert [moment for moment, _ in made.got] == [2 * MINUTE]
            event = made.got[0][1]
            assert (event["source"], event["detail-type"]) == ("asl.alerts", "Alert")
            executions = [f"arn:aws:states:us-east-1:123456789012:execution:orders:{name}" for name in "abc"]
            machine = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
            assert event["detail"] == {
                "alert": "failing",
                "kind": "failures",
                "text": "3 executions of orders have failed within 600 s",
                "stateMachineArn": machine,
                "executions": executions,
                "number": 3,
                "withinSeconds": 600,
            }
            assert event["resources"] == [machine]
            await made.until(30 * MINUTE)
            await made.fail("f", "g")
            await made.until(45 * MINUTE)
            await made.fail("h", "i", "j")
            assert [moment for moment, _ in made.got] == [2 * MINUTE, 45 * MINUTE]

    asyncio.run(main())


def test_each_machine_is_counted_by_itself_and_others_are_left_out(tmp_path: Path) -> None:
    async def main() -> None:
        every = {"failures": 2, "within": "1h"}
        async with world(tmp_path, every=every, mine={**every, "machines": ["orders"]}) as made:
            await made.fail("a", called="orders")
            await made.fail("b", "c", called="refunds")
            await made.fail("d", called="orders")
            told = sorted((event["detail"]["alert"], event["detail"]["text"]) for _, event in made.got)
            assert told == [
                ("every", "2 executions of orders have failed within 3600 s"),
                ("every", "2 executions of refunds have failed within 3600 s"),
                ("mine", "2 executions of orders have failed within 3600 s"),
            ]

    asyncio.run(main())


def test_the_window_survives_a_restart_and_nothing_is_told_twice(tmp_path: Path) -> None:
    """The second process has the failures of the first from the database."""

    async def main() -> None:
        failing = {"failures": 3, "within": "10min"}
        async with world(tmp_path, failing=failing) as made:
            await made.fail("a", "b")
        async with world(tmp_path, MINUTE, failing=failing) as made:
            await made.fail("c")
            assert len(made.got) == 1
        async with world(tmp_path, 2 * MINUTE, failing=failing) as made:
            await made.until(3 * MINUTE)
            assert made.got == []

    asyncio.run(main())


def test_what_was_not_told_before_a_kill_is_told_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure is on disk, and the process ended before the alert was."""

    async def main() -> None:
        failing = {"failures": 1, "within": "1min"}
        async with world(tmp_path, failing=failing) as made:

            async def full(*_: Any) -> None:
                raise StoreUnavailable("no space left")

            monkeypatch.setattr(made.bus, "keep", full)  # where the alert is to be kept
            await made.start("a")
            run = made.engine.runs.get("arn:aws:states:us-east-1:123456789012:execution:orders:a")
            if run is not None:
                await run.wait()
        async with world(tmp_path, 5 * HOUR, failing=failing) as made:
            await made.until(5 * HOUR)
            assert [text for _, text in made.texts] == ["1 executions of orders have failed within 60 s"]

    asyncio.run(main())


def test_a_burst_is_where_the_number_is_reached() -> None:
    def at(*moments: int) -> list[_Happened]:
        return [_Happened(str(moment), "m", moment) for moment in moments]

    def found(*moments: int, last: int | None = None) -> list[int]:
        return [burst[-1].at for burst in bursts(at(*moments), 3, 10, last)]

    assert found(1, 2, 3) == [3]
    assert found(1, 2, 3, 4, 5) == [3]
    assert found(1, 2, 11) == []
    assert found(1, 2, 3, 9, 12, 13) == [3, 13]  # it goes on
    assert found(1, 2, 3, 30, 31, 32) == [3, 32]
    assert found(1, 2, 3, 30, 31, 32, last=3) == [32]
    assert found(3, 9, 12, last=3) == []


# -- what does not get on ----------------------------------------------------------------------------------------


def test_who_runs_for_too_long_is_told_when_that_is_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, slow={"running": "1h"}) as made:
            await made.start("a", WAIT)
            await made.until(10 * MINUTE)
            await made.start("b", WAIT)
            await made.until(HOUR + 5 * MINUTE)
            a, b = (f"arn:aws:states:us-east-1:123456789012:execution:orders:{name}" for name in "ab")
            assert made.texts == [(HOUR, f"{a} runs for longer than 3600 s")]
            await made.until(3 * HOUR)
            assert made.texts[1:] == [(HOUR + 10 * MINUTE, f"{b} runs for longer than 3600 s")]
            assert made.got[1][1]["resources"] == [b]

    asyncio.run(main())


def test_who_makes_no_progress_is_told_and_who_does_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, stuck={"no-progress": "20min"}) as made:
            await made.start("a", MIXED)
            await made.until(46 * MINUTE)
            a = "arn:aws:states:us-east-1:123456789012:execution:orders:a"
            told = f"{a} has made no progress for 1200 s"
            # 20 minutes after it has begun, and 20 after it has gone on: at the latest a twentieth of that later.
            (first, second) = made.texts
            assert first[1] == second[1] == told
            assert 20 * MINUTE <= first[0] <= 21 * MINUTE
            assert 45 * MINUTE <= second[0] <= 46 * MINUTE

    asyncio.run(main())


def test_those_that_are_stuck_at_a_start_are_one_alert(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as made:
            for number in range(12):
                await made.start(f"e{number:02}", WAIT)
        async with world(tmp_path, 90 * MINUTE, slow={"running": "1h"}) as made:
            await made.until(91 * MINUTE)
            ((moment, event),) = made.got
            assert moment == 90 * MINUTE
            assert event["detail"]["number"] == 12
            assert len(event["detail"]["executions"]) == 10

    asyncio.run(main())


# -- dead letters ------------------------------------------------------------------------------------------------


def test_dead_letters_are_told_and_those_of_alerts_are_not(tmp_path: Path) -> None:
    async def main() -> None:
        pattern = {"State": "ENABLED", "EventPattern": '{"source": ["shop"]}'}
        paid = DeclaredRule("paid", "default", pattern, {"t": {"Arn": PAY}})
        async with world(tmp_path, rules=(paid,), lost={"dead-letters": 2, "within": "1h"}) as made:
            made.refuses = {"paid"}
            entry = {"Source": "shop", "DetailType": "d", "Detail": "{}"}
            await made.bus.put([entry])
            await made.until(MINUTE)
            assert made.got == []
            await made.bus.put([entry])
            await made.until(2 * MINUTE)
            assert [text for _, text in made.texts] == ["2 dead letters of paid within 3600 s"]
            made.refuses = {"paid", "asl-alert-lost"}
            await made.until(3 * HOUR)
            for _ in range(2):
                await made.bus.put([entry])
            await made.until(6 * HOUR)
            failed = [one.rule_arn.rpartition("/")[2] for one in await made.bus.buses.failed(10)]
            assert failed == ["paid"] * 4 + ["asl-alert-lost"]  # and that one has no alert of its own

    asyncio.run(main())


def test_batches_that_a_mapping_gives_up_are_dead_letters(tmp_path: Path) -> None:
    mapping = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:read-model"

    async def main() -> None:
        async with world(tmp_path, lost={"dead-letters": 2, "within": "1h"}) as made:
            mappings = made.engine.store.mappings
            assert mappings is not None
            for number in range(3):
                batch = NewDiscarded(mapping, f"k{number}", BEGIN + number * MINUTE, "KEPT", {}, {})
                await mappings.put_shards([], [batch])
            await made.until(5 * MINUTE)
            assert [text for _, text in made.texts] == [f"2 dead letters of {mapping} within 3600 s"]

    asyncio.run(main())


def test_a_server_tells_an_endpoint(tmp_path: Path) -> None:
    alerts = read_alerts({"failing": {"failures": 2, "within": "1h"}}, "asl.toml")
    with (
        receiving(503, 200) as page,
        running(tmp_path / "asl.db", companions=[partial(AlertCompanion, alerts=alerts)]) as server,
    ):
        sfn, events = server.client(), events_client(server)
        events.put_rule(Name="page", EventPattern=json.dumps({"source": ["asl.alerts"]}))
        events.put_targets(Rule="page", Targets=[{"Id": "t", "Arn": page.url}])
        machine = created(sfn, FAIL, "orders")
        for _ in range(3):
            ended(sfn, sfn.start_execution(stateMachineArn=machine)["executionArn"])
        until(lambda: len(page.got) == 2)  # the first attempt was refused
        assert {event["detail"]["text"] for _, _, event in page.got} == {
            "2 executions of orders have failed within 3600 s"
        }


# -- the configuration -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alert", "message"),
    [
        ([], "alerts.a has to be a table with"),
        ({}, "alerts.a has to have one of failures, running, no-progress, dead-letters"),
        ({"failures": 1, "running": "1h"}, "; there are failures and running"),
        ({"failure": 1}, "there is no key 'failure'; did you mean 'failures'"),
        ({"failures": 0}, "alerts.a.failures has to be a number, at least 1; it is 0"),
        ({"failures": True}, "alerts.a.failures has to be a number"),
        ({"failures": 1, "within": "2d"}, "alerts.a.within has to be at most 1d; it is '2d'"),
        ({"failures": 1, "within": "soon"}, "alerts.a.within has to be a whole number and a unit"),
        ({"running": 60}, "alerts.a.running has to be a whole number and a unit"),
        ({"running": "0s"}, "alerts.a.running has to be a whole number and a unit"),
        ({"running": "1h", "within": "1h"}, "alerts.a.within goes with failures or dead-letters"),
        ({"running": "1h", "machines": "order"}, "alerts.a.machines has to be a list of names"),
        (
            {"dead-letters": 1, "machines": ["order"]},
            "alerts.a.machines goes with failures, running or no-progress",
        ),
        ({"running": "1h", "targets": {"t": "nowhere"}}, "alerts.a.targets.t: Parameter Arn is not valid"),
    ],
)
def test_a_mistake_is_told_at_its_place(alert: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_alerts({"a": alert}, "asl.toml")
    assert str(refused.value).startswith("asl.toml: alerts.a")
    assert message in str(refused.value)


def test_names_have_to_fit_and_to_be_free() -> None:
    with pytest.raises(InvalidInput, match=r"alerts\.a b: a name has at most 54"):
        read_alerts({"a b": {"running": "1h"}}, "asl.toml")
    taken = DeclaredRule("asl-alert-slow", "default", {}, {})
    with pytest.raises(
        InvalidInput, match=r"events\.rules\.asl-alert-slow: this is the name of the rule of alerts"
    ):
        with_alerts(([], [taken]), {"slow": {"running": "1h"}}, "asl.toml")
