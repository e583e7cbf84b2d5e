"""The types of resources that can be made, by CloudFormation's names of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.emulation.kinds.queues import QUEUE
from asl_engine.emulation.kinds.streams import STREAM
from asl_engine.emulation.kinds.tables import GLOBAL_TABLE, SIMPLE_TABLE, TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.emulation.kinds.making import ResourceKind

__all__ = ["KINDS"]

KINDS: Final[Mapping[str, ResourceKind]] = {
    "AWS::DynamoDB::GlobalTable": GLOBAL_TABLE,
    "AWS::DynamoDB::Table": TABLE,
    "AWS::Kinesis::Stream": STREAM,
    "AWS::SQS::Queue": QUEUE,
    "AWS::Serverless::SimpleTable": SIMPLE_TABLE,
}
