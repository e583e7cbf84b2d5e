"""Convert images in batches: of messages, or of the items of a distributed Map."""

import json

from asl_engine import task


class TooManyFailed(Exception):
    """Of a batch of items: so its child execution fails, and counts."""


@task
def convert(event: dict) -> dict:
    """The same function for both: a batch of messages has Records, a batch of items has Items."""
    if "Records" in event:
        return _messages(event["Records"])
    return _items(event["Items"])


def _messages(records: list) -> dict:
    """Lambda keeps the messages that are named here, and deletes the others."""
    failed = []
    for record in records:
        try:
            _convert(json.loads(record["body"]))
        except ValueError:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _items(items: list) -> dict:
    """A batch is an execution: what fails in it is told, and only a batch of failures fails."""
    done, failed = [], []
    for item in items:
        try:
            done.append(_convert(item))
        except ValueError:
            failed.append(item)
    if not done:
        raise TooManyFailed(f"none of {len(items)}")
    return {"done": done, "failed": failed}


def _convert(image: dict) -> str:
    name, dot, kind = image["name"].rpartition(".")
    if not dot or kind not in {"gif", "jpg", "png"}:
        raise ValueError(f"{image['name']} is no image")
    return f"{name}.webp"
