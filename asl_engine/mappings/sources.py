"""What a mapping can read from: a queue, the stream of a table, a Kinesis stream."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from asl_engine.arn import parse_arn, partition_of
from asl_engine.errors import InvalidInput

__all__ = ["KINESIS", "LATEST_STREAM", "QUEUE", "TABLE", "Source", "source_of"]

QUEUE: Final = "queue"
TABLE: Final = "table"
KINESIS: Final = "stream"
LATEST_STREAM: Final = "/stream/LATEST"  # of a table: whichever it has
FORMS: Final = (
    "it is the ARN of a queue, of a table, of its stream or of a Kinesis stream, or queue:NAME, table:NAME or "
    "stream:NAME"
)
# Of each kind: botocore's name of its service, and how its ARN goes on.
SERVICES: Final = {QUEUE: ("sqs", ""), TABLE: ("dynamodb", "table/"), KINESIS: ("kinesis", "stream/")}
SHORT: Final = re.compile(r"(queue|table|stream):([^:/]+)")
CONSUMER: Final = "/consumer/"


class Source(NamedTuple):
    """A source.  ``name`` is that of the queue, the table or the Kinesis stream; a table's ARN has its stream."""

    kind: str
    arn: str
    region: str
    account: str
    name: str

    @property
    def is_fifo(self) -> bool:
        return self.kind == QUEUE and self.name.endswith(".fifo")

    @property
    def service(self) -> str:
        """botocore's name of the service that the records come from."""
        return {QUEUE: "sqs", TABLE: "dynamodbstreams", KINESIS: "kinesis"}[self.kind]


def source_of(text: str, region: str, account: str) -> Source:
    """The source of an ARN, or of a kind and a name in this region and account.  Raises ``InvalidInput``."""
    short = SHORT.fullmatch(text)
    if short is not None:
        kind, name = short.groups()
        service, path = SERVICES[kind]
        end = LATEST_STREAM if kind == TABLE else ""
        arn = f"arn:{partition_of(region)}:{service}:{region}:{account}:{path}{name}{end}"
        return Source(kind, arn, region, account, name)
    found = parse_arn(text)
    if found is None:
        raise InvalidInput(f"{text!r} is no source; {FORMS}")
    if found.service == "sqs" and found.resource:
        return Source(QUEUE, text, found.region, found.account, found.resource)
    if found.service == "dynamodb" and found.resource.startswith("table/"):
        name, slash, _ = found.resource.removeprefix("table/").partition("/stream/")
        return Source(TABLE, text if slash else text + LATEST_STREAM, found.region, found.account, name)
    if found.service == "kinesis" and found.resource.startswith("stream/"):
        if CONSUMER in found.resource:
            raise InvalidInput(
                f"{text} is a consumer with its own throughput, which pushes records over HTTP/2; "
                "name its stream instead: the records are the same"
            )
        return Source(KINESIS, text, found.region, found.account, found.resource.removeprefix("stream/"))
    raise InvalidInput(f"{text} is no source that can be polled here; {FORMS}")
