"""The write model, its stream and the read model on moto's tables."""

import json
import os
import sys
from itertools import count
from pathlib import Path

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from moto import mock_aws

HERE = Path(__file__).parent
TABLES = {
    "ORDERS_TABLE": ["orderId"],
    "SEARCH_TABLE": ["userId", "orderId"],
    "STATS_TABLE": ["userId"],
    "FAILED_TABLE": ["sequenceNumber"],
}
os.environ |= {name: name for name in TABLES} | {"AWS_DEFAULT_REGION": "us-east-1"}
os.environ |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = "disabled"  # moto knows the streams at the one address of all
sys.path.insert(0, str(HERE.parent))

from handlers import projection, read, write  # noqa: E402  they need the variables and the path
from handlers.tables import db  # noqa: E402

LAMP = {"name": "Desk Lamp", "quantity": 2, "unitPriceCents": 1250}
SOFA = {"name": "Sofa", "quantity": 1, "unitPriceCents": 50000}
POISON = {"name": "Rug", "quantity": 1, "unitPriceCents": "on request"}
serialize = TypeSerializer().serialize


class Killed(BaseException):
    """The process is gone: nothing in it can catch this."""


class Shop:
    """Orders of one user, and a reader of the stream that remembers how far it is."""

    def __init__(self, number):
        self.number = number
        self.user = f"u-{number}"
        self.streams = boto3.client("dynamodbstreams")
        self.position = 0
        self.calls = 0  # calls of DynamoDB by the function that is tried
        self.dies_at = None  # the number of a call, and whether it is made

    # -- the write model ----------------------------------------------------------------------------------

    def create(self, name, *items, user=None):
        body = {"orderId": self.id(name), "userId": user or self.user, "items": items}
        return self.asked(write.create_order, {"body": json.dumps(body)})

    def update(self, name, version, *items):
        event = {"pathParameters": {"orderId": self.id(name)}}
        return self.asked(write.update_order, event | {"body": json.dumps({"version": version, "items": items})})

    def id(self, name):
        return f"{name}-{self.number}"

    # -- the stream ---------------------------------------------------------------------------------------

    def stream(self):
        """All records since the table was made."""
        arn = db.describe_table(TableName="ORDERS_TABLE")["Table"]["LatestStreamArn"]
        (shard,) = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = self.streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return self.streams.get_records(ShardIterator=iterator)["Records"]

    def records(self):
        return self.stream()[self.position :]

    def made_up(self, *versions):
        """Records of these versions of orders, (name, version, items), which no table has."""
        orders = [
            {"orderId": self.id(name), "userId": self.user, "version": version, "items": items, "createdAt": name}
            for name, version, items in versions
        ]
        return [
            {"dynamodb": {"NewImage": {name: serialize(value) for name, value in order.items()}}}
            for order in orders
        ]

    def project(self, records):
        """Give these records to the function, as often as it takes until it neither dies nor raises."""
        deaths = 0
        while records:
            try:
                projection.update_read_model({"Records": records}, None)
            except Killed:
                self.dies_at = None
                deaths += 1
                continue
            return deaths
        return deaths

    def catch_up(self):
        self.project(self.records())

    def called(self, is_done):
        """Before and after each call of DynamoDB, the process may be killed."""
        self.calls += not is_done
        if self.dies_at == (self.calls, is_done):
            raise Killed

    # -- the read model -----------------------------------------------------------------------------------

    def search(self, **asked):
        status, found = self.asked(read.search_orders, {"queryStringParameters": {"userId": self.user} | asked})
        assert status == 200
        return {row["orderId"].partition("-")[0]: row for row in found}

    @property
    def stats(self):
        status, row = self.asked(read.get_stats, {"pathParameters": {"userId": self.user}})
        return (row["orderCount"], row["totalCents"]) if status == 200 else None

    def asked(self, function, event):
        answer = function(event, None)
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def make_shop():
    """Makes a shop with a user of its own, as often as it is called."""
    numbers = count(1)
    with mock_aws():
        for table, key in TABLES.items():
            stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
            db.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in key],
                KeySchema=[
                    {"AttributeName": name, "KeyType": role}
                    for name, role in zip(key, ("HASH", "RANGE"), strict=False)
                ],
                **({"StreamSpecification": stream} if table == "ORDERS_TABLE" else {}),
            )
        yield lambda: Shop(next(numbers))


@pytest.fixture
def killable(make_shop):
    """A list; the calls of DynamoDB are those of the shop in it."""
    shops = [make_shop()]

    def before(**_):
        shops[0].called(False)

    def after(**_):
        shops[0].called(True)

    db.meta.events.register("before-call.dynamodb", before)
    db.meta.events.register("after-call.dynamodb", after)
    yield shops
    db.meta.events.unregister("before-call.dynamodb", before)
    db.meta.events.unregister("after-call.dynamodb", after)


@pytest.fixture
def shop(make_shop):
    return make_shop()
