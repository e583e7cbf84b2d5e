"""Topics of SNS and their subscriptions.

moto delivers to queues and over HTTP by itself.  A function gets its messages from a relay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import function_name
from asl_engine.emulation.kinds.making import ResourceKind, attributes, is_refused, relay_queue
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.emulation.kinds.making import Maker
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["SUBSCRIPTION", "TOPIC"]

ATTRIBUTES: Final = (
    "ContentBasedDeduplication",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "SignatureVersion",
)
OF_SUBSCRIPTION: Final = ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")
SQS: Final = "sqs"
LAMBDA: Final = "lambda"
FIFO: Final = ".fifo"


def make_topic(maker: Maker, topic: DeclaredResource) -> bool:
    from botocore.exceptions import ClientError

    sns = maker.client("sns")
    try:
        sns.get_topic_attributes(TopicArn=maker.arn("sns", topic.name))
    except ClientError as error:
        if not is_refused(error, "NotFound"):
            raise
    else:
        return False
    own = attributes(topic.properties, ATTRIBUTES)
    if own.get("FifoTopic") == "false":  # it is only ever given as true
        del own["FifoTopic"]
    sns.create_topic(Name=topic.name, Attributes=own)
    return True


def connect_topic(maker: Maker, topic: DeclaredResource) -> None:
    """Subscribe what the topic itself lists."""
    given: Any = topic.properties.get("Subscription") or ()
    for subscription in given:
        _subscribe(maker, maker.arn("sns", topic.name), subscription)


def subscribed(maker: Maker, subscription: DeclaredResource) -> bool:
    """A subscription needs its topic and its endpoint, so it is made when all others are."""
    del maker
    return bool(subscription.properties)


def connect_subscription(maker: Maker, subscription: DeclaredResource) -> None:
    topic = subscription.properties.get("TopicArn")
    if not isinstance(topic, str):
        raise InvalidInput(f"TopicArn has to be the ARN of a topic; it is {topic!r}")
    _subscribe(maker, topic, subscription.properties)


def _subscribe(maker: Maker, topic: str, given: Mapping[str, Any]) -> None:
    protocol, endpoint = given.get("Protocol"), given.get("Endpoint")
    if not isinstance(protocol, str) or not isinstance(endpoint, str):
        raise InvalidInput(f"a subscription has to have a Protocol and an Endpoint: {protocol!r}, {endpoint!r}")
    own = attributes(given, OF_SUBSCRIPTION)
    sns = maker.client("sns")
    if protocol != LAMBDA:
        if attributes(given, ("RawMessageDelivery",)).get("RawMessageDelivery") == "true":
            own["RawMessageDelivery"] = "true"
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=own)
        return
    if function_name(endpoint) is None:
        raise InvalidInput(f"the Endpoint of a subscription by lambda is the ARN of a function, not {endpoint!r}")
    if topic.endswith(FIFO):
        raise InvalidInput("a FIFO topic delivers to queues only: its subscription by lambda is none")
    queue = relay_queue(maker, topic, endpoint)
    made = sns.subscribe(TopicArn=topic, Protocol=SQS, Endpoint=maker.arn(SQS, queue), Attributes=own)
    maker.relay(topic, endpoint, queue, made["SubscriptionArn"])


TOPIC: Final = ResourceKind(
    "sns",
    make_topic,
    frozenset(
        {
            *ATTRIBUTES,
            "ArchivePolicy",
            "DataProtectionPolicy",
            "DeliveryStatusLogging",
            "MaximumMessageSize",
            "Subscription",
            "Tags",
            "TopicName",
            "TracingConfig",
        }
    ),
    connect_topic,
)
SUBSCRIPTION: Final = ResourceKind(
    "sns",
    subscribed,
    frozenset(
        {
            *OF_SUBSCRIPTION,
            "Endpoint",
            "Protocol",
            "RawMessageDelivery",
            "Region",
            "ReplayPolicy",
            "SubscriptionRoleArn",
            "TopicArn",
        }
    ),
    connect_subscription,
)
