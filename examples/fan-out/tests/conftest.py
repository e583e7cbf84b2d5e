"""The shop's functions on moto's tables, and queues and a bus that deliver when a test says so."""

import json
import os
import sys
from itertools import count
from pathlib import Path

import pytest
from moto import mock_aws

HERE = Path(__file__).parent
TABLES = {
    "STOCK_TABLE": [("productId", "HASH", "S")],
    "ORDERS_TABLE": [("orderId", "HASH", "S")],
    "RESULTS_TABLE": [("orderId", "HASH", "S")],
    "TICKETS_TABLE": [("about", "HASH", "S")],
    "LINES_TABLE": [("orderId", "HASH", "S"), ("line", "RANGE", "N")],
}
os.environ |= {name: name for name in TABLES} | {"ITEM_QUEUE": "items", "AWS_DEFAULT_REGION": "us-east-1"}
os.environ |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
sys.path.insert(0, str(HERE.parent / "functions"))

import afterwards  # noqa: E402  it needs the variables and the path
import messages  # noqa: E402
import shop as shop_functions  # noqa: E402

MAX_RECEIVES = 3
ITEMS = [{"productId": name, "quantity": quantity} for name, quantity in [("lamp", 2), ("sofa", 1), ("lamp", 3)]]


class Killed(BaseException):
    """The process is gone: nothing in it can catch this."""


class Shop:
    """Queues, a bus, and the functions behind them.  ``deliver`` calls one of these."""

    def __init__(self, order_id):
        self.order_id = order_id
        self.queues = {"orders": [], "items": [], "dead": []}
        self.events = []
        self.announced_by = set()
        self.handled = None  # what is being handled
        self.numbers = count(1)
        self.calls = 0  # calls of services so far
        self.dies_at = None  # the number of a call, and whether it is made

    def order(self, *items):
        self.send("orders", {"orderId": self.order_id, "items": items})

    def send(self, queue, body):
        text = body if isinstance(body, str) else json.dumps(body)
        self.queues[queue].append({"messageId": f"m-{next(self.numbers)}", "body": text, "received": 0})

    def deliver(self, queue, numbers=(0,), *, keep=False):
        """Messages of a queue to its function; with ``keep``, they stay although they were handled."""
        batch = [self.queues[queue][number] for number in numbers]
        for message in batch:
            message["received"] += 1
        function = {"orders": messages.process_order, "items": messages.process_item, "dead": messages.give_up}
        records = [
            {
                "messageId": message["messageId"],
                "receiptHandle": message["messageId"],
                "body": message["body"],
                "attributes": {"ApproximateReceiveCount": str(message["received"])},
            }
            for message in batch
        ]
        self.handled = tuple(message["messageId"] for message in batch)
        failed = set(self.handled)
        try:
            answer = function[queue]({"Records": records}, None)
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        except Killed:
            self.dies_at = None
        for message in batch:
            is_over = message["messageId"] not in failed and not keep
            is_poison = queue != "dead" and message["received"] >= MAX_RECEIVES
            if is_over or is_poison:
                self.queues[queue].remove(message)
            if is_poison and message["messageId"] in failed:
                self.queues["dead"].append(message | {"received": 0})  # its id stays the same

    def drain(self):
        """Deliver everything, one message at a time, and what follows from events, each twice."""
        while waiting := [name for name, queue in self.queues.items() if queue]:
            self.deliver(waiting[0])
        self.follow()

    def follow(self):
        for event in self.events * 2:
            if event["detail-type"] == "AllItemsProcessed":
                afterwards.keep_result(event, None)
            if event["detail-type"] != "AllItemsProcessed" or event["detail"]["status"] == "INCOMPLETE":
                afterwards.open_ticket(event, None)

    # -- what functions call ------------------------------------------------------------------------------

    def send_message_batch(self, *, QueueUrl, Entries):  # noqa: N803  AWS's names
        with_calls = [(self.called, (False,)), *[(self.send, (QueueUrl, one["MessageBody"])) for one in Entries]]
        for call, arguments in [*with_calls, (self.called, (True,))]:
            call(*arguments)
        return {"Successful": [{"Id": one["Id"]} for one in Entries]}

    def change_message_visibility(self, *, QueueUrl, ReceiptHandle, VisibilityTimeout):  # noqa: N803
        assert QueueUrl == "items"
        assert ReceiptHandle
        assert VisibilityTimeout in (1, 2, 4)

    def put_events(self, *, Entries):  # noqa: N803
        self.called(False)
        (entry,) = Entries
        self.events.append({"detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])})
        if entry["DetailType"] == "AllItemsProcessed":
            self.announced_by.add(self.handled)
        self.called(True)
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}

    def called(self, is_done):
        """Before and after each call of a service, the process may be killed."""
        self.calls += not is_done
        if self.dies_at == (self.calls, is_done):
            raise Killed

    # -- what there is ------------------------------------------------------------------------------------

    def stock(self, product):
        row = shop_functions.db.get_item(TableName="STOCK_TABLE", Key={"productId": product})
        return int(row["Item"]["onHand"])

    @property
    def result(self):
        row = shop_functions.db.get_item(TableName="RESULTS_TABLE", Key={"orderId": self.order_id})
        return json.loads(row["Item"]["result"]) if "Item" in row else None

    @property
    def tickets(self):
        rows = shop_functions.db.scan(TableName="TICKETS_TABLE")["Items"]
        return {row["about"]: row["text"] for row in rows if row["about"] in self.about}

    @property
    def about(self):
        """What tickets of this shop are about."""
        return {f"order {self.order_id}", *(f"message m-{number}" for number in range(1, 100))}


@pytest.fixture
def make_shop(monkeypatch):
    """Makes a shop with ten lamps and one sofa, as often as it is called; each has an order of its own."""

    def make():
        for product, on_hand in (("lamp", 10), ("sofa", 1)):
            shop_functions.db.put_item(TableName="STOCK_TABLE", Item={"productId": product, "onHand": on_hand})
        made = Shop(f"o-{next(numbers)}")
        monkeypatch.setattr(messages, "sqs", made)
        monkeypatch.setattr(messages, "events", made)
        return made

    numbers = count(1)
    with mock_aws():
        for table, key in TABLES.items():
            shop_functions.db.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, _, kind in key],
                KeySchema=[{"AttributeName": name, "KeyType": role} for name, role, _ in key],
            )
        yield make


@pytest.fixture
def killable(make_shop):
    """A list; the calls of DynamoDB are those of the shop in it."""
    shops = [make_shop()]

    def before(**_):
        shops[0].called(False)

    def after(**_):
        shops[0].called(True)

    shop_functions.db.meta.events.register("before-call.dynamodb", before)
    shop_functions.db.meta.events.register("after-call.dynamodb", after)
    yield shops
    shop_functions.db.meta.events.unregister("before-call.dynamodb", before)
    shop_functions.db.meta.events.unregister("after-call.dynamodb", after)


@pytest.fixture
def shop(make_shop):
    return make_shop()
