"""The types of resources that can be made, by CloudFormation's names of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.emulation.kinds.buckets import BUCKET
from asl_engine.emulation.kinds.queues import QUEUE
from asl_engine.emulation.kinds.streams import STREAM
from asl_engine.emulation.kinds.tables import GLOBAL_TABLE, SIMPLE_TABLE, TABLE
from asl_engine.emulation.kinds.topics import SUBSCRIPTION, TOPIC
from asl_engine.emulation.kinds.values import PARAMETER, SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.emulation.kinds.making import ResourceKind

__all__ = ["KINDS"]

KINDS: Final[Mapping[str, ResourceKind]] = {
    "AWS::DynamoDB::GlobalTable": GLOBAL_TABLE,
    "AWS::DynamoDB::Table": TABLE,
    "AWS::Kinesis::Stream": STREAM,
    "AWS::S3::Bucket": BUCKET,
    "AWS::SNS::Subscription": SUBSCRIPTION,
    "AWS::SNS::Topic": TOPIC,
    "AWS::SQS::Queue": QUEUE,
    "AWS::SSM::Parameter": PARAMETER,
    "AWS::SecretsManager::Secret": SECRET,
    "AWS::Serverless::SimpleTable": SIMPLE_TABLE,
}
