"""``python -m tests.events.killing``: a server with a bus is killed at every commit, and at random instants.

Each *life* is a fork of this process, which has imported everything: it serves the database, plays a client
against it, and ends when everything is over.  One that is killed is followed by another, which goes on.  Then the
laws are held against what is left.  The summary is a JSON object on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.engine.clock import SkippingClock
from asl_engine.limits import AWS_LIMITS
from asl_engine.resources.python.registry import Registry
from asl_engine.server.protocol.request import Caller
from asl_engine.server.serve import Listening, bind, serve
from asl_engine.store.sqlite import writer
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT = "us-east-1:123456789012"
BUS = f"arn:aws:events:{ACCOUNT}:event-bus/"
MACHINE = f"arn:aws:states:{ACCOUNT}:stateMachine:"
FUNCTION = f"arn:aws:lambda:{ACCOUNT}:function:note"
PUTTER = {
    "StartAt": "P",
    "States": {
        "P": {
            "Type": "Task",
            "Resource": "arn:aws:states:::events:putEvents",
            "Parameters": {"Entries": [{"Source": "shop", "DetailType": "task", "Detail": {"n": 0}}]},
            "End": True,
        }
    },
}
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
PUTS = 3
SPAN = {"EventStartTime": 0, "EventEndTime": 4_000_000_000}
PATIENCE_SECONDS = 60
LAWS = (
    "an acknowledged event is there",
    "no delivery is lost",
    "a function is called for each delivery",
    "an execution is started once for each delivery",
    "an event is passed on once for each delivery",
    "a task puts its event once",
    "an archived event is replayed once",
    "a change of status is told once",
)


class Doom:
    """Kills this process before or after the commit of a number; never where that is 0."""

    def __init__(self, moment: str, number: int) -> None:
        self.moment, self.number, self.commits = moment, number, 0

    def watch(self) -> None:
        original = writer.write_together

        def deadly(db: sqlite3.Connection, appends: Sequence[Any]) -> Any:
            self.commits += 1
            self.strike("before")
            outcomes = original(db, appends)
            self.strike("after")
            return outcomes

        writer.write_together = deadly

    def strike(self, moment: str) -> None:
        if self.moment == moment and self.commits == self.number:
            os.kill(os.getpid(), signal.SIGKILL)


class Client:
    """Asks until everything is over; what was acknowledged is in a file, which no kill takes away."""

    def __init__(self, folder: Path, place: Listening) -> None:
        self.folder, self.place = folder, place

    def ask(self, target: str, **members: Any) -> tuple[int, Any]:
        connection = HTTPConnection(*self.place, timeout=PATIENCE_SECONDS)
        kind = "1.1" if target.startswith("AWSEvents") else "1.0"
        headers = {"Content-Type": f"application/x-amz-json-{kind}", "X-Amz-Target": target}
        try:
            connection.request("POST", "/", json.dumps(members), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def events(self, operation: str, **members: Any) -> Any:
        status, answer = self.ask(f"AWSEvents.{operation}", **members)
        if status != 200 and "AlreadyExists" not in answer["__type"]:
            raise RuntimeError(answer)
        return answer

    def states(self, operation: str, **members: Any) -> Any:
        status, answer = self.ask(f"AWSStepFunctions.{operation}", **members)
        if status != 200 and "AlreadyExists" not in answer["__type"]:
            raise RuntimeError(answer)
        return answer

    def rule(self, name: str, pattern: Any, *targets: str, bus: str = "default") -> None:
        self.events("PutRule", Name=name, EventPattern=json.dumps(pattern), EventBusName=bus)
        given = [{"Id": f"t{n}", "Arn": arn} for n, arn in enumerate(targets)]
        self.events("PutTargets", Rule=name, EventBusName=bus, Targets=given)

    def play(self) -> None:
        for name, definition in (("work", PASS), ("putter", PUTTER)):
            role = "arn:aws:iam::123456789012:role/r"
            self.states("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=role)
        self.events("CreateEventBus", Name="second")
        self.events(
            "CreateArchive", ArchiveName="kept", EventSourceArn=f"{BUS}default", EventPattern='{"source":["shop"]}'
        )
        self.rule("second", {"source": ["shop"]}, FUNCTION, bus="second")
        told = {"source": ["aws.states"], "detail": {"stateMachineArn": [f"{MACHINE}putter"]}}
        self.rule("told", told, FUNCTION)
        self.rule("shop", {"source": ["shop"]}, FUNCTION, f"{MACHINE}work", f"{BUS}second")
        kept = self.folder / "acknowledged"
        for n in range(len(kept.read_text().split()) if kept.exists() else 0, PUTS):
            entry = {"Source": "shop", "DetailType": "d", "Detail": json.dumps({"n": n})}
            (answer,) = self.events("PutEvents", Entries=[entry])["Entries"]
            with kept.open("a") as file:
                file.write(answer["EventId"] + "\n")
        self.states("StartExecution", stateMachineArn=f"{MACHINE}putter", name="one")
        self.wait(lambda: self.executions("putter", "SUCCEEDED") == 1)
        to = {"Arn": f"{BUS}default"}
        archive = f"arn:aws:events:{ACCOUNT}:archive/kept"
        self.events("StartReplay", ReplayName="again", EventSourceArn=archive, Destination=to, **SPAN)
        self.wait(lambda: self.events("DescribeReplay", ReplayName="again")["State"] == "COMPLETED")
        self.wait(lambda: not rows(self.folder, "SELECT 1 FROM deliveries WHERE status = 'PENDING'"))
        self.wait(lambda: self.executions("work", "RUNNING") == 0)

    def executions(self, machine: str, status: str) -> int:
        found = self.states("ListExecutions", stateMachineArn=f"{MACHINE}{machine}", statusFilter=status)
        return len(found["executions"])

    def wait(self, look: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not look():
            if time.monotonic() > deadline:
                raise RuntimeError("nothing comes any more")
            time.sleep(0.005)


def rows(folder: Path, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(folder / "asl.db", timeout=30)) as db:
        return db.execute(query, values).fetchall()


async def live(folder: Path) -> None:
    registry = Registry()

    def note(event: Any) -> None:
        with (folder / "calls").open("a") as file:
            file.write(f"{event['id']}\n")

    registry.add("note", note)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    failures: list[BaseException] = []

    def begin(place: Listening) -> None:
        def work() -> None:
            try:
                Client(folder, place).play()
            except BaseException as error:  # noqa: BLE001  this process tells of it
                failures.append(error)
            loop.call_soon_threadsafe(over.set)

        threading.Thread(target=work, daemon=True).start()

    store = await SqliteStore.open(folder / "asl.db", synchronous="OFF")
    with bind("127.0.0.1", 0) as listener:
        await serve(
            store,
            listener,
            registry,
            default=Caller(*ACCOUNT.split(":")),
            clock=SkippingClock(),
            limits=AWS_LIMITS,
            stop=over.wait(),
            ready=begin,
        )
    await store.close()
    if failures:
        raise failures[0]


def life(folder: Path, doom: Doom | None = None, after: float | None = None) -> tuple[bool, int]:
    """Whether it was killed, and else how many commits it has made.  ``after``: killed in so many seconds."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        code = 1
        try:
            fate = doom or Doom("", 0)
            fate.watch()
            asyncio.run(live(folder))
            os.write(write, str(fate.commits).encode())
            code = 0
        except BaseException:  # noqa: BLE001  the parent sees the code
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(write)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    if os.WIFSIGNALED(status):
        return True, 0
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError("a life has failed")
    return False, int(told or 0)


def broken(folder: Path) -> list[str]:
    """The laws that do not hold for what is left."""
    events = {
        number: (bus, json.loads(text))
        for number, bus, text in rows(folder, "SELECT event, bus_arn, text FROM bus_events")
    }
    made = rows(folder, "SELECT event, rule_arn, target, status FROM deliveries")
    calls = Counter((folder / "calls").read_text().split())
    kept = (folder / "acknowledged").read_text().split()
    shop = {
        number: event
        for number, (bus, event) in events.items()
        if event["source"] == "shop" and bus == f"{BUS}default"
    }
    plain = {number: event for number, event in shop.items() if "replay-name" not in event}
    to_machine = [event for event, rule, target, _ in made if rule.endswith("rule/shop") and target == "t1"]
    to_bus = [event for event, rule, target, _ in made if rule.endswith("rule/shop") and target == "t2"]
    functions = Counter(
        events[event][1]["id"]
        for event, rule, target, _ in made
        if not (rule.endswith("rule/shop") and target != "t0")
    )
    started = rows(folder, "SELECT name FROM executions WHERE machine_name = 'work'")
    passed = Counter(event["id"] for bus, event in events.values() if bus == f"{BUS}second")
    wanted = Counter(events[event][1]["id"] for event in to_bus)
    told = Counter(event["detail"]["status"] for _, event in events.values() if event["source"] == "aws.states")
    replayed = Counter(event["id"] for event in shop.values() if "replay-name" in event)
    holds = (
        {event["id"] for event in plain.values()} >= {*kept} and len(kept) == PUTS,
        all(status == "DELIVERED" for *_, status in made) and {*shop} == {*to_machine} == {*to_bus},
        all(calls[event] >= count for event, count in functions.items()),
        len(started) == len(to_machine) == len({*started}),
        passed == wanted,
        sum(event["detail-type"] == "task" for event in plain.values()) == 1,
        replayed == Counter(event["id"] for event in plain.values()),
        told == {"RUNNING": 1, "SUCCEEDED": 1},
    )
    return [law for law, held in zip(LAWS, holds, strict=True) if not held]


def case(name: str, *deaths: tuple[Doom | None, float | None]) -> tuple[int, list[str]]:
    """How often a server was killed, and which laws were broken."""
    with tempfile.TemporaryDirectory(prefix="asl-bus-") as made:
        folder = Path(made)
        kills = sum(life(folder, doom, after)[0] for doom, after in deaths)
        killed, _ = life(folder)
        if killed:
            raise RuntimeError(f"{name}: killed by somebody else")
        return kills, broken(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="every Nth commit only")
    parser.add_argument("--random", type=int, default=20, metavar="N", help="kills at random instants")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="asl-bus-") as made:
        begin = time.monotonic()
        _, commits = life(Path(made))
        length = time.monotonic() - begin
        whole = broken(Path(made))
    found = {"unharmed": whole} if whole else {}
    kills = 0
    cases: dict[str, list[tuple[Doom | None, float | None]]] = {
        f"{moment} commit {number}": [(Doom(moment, number), None)]
        for number in range(1, commits + 1, asked.stride)
        for moment in ("before", "after")
    }
    for number in range(asked.random):
        cases[f"at random {number}"] = [(None, rng.uniform(0.02, length)), (None, rng.uniform(0.02, length))]
    for name, deaths in cases.items():
        killed, laws = case(name, *deaths)
        kills += killed
        if laws:
            found[name] = laws
    sys.stdout.write(json.dumps({"commits": commits, "cases": len(cases), "kills": kills, "broken": found}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
