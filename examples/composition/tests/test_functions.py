"""Each function by itself, called as Lambda calls it, and called twice."""

import base64
import json

import pytest

ORDER = {"id": "o-1", "total": 4200, "paymentToken": "tok_visa"}


def posted(body, **more):
    return {"body": body, "isBase64Encoded": False, **more}


def test_an_order_is_accepted_and_passed_on(shop, published):
    import orders

    answer = orders.validate(posted(json.dumps(ORDER)), None)
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (202, "processing")
    assert published == [("orders", "OrderValidated", ORDER)]
    assert json.loads(orders.get({"pathParameters": {"id": "o-1"}}, None)["body"])["status"] == "processing"


def test_the_body_may_be_in_base64(shop, published):
    import orders

    body = base64.b64encode(json.dumps(ORDER).encode()).decode()
    assert orders.validate(posted(body, isBase64Encoded=True), None)["statusCode"] == 202


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (None, ["the body is not JSON"]),
        ("{", ["the body is not JSON"]),
        ("[]", ["an order is an object"]),
        ('{"id": "", "total": 1, "paymentToken": "t"}', ["id has to be a text"]),
        (
            '{"id": "o-1", "total": true}',
            ["paymentToken has to be a text", "total has to be a positive number of cents"],
        ),
    ],
)
def test_all_that_is_wrong_is_told_and_nothing_is_put(shop, published, body, errors):
    import orders

    answer = orders.validate(posted(body), None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (400, {"errors": errors})
    assert published == []


def test_an_order_that_is_posted_twice_is_one_and_another_of_its_name_is_refused(shop, published):
    import orders

    for _ in range(2):
        assert orders.validate(posted(json.dumps(ORDER)), None)["statusCode"] == 202
    assert orders.validate(posted(json.dumps({**ORDER, "total": 1})), None)["statusCode"] == 409
    assert orders.get({"pathParameters": {"id": "o-2"}}, None)["statusCode"] == 404


def test_a_repeated_delivery_charges_once_and_says_the_same_again(shop, published):
    import payments

    for _ in range(2):
        payments.process({"detail": ORDER}, None)
    assert published == [("payments", "PaymentProcessed", {"orderId": "o-1", "paymentId": "pay_o-1"})] * 2


def test_a_card_that_is_declined_is_an_event_and_the_customer_is_told_once(shop, published):
    import customers
    import payments

    shop.accept(ORDER)
    payments.process({"detail": {**ORDER, "paymentToken": "tok_declined"}}, None)
    ((source, detail_type, detail),) = published
    assert (source, detail_type) == ("payments", "PaymentFailed")
    for _ in range(2):
        customers.tell({"detail": detail}, None)
    order = shop.find("o-1")
    assert (order["status"], order["mails"]) == ("rejected", ["Your payment was refused: CardDeclined"])


def test_a_paid_order_is_shipped_once_and_a_closed_warehouse_is_an_error(shop):
    import fulfillment

    shop.accept(ORDER)
    paid = {"detail": {"orderId": "o-1", "paymentId": "pay_o-1"}}
    closed = shop.FOLDER / "warehouse-closed"
    closed.touch()
    with pytest.raises(shop.WarehouseClosed):
        fulfillment.fulfill(paid, None)
    closed.unlink()
    for _ in range(2):
        fulfillment.fulfill(paid, None)
    assert shop.find("o-1") == {
        "id": "o-1",
        "status": "fulfilled",
        "paymentId": "pay_o-1",
        "mails": ["Your order is on its way"],
    }
    with pytest.raises(shop.UnknownOrder):
        fulfillment.fulfill({"detail": {"orderId": "o-2", "paymentId": "p"}}, None)


def test_an_event_that_the_bus_refuses_fails_the_function(monkeypatch):
    import bus

    class Client:
        def put_events(self, **_):
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}]}

    monkeypatch.setenv("EVENT_BUS_NAME", "default")
    monkeypatch.setattr(bus, "_client", Client)
    with pytest.raises(bus.NotPut, match="OrderValidated: InternalFailure"):
        bus.publish("orders", "OrderValidated", ORDER)
