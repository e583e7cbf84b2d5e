"""The machine: the same work, in its order."""

from pathlib import Path

import pytest

from asl_engine.testing import fails

MACHINE = f"{Path(__file__).parents[1] / 'template.yaml'}#LargeOrder"
ORDER = {"id": "o-9", "total": 250_000, "paymentToken": "tok_visa"}
PAID = {"paymentId": "pay_o-9"}


@pytest.fixture
def large(asl):
    put = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
    return asl(MACHINE, {"ChargeCard": PAID, "ShipOrder": {"status": "fulfilled"}, "SayPaymentFailed": put})


def test_a_large_order_is_charged_and_shipped(large):
    run = large.run(ORDER)
    run.assert_succeeded({"status": "fulfilled"}).assert_path("ChargeCard", "ShipOrder")
    assert run.state("ShipOrder").calls == [{"orderId": "o-9", "paymentId": "pay_o-9"}]


def test_a_card_that_is_declined_is_not_tried_again_and_is_an_event(large):
    run = large.run(ORDER, {"ChargeCard": fails("CardDeclined", "o-9")})
    run.assert_failed("CardDeclined").assert_path("ChargeCard", "SayPaymentFailed", "PaymentFailed")
    run.state("ChargeCard").assert_attempts(1)
    ((entry,),) = [call["Entries"] for call in run.state("SayPaymentFailed").calls]
    assert (entry["DetailType"], entry["Detail"]) == (
        "PaymentFailed",
        {"orderId": "o-9", "reason": "CardDeclined"},
    )


def test_a_bank_without_an_answer_is_asked_again(large):
    busy = fails("Lambda.ServiceException", "busy")
    run = large.run(ORDER, {"ChargeCard": [busy, busy, PAID]})
    run.assert_succeeded().state("ChargeCard").assert_attempts(3, delays=[1, 2])


def test_a_closed_warehouse_fails_the_execution_after_a_second_attempt(large):
    run = large.run(ORDER, {"ShipOrder": fails("WarehouseClosed", "o-9")})
    run.assert_failed("WarehouseClosed").state("ShipOrder").assert_attempts(2)
