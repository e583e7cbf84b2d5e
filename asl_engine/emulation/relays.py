"""What topics and buckets send to functions, and buckets to the event bus.

moto puts it into queues of ours, one for each source and target.  A message is deleted when its function has
succeeded, or has failed as often as Lambda tries an asynchronous call.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from asl_engine.arn import function_name, last_part
from asl_engine.errors import AslError
from asl_engine.events.entries import bus_arn_of, whole_seconds
from asl_engine.resources.python.threads import DaemonThreads
from asl_engine.server.asynchronous import call_asynchronously

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from asl_engine.emulation.kinds.making import Relay
    from asl_engine.server.service import Service

log = logging.getLogger("asl_engine.server")

__all__ = ["Relays", "bucket_event", "bus_event", "topic_event"]

MOST_AT_A_TIME: Final = 10  # messages of a request
MOST_UNDER_WAY: Final = 50  # messages of a relay
LONG_POLL_SECONDS: Final = 20
PAUSE_SECONDS: Final = 1.0  # where the queues cannot be asked
SHOWN: Final = 200
TEST_EVENT: Final = "s3:TestEvent"  # what a bucket sends when its configuration is new
REASONS: Final = {
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Put": "PutObject",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
DETAIL_TYPES: Final = {
    "ObjectCreated:": "Object Created",
    "ObjectRemoved:": "Object Deleted",
    "ObjectRestore:Completed": "Object Restore Completed",
    "ObjectRestore:Delete": "Object Restore Expired",
    "ObjectRestore:Post": "Object Restore Initiated",
    "ObjectTagging:Delete": "Object Tags Deleted",
    "ObjectTagging:Put": "Object Tags Added",
}


class Relays:
    """Empties the queues.  ``sqs`` makes boto3's client; ``say`` hears of what was given up."""

    def __init__(self, service: Service, sqs: Callable[[], Any], say: Callable[[str], None]) -> None:
        self._service = service
        self._make_sqs = sqs
        self._say = say
        self._threads = DaemonThreads()  # polls take long: they must not keep tasks waiting
        self._relays: dict[str, Relay] = {}  # by their queues, which are called the same in each emulator
        self._running: dict[str, asyncio.Task[None]] = {}

    def become(self, relays: Iterable[Relay]) -> None:
        """Empty these queues from now on, and no others.

        What follows a queue is never cancelled for that: a poll cannot be, and would take messages for nobody.
        """
        self._relays = {relay.queue: relay for relay in relays}
        for queue in self._relays:
            if queue not in self._running or self._running[queue].done():
                self._running[queue] = asyncio.ensure_future(self._follow(queue))

    async def close(self) -> None:
        tasks = [*self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, queue: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        sqs = await self._threads.run(self._make_sqs)
        url: str | None = None
        under_way: set[asyncio.Task[None]] = set()
        try:
            while (relay := self._relays.get(queue)) is not None:
                try:
                    if url is None:
                        found = await self._threads.run(partial(sqs.get_queue_url, QueueName=queue))
                        url = str(found["QueueUrl"])
                    received = await self._threads.run(
                        partial(
                            sqs.receive_message,
                            QueueUrl=url,
                            MaxNumberOfMessages=MOST_AT_A_TIME,
                            WaitTimeSeconds=LONG_POLL_SECONDS,
                        )
                    )
                except (BotoCoreError, ClientError):  # the emulator is being started again
                    await asyncio.sleep(PAUSE_SECONDS)
                    continue
                relay = self._relays.get(queue, relay)  # it may have another subscription by now
                for message in received.get("Messages", ()):
                    task = asyncio.ensure_future(
                        self._handle(relay, message, partial(self._delete, sqs, url, message))
                    )
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    task.add_done_callback(partial(_log_defect, relay))
                while len(under_way) >= MOST_UNDER_WAY:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in under_way:
                task.cancel()

    async def _delete(self, sqs: Any, url: str, message: Mapping[str, Any]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        with suppress(BotoCoreError, ClientError):  # it is gone with the emulator
            await self._threads.run(
                partial(sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            )

    async def _handle(
        self, relay: Relay, message: Mapping[str, Any], delete: Callable[[], Awaitable[None]]
    ) -> None:
        body = json.loads(message["Body"])
        if body.get("Event") != TEST_EVENT:
            if relay.function is None:
                await self._put(relay, body, str(message["MessageId"]))
            else:
                await self._call(relay, relay.function, body, str(message["MessageId"]))
        await delete()

    async def _call(self, relay: Relay, function: str, body: dict[str, Any], identifier: str) -> None:
        event = topic_event(body, relay.subscription) if relay.subscription else bucket_event(body, identifier)
        given_up = await call_asynchronously(
            self._service,
            function,
            event,
            key=f"{relay.source}/{identifier}",
            caller=relay.source,
            name=last_part(relay.source),
        )
        if given_up is not None:
            cause = " ".join((given_up.error.cause or "").split())[:SHOWN]
            self._say(
                f"the function {function_name(function)} has failed {given_up.attempts} times with what "
                f"{last_part(relay.source)} has sent, which is given up: {given_up.error.error}: {cause}"
            )

    async def _put(self, relay: Relay, body: dict[str, Any], identifier: str) -> None:
        bus = self._service.bus
        if bus is None:
            return
        try:
            book, bus_arn = await bus.book(), bus_arn_of(bus.home, None)
            for number, record in enumerate(body.get("Records", ())):
                origin = f"{relay.source}/{identifier}/{number}"
                event = bus_event(record, relay.source, bus.identifier(origin), *bus.home)
                await bus.keep([bus.made(book, bus_arn, event, bus.now(), origin=origin)])
        except AslError as error:
            self._say(f"an event of {relay.source} is lost: {error}")


def _log_defect(relay: Relay, handled: asyncio.Task[None]) -> None:
    """What a queue of ours holds is what moto has put there, unless somebody else has."""
    error = None if handled.cancelled() else handled.exception()
    if error is not None:
        log.error("a message of %s cannot be handled", relay.queue, exc_info=error)


def topic_event(notification: Mapping[str, Any], subscription: str) -> dict[str, Any]:
    """What a function gets of a topic, of what a queue gets: "Invoking Lambda functions with Amazon SNS"."""
    sent = {
        "Type": "Notification",
        "MessageId": notification["MessageId"],
        "TopicArn": notification["TopicArn"],
        "Subject": notification.get("Subject"),
        "Message": notification["Message"],
        "Timestamp": notification["Timestamp"],
        "SignatureVersion": "1",
        "Signature": "local",
        "SigningCertUrl": "local",
        "UnsubscribeUrl": "local",
        "MessageAttributes": notification.get("MessageAttributes", {}),
    }
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
        "Sns": sent,
    }
    return {"Records": [record]}


def bucket_event(notification: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    """What a function gets of a bucket, with the members that moto leaves out: "Event message structure"."""
    return {"Records": [_record(record, identifier) for record in notification.get("Records", ())]}


def _record(record: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    told = record["s3"]
    owner = {"principalId": "LOCAL"}
    return {
        **record,
        "userIdentity": owner,
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": identifier, "x-amz-id-2": identifier},
        "s3": {
            **told,
            "bucket": {**told["bucket"], "ownerIdentity": owner},
            "object": {"sequencer": _sequencer(record), **told["object"]},
        },
    }


def _sequencer(record: Mapping[str, Any]) -> str:
    """Digits that compare as the times of the events of one key do."""
    moment = datetime.fromisoformat(str(record["eventTime"]))
    return f"{int(moment.timestamp() * 1_000_000):018X}"


def bus_event(
    record: Mapping[str, Any], source: str, identifier: str, region: str, account: str
) -> dict[str, Any]:
    """What EventBridge hears of a bucket: "EventBridge event message structure" in the User Guide of S3."""
    name, told = str(record["eventName"]), record["s3"]
    key = {
        "key": unquote_plus(told["object"]["key"]),
        "size": told["object"].get("size"),
        "etag": told["object"].get("eTag"),
        "sequencer": _sequencer(record),
    }
    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": told["bucket"]["name"]},
        "object": {field: value for field, value in key.items() if value is not None},
        "request-id": identifier,
        "requester": account,
        "source-ip-address": "127.0.0.1",
    }
    if name in REASONS:
        detail["reason"] = REASONS[name]
    if name.startswith("ObjectRemoved:"):
        marker = name.endswith("DeleteMarkerCreated")
        detail["deletion-type"] = "Delete Marker Created" if marker else "Permanently Deleted"
    moment = datetime.fromisoformat(str(record["eventTime"])).astimezone(UTC)
    return {
        "version": "0",
        "id": identifier,
        "detail-type": next((word for start, word in DETAIL_TYPES.items() if name.startswith(start)), name),
        "source": "aws.s3",
        "account": account,
        "time": whole_seconds(int(moment.timestamp() * 1000)),
        "region": region,
        "resources": [source],
        "detail": detail,
    }
