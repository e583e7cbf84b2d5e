"""Each listener by itself: what it does with an event, twice, late, and with one that it does not understand."""

import pytest
from handlers import inventory, loyalty, notifications, orders, publisher

ORDER = {"orderId": "123", "userId": "user_456", "items": [{"productId": "prod_789", "quantity": 2}]}
RESERVED = {"orderId": "123", "userId": "user_456", "total": 3000}


def event(detail_type, detail):
    return {"id": "e-1", "source": "shop", "detail-type": detail_type, "detail": detail}


def test_an_order_is_reserved_and_that_is_said(rows, published):
    orders.created(event("OrderCreated", ORDER | {"coupon": "a member that nobody knows"}), None)
    assert published == [("inventory", "InventoryReserved", RESERVED)]


def test_what_is_delivered_twice_is_done_once_and_said_twice(rows, published):
    for _ in range(2):
        orders.created(event("OrderCreated", ORDER), None)
        inventory.reserved(event("InventoryReserved", RESERVED), None)
        notifications.send(event("OrderFulfilled", RESERVED), None)
        loyalty.points(event("OrderFulfilled", RESERVED), None)
    assert [name for _, name, _ in published] == ["InventoryReserved", "OrderFulfilled"] * 2
    assert rows("reservations") == [("123", "prod_789", 2)]
    assert rows("payments") == [("123", 3000)]
    assert rows("mails") == [("123", "user_456", "Your order is on its way")]
    assert rows("points") == [("123", "user_456", 30)]


def test_goods_that_are_not_there_are_an_event_and_nothing_is_reserved(rows, published):
    items = [{"productId": "prod_789", "quantity": 1}, {"productId": "prod_790", "quantity": 6}]
    orders.created(event("OrderCreated", ORDER | {"items": items}), None)
    assert published == [
        ("inventory", "InventoryShort", {"orderId": "123", "userId": "user_456", "productId": "prod_790"})
    ]
    assert rows("reservations") == []


def test_a_card_that_is_declined_gives_the_goods_back(rows, published):
    poor = {"orderId": "124", "userId": "user_13"}
    orders.created(event("OrderCreated", ORDER | poor), None)
    inventory.reserved(event("InventoryReserved", RESERVED | poor), None)
    assert published[-1] == ("payments", "PaymentFailed", {**poor, "reason": "CardDeclined"})
    assert rows("reservations") == []


def test_a_failure_that_comes_after_the_payment_takes_no_goods_away(rows, published):
    from handlers import shop

    orders.created(event("OrderCreated", ORDER), None)
    inventory.reserved(event("InventoryReserved", RESERVED), None)
    shop.release("123")
    assert rows("reservations") == [("123", "prod_789", 2)]


def test_an_event_that_is_not_understood_is_an_error_and_changes_nothing(rows, published):
    with pytest.raises(KeyError, match="items"):
        orders.created(event("OrderCreated", {"orderId": "123", "userId": "user_456"}), None)
    assert (rows("reservations"), published) == ([], [])


@pytest.mark.parametrize(
    ("source", "detail_type", "detail", "why"),
    [
        (
            "orders",
            "OrderCreated",
            {"orderId": "123", "userId": "user_456"},
            "OrderCreated.items has to be of the type list",
        ),
        ("orders", "OrderCreated", ORDER | {"orderId": 123}, "OrderCreated.orderId has to be of the type str"),
        ("orders", "OrderCreatd", ORDER, "orders publishes no OrderCreatd"),
    ],
)
def test_a_publisher_keeps_its_contract(source, detail_type, detail, why):
    with pytest.raises(publisher.ContractBroken, match=why):
        publisher.publish_event(source, detail_type, detail)


def test_an_event_that_the_bus_refuses_fails_the_publisher(monkeypatch):
    class Client:
        def put_events(self, **asked):
            (entry,) = asked["Entries"]
            assert entry["EventBusName"] == "default"
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}]}

    monkeypatch.setenv("EVENT_BUS_NAME", "default")
    monkeypatch.setattr(publisher, "_client", Client)
    with pytest.raises(publisher.NotPut, match="OrderCreated: InternalFailure"):
        publisher.publish_event("orders", "OrderCreated", ORDER)
