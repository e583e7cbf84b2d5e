"""One process polls, of all that share a database; what is given up goes with the position behind it."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from asl_engine.errors import StatesError, StoreUnavailable
from asl_engine.store.mapping_records import DONE, KEPT, REDRIVEN
from tests.mappings.harness import Function, Lab, failing, found, run, until
from tests.mappings.shards import KinesisOfAws

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MAPPING = {"function": "work", "source": "stream:s", "StartingPosition": "TRIM_HORIZON"}
TWO_WEEKS_MS = 14 * 24 * 3600 * 1000


def made(folder: Path, function: Function, *texts: str) -> Lab:
    kinesis = KinesisOfAws()
    kinesis.open("a")
    kinesis.put("a", *texts)
    lab = Lab(folder, "http://127.0.0.1:9", work=function)
    lab.clients = kinesis
    return lab


def test_another_process_polls_only_once_the_first_has_left(tmp_path: Path) -> None:
    first, second = Function(), Function()
    one, two = made(tmp_path, first, "1"), made(tmp_path, second, "1")

    async def main() -> None:
        async with one.polling(m=MAPPING) as polls:
            await until(lambda: polls.status()[0].processed == 1)
            async with two.polling(m=MAPPING) as waits:
                two.clients.put("a", "2")
                await asyncio.sleep(0.2)
                assert waits.status()[0].state == "Waiting"
                one.clients.put("a", "2")
                await until(lambda: polls.status()[0].processed == 2)
                assert not second.calls

    run(main())
    assert len(first.calls) == 2


def test_the_position_does_not_pass_what_is_given_up_before_that_is_kept(tmp_path: Path) -> None:
    """Whatever a crash leaves of the writes, a record is before the position only if something is kept of it."""
    lab = made(tmp_path, Function(failing), "1", "2")
    seen = []

    async def main() -> None:
        async with lab.polling(m=MAPPING | {"MaximumRetryAttempts": 0, "BatchSize": 1}) as runner:
            mappings = lab.store.mappings
            put = mappings.put_shards

            async def watched(records: Any, discarded: Any = ()) -> None:
                await put(records, discarded)
                for record in records:
                    position = record.progress.get("position")
                    passed = 0 if position is None else int(position) - 100
                    seen.append((passed, len(await mappings.discarded([KEPT], 10))))

            mappings.put_shards = watched  # type: ignore[method-assign]  # looks on
            await until(lambda: runner.status()[0].discarded == 2)
            await found(lambda: mappings.discarded([KEPT], 10))

    run(main())
    assert seen
    assert all(passed <= kept for passed, kept in seen)


def test_what_somebody_asks_for_is_not_overwritten(tmp_path: Path) -> None:
    """A batch that is being told of to its destination is redriven meanwhile."""
    lab = made(tmp_path, Function(failing), "1")

    async def main() -> None:
        async with lab.polling(m=MAPPING | {"MaximumRetryAttempts": 0}):
            mappings = lab.store.mappings
            (batch,) = await found(lambda: mappings.discarded([KEPT], 10))
            await mappings.redrive([batch.number])
            await mappings.settle(batch, KEPT, {"sent": "x"})
            assert [one.note for one in await mappings.discarded([REDRIVEN], 10)] == [batch.note]

    run(main())


def test_what_is_done_is_forgotten_after_two_weeks_and_nothing_else(tmp_path: Path) -> None:
    lab = made(tmp_path, Function(failing), "1", "2")

    async def main() -> None:
        async with lab.polling(m=MAPPING | {"MaximumRetryAttempts": 0, "BatchSize": 1}) as runner:
            mappings = lab.store.mappings
            await until(lambda: runner.status()[0].discarded == 2)
            first, second = await found(lambda: mappings.discarded([KEPT], 10))
            await mappings.settle(first, DONE, first.note)
            await runner.tidy(first.at + TWO_WEEKS_MS)
            assert len(await mappings.discarded([KEPT, DONE], 10)) == 2
            await runner.tidy(second.at + TWO_WEEKS_MS + 1)
            assert [one.key for one in await mappings.discarded([KEPT, DONE], 10)] == [second.key]

    run(main())


def test_nothing_goes_on_while_the_database_cannot_be_written(tmp_path: Path) -> None:
    function = Function()
    lab = made(tmp_path, function, "1")

    async def main() -> None:
        async with lab.polling(m=MAPPING) as runner:
            mappings = lab.store.mappings
            put, refusals = mappings.put_shards, iter([True])

            async def refusing(records: Any, discarded: Any = ()) -> None:
                if next(refusals, False):
                    raise StoreUnavailable("the disk is full")
                await put(records, discarded)

            mappings.put_shards = refusing  # type: ignore[method-assign]  # a disk that is full for a moment
            await until(lambda: runner.status()[0].processed == 1)

    run(main())
    assert len(function.calls) == 1


def test_a_defect_of_the_function_s_answer_takes_nothing_down(tmp_path: Path) -> None:
    function = Function(lambda _: {"batchItemFailures": 3})
    lab = made(tmp_path, function, "1")
    config = MAPPING | {"FunctionResponseTypes": ["ReportBatchItemFailures"], "MaximumRetryAttempts": 2}

    async def main() -> None:
        async with lab.polling(m=config) as runner:
            await until(lambda: runner.status()[0].discarded == 1)
            (kept,) = await found(lambda: lab.store.mappings.discarded([KEPT], 10))
            assert kept.note["error"] == "batchItemFailures is no list: 3"
            assert kept.invocation["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}

    run(main())
    assert len(function.calls) == 3


def test_a_mapping_that_is_disabled_is_not_polled(tmp_path: Path) -> None:
    function = Function()
    lab = made(tmp_path, function, "1")

    async def main() -> None:
        off = MAPPING | {"Enabled": False}
        async with lab.polling(off=off, m=MAPPING) as runner:
            await until(lambda: runner.status()[1].processed == 1)
            assert runner.status()[0].state == "Disabled"

    run(main())
    assert len(function.calls) == 1


def test_without_an_endpoint_nothing_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the AWS SDK would find by itself may be somebody's real queue."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    function = Function()
    lab = made(tmp_path, function, "1")
    lab.clients.is_given = lambda _: False

    async def main() -> None:
        async with lab.polling(m=MAPPING):
            await until(lambda: lab.said)

    run(main())
    assert "no endpoint says where kinesis is (endpoints.kinesis, or AWS_ENDPOINT_URL_KINESIS)" in lab.said[0]
    assert not function.calls


def test_a_batch_is_split_where_it_would_be_too_large(tmp_path: Path) -> None:
    function = Function()
    lab = made(tmp_path, function, *["x" * 2_000_000] * 4)

    async def main() -> None:
        async with lab.polling(m=MAPPING) as runner:
            await until(lambda: runner.status()[0].processed == 4)

    run(main())
    assert [len(function.event(n)["Records"]) for n in range(len(function.calls))] in (
        [2, 2],
        [1, 2, 1],
        [2, 1, 1],
    )


def test_a_half_that_succeeds_is_not_called_for_again(tmp_path: Path) -> None:
    def work(event: dict[str, Any]) -> None:
        if any(b64decode(one["kinesis"]["data"]) == b"4" for one in event["Records"]):
            raise StatesError("ValueError", "no")

    function = Function(work)
    lab = made(tmp_path, function, "1", "2", "3", "4")
    lab.clients.page = 10
    config = MAPPING | {"BisectBatchOnFunctionError": True, "MaximumRetryAttempts": 0}

    async def main() -> None:
        async with lab.polling(m=config) as runner:
            await until(lambda: runner.status()[0].discarded == 1)

    run(main())
    batches = [[b64decode(r["kinesis"]["data"]).decode() for r in function.event(n)["Records"]] for n in range(5)]
    assert batches == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"], ["4"]]
