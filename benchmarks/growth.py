"""How the cost of an operation grows with what is in the database: fitted, as an exponent.

    python -m benchmarks.growth [--executions 20000] [--events 10000] [--waiting 5000] [--full]

A cost that is the same for one execution as for a million has the exponent 0; one that grows with their number has
1.  The operations are those of the API, without HTTP, on a database of the given size.  --full: a million
executions, 25,000 events, 100,000 that wait.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.python.registry import Registry
from asl_engine.server.operations.table import OPERATIONS
from asl_engine.server.protocol.request import Caller, Request
from asl_engine.server.service import Service
from asl_engine.store.records import NewExecution, Record
from asl_engine.store.run_options import RunOptions
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

__all__ = ["Growth", "exponent", "measure"]

CALLER: Final = Caller("us-east-1", "123456789012")
ROLE: Final = "arn:aws:iam::123456789012:role/bench"
PASS: Final = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
WAIT: Final = json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1_000_000, "End": True}}})
LIMITED_EVENTS: Final = 25_000  # AWS allows no more
REPEATS: Final = 25
AT_ONCE: Final = 500
FEW: Final = 10  # run, and so many have failed among as few as there are
ONE_IN: Final = 100  # has failed
LEAST: Final = 2 * FEW


class Growth(NamedTuple):
    """What an operation costs, in milliseconds, for each size."""

    operation: str
    by: str
    costs: dict[int, float]

    @property
    def exponent(self) -> float:
        return exponent(self.costs)


def exponent(costs: dict[int, float]) -> float:
    """The exponent of the power of the size that fits the costs best: the slope of their logarithms."""
    points = [(math.log(size), math.log(cost)) for size, cost in costs.items()]
    middle = [statistics.fmean(values) for values in zip(*points, strict=True)]
    across = sum((size - middle[0]) ** 2 for size, _ in points)
    return sum((size - middle[0]) * (cost - middle[1]) for size, cost in points) / across


def sizes(most: int, least: int = 10) -> list[int]:
    """From the least to the most, a factor of about 10 between two: at least two."""
    found = [max(most, 10 * least)]
    while found[-1] >= least * 10:
        found.append(max(least, found[-1] // 10))
    return found[::-1]


class Api:
    """The operations of the API, in process."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.names = iter(range(10**9))

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        return await OPERATIONS[operation](Request(members, CALLER), self.service)

    async def machine(self, name: str, definition: str) -> str:
        made = await self.call("CreateStateMachine", name=name, definition=definition, roleArn=ROLE)
        return str(made["stateMachineArn"])

    async def cost(self, operation: str, **members: Any) -> float:
        """The best of some calls, in milliseconds: what else the machine does is not the operation's."""
        taken = []
        for _ in range(REPEATS):
            given = members | ({"name": f"new{next(self.names)}"} if operation == "StartExecution" else {})
            began = time.perf_counter()
            await self.call(operation, **given)
            taken.append((time.perf_counter() - began) * 1000)
        return min(taken)


async def opened(folder: Path) -> AsyncIterator[Api]:
    store = await SqliteStore.open(folder / "asl.db", synchronous="OFF")
    catalog = Catalog(Registry())
    async with Engine(store, catalog) as engine:
        yield Api(Service(store, engine, catalog))
    await store.close()


def log(status: str, at: int, transitions: int = 1) -> list[ev.Event]:
    """A history of so many Pass states."""
    given = Payload({"n": 1})
    events: list[ev.Event] = [ev.ExecutionStarted(1, 1, 0, at, 0, given, "salt")]
    for number in range(2, 2 * transitions + 2, 2):
        events.append(ev.StateEntered(number, number, number - 1 if number > 2 else 0, at, 0, "P", "Pass", given))
        events.append(ev.StateExited(number + 1, number + 1, number, at, 0, "P", "Pass", given, "P"))
    last = len(events)
    if status == "SUCCEEDED":
        events.append(ev.ExecutionSucceeded(last + 1, last + 1, last, at, 0, given))
    elif status == "FAILED":
        events.append(ev.ExecutionFailed(last + 1, last + 1, last, at, 0, "Error", "cause"))
    return events


async def fill(api: Api, machine: str, numbers: Iterable[int]) -> None:
    """Executions of a machine as they would have been left: all have ended but for a few."""
    digest = load(PASS).digest
    new = []
    for number in numbers:
        name = f"old{number}"
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        who = Identity(arn, name, machine, machine.rpartition(":")[2], ROLE, number)
        failed = number < LEAST or number % ONE_IN == 0
        status = "RUNNING" if number < FEW else "FAILED" if failed else "SUCCEEDED"
        new.append(
            NewExecution(Record(who, digest, options=RunOptions(served=True)), log(status, number, 1), None)
        )
        if len(new) == AT_ONCE:
            await kept(api, new)
            new = []
    await kept(api, new)


async def kept(api: Api, new: list[NewExecution]) -> None:
    if any(await api.service.store.create_many(new, PASS)):
        raise SystemExit("an execution could not be stored")


async def by_executions(most: int) -> list[Growth]:
    """Operations of a machine that has so many executions."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
        async for api in opened(Path(name)):
            machine = await api.machine("bench", PASS)
            done = 0
            for size in sizes(most, LEAST):
                await fill(api, machine, range(done, size))
                done = size
                arn = f"{machine.replace(':stateMachine:', ':execution:')}:old{size // 2}"
                listed: dict[str, Any] = {"stateMachineArn": machine, "maxResults": 10}
                asked: dict[str, dict[str, Any]] = {
                    "StartExecution": {"stateMachineArn": machine, "input": "{}"},
                    "DescribeExecution": {"executionArn": arn},
                    "ListExecutions": listed,
                    "ListExecutions RUNNING": listed | {"statusFilter": "RUNNING"},
                    "ListExecutions FAILED": listed | {"statusFilter": "FAILED"},
                    "ListExecutions ABORTED": listed | {"statusFilter": "ABORTED"},
                }
                for operation, members in asked.items():
                    found[operation][size] = await api.cost(operation.partition(" ")[0], **members)
    return [Growth(operation, "executions", costs) for operation, costs in found.items()]


async def by_events(most: int) -> list[Growth]:
    """Operations of an execution with so many events."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
        async for api in opened(Path(name)):
            machine = await api.machine("bench", PASS)
            for size in sizes(most):
                name_of_it = f"e{size}"
                arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name_of_it}"
                who = Identity(arn, name_of_it, machine, "bench", ROLE, 0)
                record = Record(who, load(PASS).digest, options=RunOptions(served=True))
                await kept(api, [NewExecution(record, log("SUCCEEDED", 0, (size - 2) // 2))])
                asked: dict[str, dict[str, Any]] = {
                    "DescribeExecution": {},
                    "GetExecutionHistory": {"maxResults": 10},
                    "GetExecutionHistory reversed": {"maxResults": 10, "reverseOrder": True},
                }
                for operation, members in asked.items():
                    cost = await api.cost(operation.partition(" ")[0], executionArn=arn, **members)
                    found[operation][size] = cost
                began = time.process_time()
                for _ in range(FEW):
                    await api.service.folded(record)
                found["resume, each event"][size] = (time.process_time() - began) * 1000 / size / FEW
    return [Growth(operation, "events", costs) for operation, costs in found.items()]


async def by_waiting(most: int) -> list[Growth]:
    """What an execution that waits takes to be started, and to be armed again by another process: CPU time."""
    starts: dict[int, float] = {}
    resumes: dict[int, float] = {}
    for size in sizes(most, 100):
        with tempfile.TemporaryDirectory(prefix="asl-bench-") as name:
            async for api in opened(Path(name)):
                machine = await api.machine("bench", WAIT)
                began = time.process_time()
                numbers = iter(range(size))

                async def start(api: Api = api, machine: str = machine, numbers: Any = numbers) -> None:
                    for number in numbers:
                        await api.call("StartExecution", stateMachineArn=machine, name=f"w{number}")

                await asyncio.gather(*(start() for _ in range(50)))
                starts[size] = (time.process_time() - began) * 1000 / size
            async for api in opened(Path(name)):
                began = time.process_time()
                if len(await api.service.resume_all(await api.service.unfinished(), lambda _: None)) != size:
                    raise SystemExit("not all were resumed")
                resumes[size] = (time.process_time() - began) * 1000 / size
    return [
        Growth("start, each that waits", "waiting", starts),
        Growth("resume, each that waits", "waiting", resumes),
    ]


def measure(executions: int, events: int, waiting: int) -> list[Growth]:
    return [
        *asyncio.run(by_executions(executions)),
        *asyncio.run(by_events(min(events, LIMITED_EVENTS))),
        *asyncio.run(by_waiting(waiting)),
    ]


def show(found: list[Growth]) -> None:
    print(f"{'operation':32}{'by':12}{'from':>8}{'to':>11}{'ms':>9}{'ms':>9}{'exponent':>10}")
    for one in found:
        first, last = min(one.costs), max(one.costs)
        print(
            f"{one.operation:32}{one.by:12}{first:>8,}{last:>11,}"
            f"{one.costs[first]:>9.3f}{one.costs[last]:>9.3f}{one.exponent:>10.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="How costs grow with what is in the database.")
    parser.add_argument("--executions", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--waiting", type=int, default=5_000)
    parser.add_argument("--full", action="store_true", help="1,000,000 executions, 25,000 events, 100,000 waiting")
    given = parser.parse_args()
    show(
        measure(1_000_000, LIMITED_EVENTS, 100_000)
        if given.full
        else measure(given.executions, given.events, given.waiting)
    )


if __name__ == "__main__":
    main()
