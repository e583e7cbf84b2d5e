"""``python -m tests.mappings.soak``: messages through a queue mapping, some of them poison, each accounted for.

Every message is sent with a number; the function reports those that are poison.  In the end each number has been
processed or is in the dead-letter queue, and nothing is left.  The summary is a JSON object on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.mappings.harness import HOME, Function, Lab, client, run, until
from tests.resources.moto_server import moto_server

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_RECEIVES = 2
POISON_EACH = 20  # 5 %
AT_ONCE = 10
MOST_OPEN = 60
PATIENCE_SECONDS = 600


def make_queue(sqs: Any, name: str) -> str:
    """A queue with a dead-letter queue; its URL."""
    sqs.create_queue(QueueName=f"{name}-dead")
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:{':'.join(HOME)}:{name}-dead", "maxReceiveCount": MAX_RECEIVES}
    attributes = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "2"}
    return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


async def send(sqs: Any, url: str, count: int, open_ones: Callable[[int], int]) -> None:
    """Send so many; no more are open at a time than moto bears, which looks at all of them for each answer."""
    for begin in range(0, count, AT_ONCE):
        await until(partial(_has_room, open_ones, begin))
        entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(begin, min(count, begin + AT_ONCE))]
        await asyncio.to_thread(sqs.send_message_batch, QueueUrl=url, Entries=entries)


def drain(sqs: Any, name: str) -> list[int]:
    """The numbers in a queue, which is empty afterwards."""
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: list[int] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=AT_ONCE).get("Messages"):
        found += [int(message["Body"]) for message in messages]
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return found


def _has_room(open_ones: Callable[[int], int], sent: int) -> bool:
    return open_ones(sent) <= MOST_OPEN


async def soak(url: str, folder: Path, count: int, name: str = "soak") -> dict[str, Any]:
    """Send so many messages, and wait until all are accounted for: what has become of them."""
    sqs = client(url, "sqs")
    queue = make_queue(sqs, name)
    poison = {n for n in range(count) if n % POISON_EACH == 0}
    processed: list[int] = []
    dead: list[int] = []

    def work(event: dict[str, Any]) -> dict[str, Any]:
        failed = []
        for record in event["Records"]:
            if int(record["body"]) in poison:
                failed.append({"itemIdentifier": record["messageId"]})
            else:
                processed.append(int(record["body"]))
        return {"batchItemFailures": failed}

    function = Function(work)
    mapping = {
        "function": "work",
        "source": f"queue:{name}",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    begin = time.monotonic()
    healthy = count - len(poison)
    sending = asyncio.create_task(
        send(sqs, queue, count, lambda sent: sent * healthy // count - len({*processed}))
    )
    async with Lab(folder, url, work=function).polling(m=mapping) as runner:
        while len({*processed}) + len({*dead}) < count:
            if time.monotonic() - begin > PATIENCE_SECONDS:
                break
            await asyncio.sleep(0.05)
            if len({*processed}) >= healthy:
                dead += await asyncio.to_thread(drain, sqs, f"{name}-dead")
        await until(lambda: not runner.status()[0].in_flight)
        status = runner.status()[0]
    await sending
    seconds = time.monotonic() - begin
    return {
        "messages": count,
        "poison": len(poison),
        "processed": len({*processed}),
        "twice": len(processed) - len({*processed}),
        "dead": len({*dead}),
        "lost": count - len({*processed} | {*dead}),
        "wrong": len(({*processed} & poison) | ({*dead} - poison)),
        "calls": len(function.calls),
        "failed": status.failed,
        "seconds": round(seconds, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000, metavar="N")
    asked = parser.parse_args()
    with moto_server() as url, tempfile.TemporaryDirectory(prefix="asl-soak-") as folder:
        found = run(soak(url, Path(folder), asked.messages))
    sys.stdout.write(json.dumps(found) + "\n")
    return 1 if found["lost"] or found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
