"""Shards that split and merge, iterators that expire, records that are gone before they are read."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from asl_engine.store.mapping_records import DONE
from tests.mappings.harness import Function, Lab, failing, found, run, until
from tests.mappings.shards import KinesisOfAws

if TYPE_CHECKING:
    from pathlib import Path

MAPPING = {"function": "work", "source": "stream:s", "StartingPosition": "TRIM_HORIZON"}


def texts(function: Function) -> list[str]:
    return [b64decode(record["kinesis"]["data"]).decode() for record in function.records]


def made(folder: Path, kinesis: KinesisOfAws, function: Function) -> Lab:
    lab = Lab(folder, "http://127.0.0.1:9", work=function)
    lab.clients = kinesis
    return lab


async def processed(lab: Lab, count: int, **more: Any) -> None:
    async with lab.polling(m=MAPPING | more) as runner:
        await until(lambda: runner.status()[0].processed == count)


def test_a_shard_is_read_once_its_parents_are_read_to_their_end(tmp_path: Path) -> None:
    kinesis, function = KinesisOfAws(), Function()
    kinesis.open("a")
    kinesis.open("b")
    kinesis.put("a", "a1", "a2", "a3")
    kinesis.put("b", "b1")
    kinesis.open("ab", "a", "b")  # they merge
    kinesis.put("ab", "ab1")
    kinesis.open("left", "ab")  # and split
    kinesis.open("right", "ab")
    kinesis.put("left", "l1")
    kinesis.put("right", "r1")
    lab = made(tmp_path, kinesis, function)
    run(processed(lab, 7))
    order = texts(function)
    assert [text for text in order if text[0] == "a" and text != "ab1"] == ["a1", "a2", "a3"]
    assert order.index("ab1") == 4
    assert {*order[5:]} == {"l1", "r1"}

    async def more() -> None:
        kinesis.put("right", "r2")
        await processed(lab, 8)
        assert texts(function)[8 - 1 :] == ["r2"]

    run(more())


def test_a_failing_parent_keeps_its_child_waiting(tmp_path: Path) -> None:
    kinesis, function = KinesisOfAws(), Function(failing)
    kinesis.open("a")
    kinesis.put("a", "a1")
    kinesis.open("child", "a")
    kinesis.put("child", "c1")
    lab = made(tmp_path, kinesis, function)

    async def main() -> None:
        async with lab.polling(m=MAPPING) as runner:
            await until(lambda: len(function.calls) > 3)
            assert {*texts(function)} == {"a1"}
            function.answer = lambda _: None
            await until(lambda: runner.status()[0].processed == 2)

    run(main())
    assert texts(function)[-1] == "c1"


def test_an_iterator_that_has_expired_is_asked_for_anew(tmp_path: Path) -> None:
    kinesis, function = KinesisOfAws(), Function()
    kinesis.open("a")
    kinesis.put("a", "1", "2", "3", "4", "5")
    codes = iter([None, "ExpiredIteratorException", None, "ExpiredIteratorException"])
    kinesis.fault = lambda _: next(codes, None)
    run(processed(made(tmp_path, kinesis, function), 5))
    assert texts(function) == ["1", "2", "3", "4", "5"]


def test_a_service_that_does_not_answer_for_a_while_is_asked_again(tmp_path: Path) -> None:
    kinesis, function = KinesisOfAws(), Function()
    kinesis.open("a")
    kinesis.put("a", "1")
    codes = iter(["ProvisionedThroughputExceededException"])
    kinesis.fault = lambda _: next(codes, None)
    run(processed(made(tmp_path, kinesis, function), 1))
    assert texts(function) == ["1"]


def test_what_is_gone_before_it_was_read_is_told_of(tmp_path: Path) -> None:
    kinesis, function = KinesisOfAws(), Function()
    kinesis.open("a")
    kinesis.put("a", "1", "2", "3")
    lab = made(tmp_path, kinesis, function)
    run(processed(lab, 3))
    kinesis.put("a", "4", "5", "6")
    kinesis.trimmed = kinesis.number - 1

    async def main() -> None:
        async with lab.polling(m=MAPPING) as runner:
            await until(lambda: runner.status()[0].processed == 4)
            (lost,) = await found(lambda: lab.store.mappings.discarded([DONE], 10))
            assert lost.invocation["requestContext"]["condition"] == "RecordsTrimmed"
            assert lost.note["error"] == "records after 103 of a are gone from the stream"

    run(main())
    assert texts(function) == ["1", "2", "3", "6"]
    assert any("it goes on with the oldest that there is" in line for line in lab.said)


def test_latest_skips_nothing_that_came_after_a_process_began_and_died(tmp_path: Path) -> None:
    kinesis, function = KinesisOfAws(), Function()
    kinesis.open("a")
    lab = made(tmp_path, kinesis, function)
    latest = {"StartingPosition": "LATEST"}

    async def begin() -> None:
        async with lab.polling(m=MAPPING | latest):
            await found(lambda: _begun(lab))

    run(begin())
    kinesis.put("a", "while nobody read")
    run(processed(lab, 1, **latest))
    assert texts(function) == ["while nobody read"]


async def _begun(lab: Lab) -> bool:
    shards = await lab.store.mappings.shards(lab.arns["m"])
    return any(shard.progress.get("begun") for shard in shards)


def test_another_parallelization_factor_does_nothing_again(tmp_path: Path) -> None:
    """A lane was ahead of the others when the factor changed."""
    kinesis, function = KinesisOfAws(), Function()
    kinesis.open("a")
    kinesis.put("a", "slow", key="slow")
    for number in range(4):
        kinesis.put("a", f"fast{number}", key=f"fast{number}")

    def work(event: dict[str, Any]) -> None:
        if event["Records"][0]["kinesis"]["partitionKey"] == "slow":
            failing()

    function.answer = work
    lab = made(tmp_path, kinesis, function)
    lab.stands_still = True

    async def first() -> None:
        async with lab.polling(m=MAPPING | {"ParallelizationFactor": 10, "BatchSize": 1}) as runner:
            await until(lambda: runner.status()[0].processed >= 3)  # one may share the lane of the slow one

    run(first())
    done = {text for text in texts(function) if text != "slow"}
    again = Function()
    lab = made(tmp_path, kinesis, again)

    async def second() -> None:
        async with lab.polling(m=MAPPING | {"ParallelizationFactor": 2, "BatchSize": 1}) as runner:
            await until(lambda: runner.status()[0].processed == 5)

    run(second())
    assert not done & {*texts(again)}
    assert "slow" in texts(again)
