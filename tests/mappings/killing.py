"""``python -m tests.mappings.killing``: what polls a stream is killed at every commit, and at random instants.

Each *life* is a fork of this process, which has imported everything: it polls until all records are accounted for.
One that is killed is followed by another, which goes on.  Then the laws are held against what is left.  The stream
is moto's, in a process of its own that nobody kills.  The summary is a JSON object on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

from asl_engine.errors import StatesError
from tests.events.killing import Doom
from tests.mappings.harness import HOME, Function, Lab, client, found
from tests.resources.moto_server import moto_server

RECORDS = 48
KEYS = 5
POISON = (7, 18, 40)
DEAD = "dead"
LAWS = (
    "no record is lost",
    "the records of a key are in order",
    "a key names the same records whenever it comes",
    "by its key, no record is done twice",
    "only poison is given up, and once",
    "a destination hears of what was given up",
    "the position is behind the last record",
)


class Play:
    """One stream of a case, and what was done with its records."""

    def __init__(self, folder: Path, url: str, name: str) -> None:
        self.folder, self.url, self.name = folder, url, name

    def begin(self) -> None:
        kinesis = client(self.url, "kinesis")
        kinesis.create_stream(StreamName=self.name, ShardCount=1)
        entries = [{"Data": str(n).encode(), "PartitionKey": f"k{n % KEYS}"} for n in range(RECORDS)]
        kinesis.put_records(StreamName=self.name, Records=entries)
        client(self.url, "sqs").create_queue(QueueName=f"{self.name}-{DEAD}")

    def end(self) -> None:
        client(self.url, "kinesis").delete_stream(StreamName=self.name)

    @property
    def effects(self) -> list[tuple[str, str, int]]:
        """The key of the call, the partition key and the number of each record that was done, in order."""
        file = self.folder / "effects"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(call, key, int(number)) for call, key, number in map(str.split, lines)]

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "asl.db", timeout=30)) as db:
            return db.execute(query).fetchall()

    def given_up(self) -> list[int]:
        events = self.rows("SELECT event FROM discarded_batches ORDER BY batch")
        return [_number(record) for (event,) in events for record in json.loads(event)["Records"]]

    def letters(self) -> set[str]:
        """The sequence numbers that the destination has heard of."""
        sqs = client(self.url, "sqs")
        url = sqs.get_queue_url(QueueName=f"{self.name}-{DEAD}")["QueueUrl"]
        heard = set()
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            heard |= {json.loads(one["Body"])["KinesisBatchInfo"]["startSequenceNumber"] for one in messages}
        return heard

    async def live(self) -> None:
        """Poll until all is done."""
        work = Function()
        lab = Lab(self.folder, self.url, work=work)
        effects = (self.folder / "effects").open("a", buffering=1)

        def do(event: dict[str, Any]) -> None:
            numbers = [_number(record) for record in event["Records"]]
            if {*numbers} & {*POISON}:
                raise StatesError("ValueError", "poison")
            effects.writelines(
                f"{work.calls[-1].key} {record['kinesis']['partitionKey']} {number}\n"
                for record, number in zip(event["Records"], numbers, strict=True)
            )

        work.answer = do
        mapping = {
            "function": "work",
            "source": f"stream:{self.name}",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 4,
            "ParallelizationFactor": 2,
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 1,
            "DestinationConfig": {
                "OnFailure": {"Destination": f"arn:aws:sqs:{':'.join(HOME)}:{self.name}-{DEAD}"}
            },
        }
        async with lab.polling(m=mapping):
            await found(lambda: self._is_over(lab))

    async def _is_over(self, lab: Lab) -> bool:
        kept = await lab.store.mappings.discarded(["KEPT"], RECORDS)
        if len(kept) < len(POISON):
            return False
        shards = await lab.store.mappings.shards(lab.arns["m"])
        return [shard.progress.get("position") for shard in shards] == [str(RECORDS)]


def _number(record: dict[str, Any]) -> int:
    return int(record["kinesis"]["sequenceNumber"]) - 1


def life(play: Play, doom: Doom | None = None, after: float | None = None) -> tuple[bool, int]:
    """Whether it was killed, and else how many commits it has made.  ``after``: killed in so many seconds."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        code = 1
        try:
            fate = doom or Doom("", 0)
            fate.watch()
            asyncio.run(play.live())
            os.write(write, str(fate.commits).encode())
            code = 0
        except BaseException:  # noqa: BLE001  the parent sees the code
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(write)
    if after is not None:
        time.sleep(after)
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    if os.WIFSIGNALED(status):
        return True, 0
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError("a life has failed")
    return False, int(told or 0)


def broken(play: Play) -> list[str]:
    """The laws that do not hold for what is left."""
    effects, given_up = play.effects, play.given_up()
    healthy = {*range(RECORDS)} - {*POISON}
    by_call: dict[str, list[int]] = defaultdict(list)
    first: dict[str, list[int]] = defaultdict(list)
    calls_of: dict[int, set[str]] = defaultdict(set)
    for call, key, number in effects:
        if number not in by_call[call]:
            by_call[call].append(number)
        if number not in first[key]:
            first[key].append(number)
        calls_of[number].add(call)
    members: dict[str, set[int]] = {call: {*numbers} for call, numbers in by_call.items()}
    (position,) = play.rows("SELECT json_extract(progress, '$.position') FROM mapping_shards")
    holds = (
        {*calls_of} | {*given_up} == {*range(RECORDS)},
        all(numbers == sorted(numbers) for numbers in first.values()),
        sum(map(len, members.values())) == len(set().union(*members.values())),
        {*calls_of} == healthy and all(len(calls) == 1 for calls in calls_of.values()),
        sorted(given_up) == [*POISON],
        play.letters() == {str(number + 1) for number in POISON},
        position == (str(RECORDS),),
    )
    return [law for law, held in zip(LAWS, holds, strict=True) if not held]


def case(url: str, name: str, *deaths: tuple[Doom | None, float | None]) -> tuple[int, list[str]]:
    """How often a process was killed, and which laws were broken."""
    with tempfile.TemporaryDirectory(prefix="asl-mappings-") as made:
        play = Play(Path(made), url, name)
        play.begin()
        kills = sum(life(play, doom, after)[0] for doom, after in deaths)
        killed, _ = life(play)
        if killed:
            raise RuntimeError(f"{name}: killed by somebody else")
        laws = broken(play)
        play.end()
        return kills, laws


def kill(url: str, stride: int, at_random: int, seed: int) -> dict[str, Any]:
    """Kill at every so many commits, and so often at random: what has come of it."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="asl-mappings-") as made:
        play = Play(Path(made), url, f"unharmed-{seed}")
        play.begin()
        begin = time.monotonic()
        _, commits = life(play)
        length = time.monotonic() - begin
        whole = broken(play)
    wrong = {"unharmed": whole} if whole else {}
    cases: dict[str, list[tuple[Doom | None, float | None]]] = {
        f"{moment}-commit-{number}": [(Doom(moment, number), None)]
        for number in range(1 + seed % stride, commits + 1, stride)
        for moment in ("before", "after")
    }
    for number in range(at_random):
        cases[f"random-{number}"] = [(None, rng.uniform(0.02, length)), (None, rng.uniform(0.02, length))]
    kills = 0
    for name, deaths in cases.items():
        killed, laws = case(url, f"{name}-{seed}", *deaths)
        kills += killed
        if laws:
            wrong[name] = laws
    return {"commits": commits, "cases": len(cases), "kills": kills, "broken": wrong}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="every Nth commit only")
    parser.add_argument("--random", type=int, default=20, metavar="N", help="kills at random instants")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with moto_server() as url:
        told = kill(url, asked.stride, asked.random, asked.seed)
    sys.stdout.write(json.dumps(told) + "\n")
    return 1 if told["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
