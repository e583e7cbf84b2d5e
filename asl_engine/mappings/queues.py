"""A queue that is polled: messages become batches, and are deleted once the function has had them.

"Using Lambda with Amazon SQS" in the Lambda Developer Guide.  Nothing is kept here: a message that was not deleted
comes again after the queue's visibility timeout, and goes to its dead-letter queue in the end; both are SQS's.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from collections import deque
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.json_text import dumps
from asl_engine.limits import utf8_length
from asl_engine.mappings.calling import MAX_EVENT_BYTES, call_with_batch
from asl_engine.mappings.polling import SourceRefused, SourceUnreachable, ask

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from asl_engine.engine.timers import Busy
    from asl_engine.mappings.polling import Polling
    from asl_engine.mappings.settings import EventSourceMapping
    from asl_engine.mappings.status import MappingTally

__all__ = ["QueuePoller", "sqs_record"]

log = logging.getLogger("asl_engine.mappings")

# Calls at a time where no MaximumConcurrency says otherwise.  AWS begins with 5 and goes up to 1,250.
CONCURRENCY: Final = 16
MOST_AT_ONCE: Final = 10  # messages of one answer, and of one request to delete
DELETE_ATTEMPTS: Final = 5
BACKLOG_MS: Final = 10_000
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1_000, 60_000


class _Message(NamedTuple):
    record: dict[str, Any]
    size: int
    group: str | None


def sqs_record(message: dict[str, Any], arn: str, region: str) -> dict[str, Any]:
    """A message as ReceiveMessage gives it, as a function gets it."""
    record: dict[str, Any] = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": {
            name: _attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if "StringValue" in value:
        told["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        told["binaryValue"] = b64encode(value["BinaryValue"]).decode()
    return {**told, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


class QueuePoller:
    """Polls a queue until it is cancelled.  ``tally`` is what it counts."""

    def __init__(self, mapping: EventSourceMapping, polling: Polling, tally: MappingTally) -> None:
        self._mapping = mapping
        self._polling = polling
        self._tally = tally
        self._url = ""
        self._visible_ms = 0
        self._held: deque[_Message] = deque()
        self._receiving: asyncio.Task[list[_Message]] | None = None
        self._room = asyncio.Semaphore(mapping.concurrency or CONCURRENCY)
        self._groups: dict[str, asyncio.Future[None]] = {}  # those that a function has now
        self._tasks: set[asyncio.Task[None]] = set()
        self._looked_at = 0

    async def run(self) -> None:
        """Raises ``SourceRefused`` and ``SourceUnreachable`` for what keeps it from polling."""
        try:
            await self._open()
            while True:
                await self._room.acquire()
                batch = await self._gather()
                for group in {one.group for one in batch if one.group is not None}:
                    while (taken := self._groups.get(group)) is not None:
                        await asyncio.wait([taken])
                self._spawn(self._process(batch))
        finally:
            await self._close()

    async def _open(self) -> None:
        answer = await self._ask("get_queue_url", QueueName=self._mapping.source.name)
        self._url = answer["QueueUrl"]
        await self._look()
        if self._tally.polls():
            self._polling.say(f"{self._mapping.name}: polls {self._mapping.source.arn}")

    async def _look(self) -> None:
        """How many messages wait, and how long one that was received is not seen."""
        names = ["VisibilityTimeout", "ApproximateNumberOfMessages"]
        answer = await self._ask("get_queue_attributes", QueueUrl=self._url, AttributeNames=names)
        told = answer.get("Attributes") or {}
        self._visible_ms = int(told.get("VisibilityTimeout", 30)) * 1000
        self._tally.backlog = int(told.get("ApproximateNumberOfMessages", 0))
        self._looked_at = self._polling.wall()

    async def _close(self) -> None:
        tasks: list[asyncio.Task[Any]] = [*self._tasks, *filter(None, [self._receiving])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, operation: str, **members: Any) -> dict[str, Any]:
        return await ask(self._polling, "sqs", self._mapping.source.region, operation, **members)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """A task during which time does not jump."""
        busy = self._polling.timers.busy()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: busy.close())
        task.add_done_callback(lambda _: self._room.release())
        task.add_done_callback(self._look_back)

    def _look_back(self, task: asyncio.Task[None]) -> None:
        """Tell of a defect: the messages come again, and so it would go unnoticed."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a batch was given up", self._mapping.name, exc_info=error)
            self._tally.failure(0, repr(error), self._polling.clock.now())

    # -- messages become a batch ------------------------------------------------------------------

    async def _gather(self) -> list[_Message]:
        """The messages of the next batch, one at least."""
        batch: list[_Message] = []
        left = MAX_EVENT_BYTES
        due = 0
        busy: Busy | None = None
        try:
            while True:
                while self._held and len(batch) < self._mapping.batch_size:
                    if batch and self._held[0].size > left:
                        return batch
                    left -= self._held[0].size
                    batch.append(self._held.popleft())
                if batch and (not self._mapping.window or len(batch) >= self._mapping.batch_size):
                    return batch
                if not batch:
                    self._held += await self._received()
                    continue
                if busy is None:
                    busy = self._polling.timers.busy()
                    due = self._polling.clock.now() + self._mapping.window
                if not await self._received_before(due):
                    return batch
        finally:
            if busy is not None:
                busy.close()

    async def _received_before(self, due: int) -> bool:
        """Wait for more messages until a moment; whether there are any.  Called within work that is under way."""
        receiving = self._receive()
        ringing = asyncio.ensure_future(self._polling.timers.sleep_until(due))
        try:
            await asyncio.wait([receiving, ringing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ringing.cancel()
            await asyncio.wait([ringing])
        if receiving.done():
            self._held += await self._received()
            return self._polling.clock.now() < due or bool(self._held)
        return False

    def _receive(self) -> asyncio.Task[list[_Message]]:
        """The request that is under way.  It is never given up: what it brings would be seen again only later."""
        if self._receiving is None:
            self._receiving = asyncio.create_task(self._ask_for_messages())
        return self._receiving

    async def _received(self) -> list[_Message]:
        receiving = self._receive()
        await asyncio.wait([receiving])
        self._receiving = None
        return receiving.result()

    async def _ask_for_messages(self) -> list[_Message]:
        if self._polling.wall() - self._looked_at >= BACKLOG_MS:
            await self._look()
        answer = await self._ask(
            "receive_message",
            QueueUrl=self._url,
            MaxNumberOfMessages=min(MOST_AT_ONCE, self._mapping.batch_size),
            WaitTimeSeconds=self._polling.long_poll,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        if not answer.get("Messages") and self._tally.backlog:
            self._tally.backlog, self._tally.changed = 0, True
        source = self._mapping.source
        wanted, others = list[_Message](), list[_Message]()
        for message in answer.get("Messages") or ():
            record = sqs_record(message, source.arn, source.region)
            size = utf8_length(dumps(record)) + 1
            one = _Message(record, size, record["attributes"].get("MessageGroupId") if source.is_fifo else None)
            (wanted if self._mapping.filters.let_through(record) else others).append(one)
        if others:
            await self._delete(others)
            self._tally.skipped(len(others))
        return wanted

    # -- a batch and its function -----------------------------------------------------------------

    async def _process(self, batch: Sequence[_Message]) -> None:
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        groups = {one.group for one in batch if one.group is not None}
        self._groups.update(dict.fromkeys(groups, taken))
        self._tally.in_flight += len(batch)
        try:
            await self._call(batch)
        except (SourceRefused, SourceUnreachable) as error:  # what was not deleted comes again
            self._tally.failure(0, str(error), self._polling.clock.now())
            log.warning("%s: %s", self._mapping.name, error)
        finally:
            self._tally.in_flight -= len(batch)
            for group in groups:
                del self._groups[group]
            taken.set_result(None)

    async def _call(self, batch: Sequence[_Message]) -> None:
        """Call the function.  While it is not reached, try again, for as long as nobody else sees the messages."""
        polling, identifiers = self._polling, [one.record["messageId"] for one in batch]
        event = {"Records": [one.record for one in batch]}
        key = sha256("\n".join(identifiers).encode()).hexdigest()
        counts = [int(one.record["attributes"].get("ApproximateReceiveCount", 1)) for one in batch]
        until = polling.clock.now() + self._visible_ms
        pause = FIRST_PAUSE_MS
        while True:
            outcome = await call_with_batch(
                polling, self._mapping, event, identifiers, key=key, attempt=max(0, min(counts) - 1)
            )
            now = polling.clock.now()
            if outcome.reached or now + pause >= until:
                break
            self._tally.failure(0, outcome.error or "", now)
            await polling.timers.sleep_until(now + pause)
            pause = min(2 * pause, LONGEST_PAUSE_MS)
        done = [one for one in batch if one.record["messageId"] not in outcome.failed]
        if outcome.error is not None:
            self._tally.failure(len(batch) - len(done), outcome.error, now)
            polling.say(f"{self._mapping.name}: {len(batch) - len(done)} of {len(batch)} failed: {outcome.error}")
        if done:
            await self._delete(done)
            if outcome.error is None:
                self._tally.succeeded(len(done), now)
            else:
                self._tally.processed += len(done)

    async def _delete(self, messages: Sequence[_Message]) -> None:
        for begin in range(0, len(messages), MOST_AT_ONCE):
            left = {
                str(n): one.record["receiptHandle"] for n, one in enumerate(messages[begin : begin + MOST_AT_ONCE])
            }
            for attempt in range(DELETE_ATTEMPTS):
                if attempt:
                    await asyncio.sleep(0.1 * 2**attempt)  # the service's time, not the engine's
                try:
                    answer = await self._delete_some(left)
                except SourceUnreachable:
                    if attempt == DELETE_ATTEMPTS - 1:
                        raise
                    continue
                left = {one["Id"]: left[one["Id"]] for one in answer if not one.get("SenderFault")}
                if not left:
                    break

    async def _delete_some(self, handles: dict[str, str]) -> list[dict[str, Any]]:
        """Returns what could not be deleted."""
        entries = [{"Id": number, "ReceiptHandle": handle} for number, handle in handles.items()]
        answer = await self._ask("delete_message_batch", QueueUrl=self._url, Entries=entries)
        failed = list(answer.get("Failed") or ())
        for one in failed:
            log.warning("%s: a message was not deleted: %s", self._mapping.name, one.get("Message"))
        return failed
