"""Single responsibility, idempotency, failures and retries."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tasks.catalogue import UnknownProduct, price_line
from tasks.payments import CardDeclined, charge_card
from tasks.receipts import send_receipt

from asl_engine import TaskContext
from asl_engine.testing import fails
from tasks import _ledger

FOLDER = Path(__file__).parents[1]
MACHINE = str(FOLDER / "statemachines" / "invoice.json")
INVOICE = json.loads((FOLDER / "inputs" / "invoice.json").read_text())
PRICED = INVOICE | {"lines": [{"product": "widget", "quantity": 2, "cents": 2500}]}
PAID = {"paymentId": "pay_1"}


@pytest.fixture
def invoice(asl):
    return asl(MACHINE, {"priceLine": lambda line: line | {"cents": 100}, "chargeCard": PAID})


# -- one responsibility: each function is tried by itself ----------------------------------------------


def test_a_line_is_priced(shop):
    assert price_line({"product": "widget", "quantity": 2}) == {"product": "widget", "quantity": 2, "cents": 2500}
    with pytest.raises(UnknownProduct, match="gizmo"):
        price_line({"product": "gizmo", "quantity": 1})


def test_a_card_is_charged_or_declined(shop):
    assert charge_card(PRICED, TaskContext()) == PAID
    with pytest.raises(CardDeclined, match="i-1"):
        charge_card(PRICED | {"card": "tok_declined"}, TaskContext())


# -- idempotency ---------------------------------------------------------------------------------------


def charges(folder):
    with closing(sqlite3.connect(folder / "bank.db")) as db:
        return db.execute("SELECT count(*) FROM charges").fetchone()[0]


def test_an_attempt_that_is_repeated_charges_once_and_another_attempt_again(shop, monkeypatch):
    monkeypatch.setenv("ASL_DB", str(shop / "asl.db"))  # answers are kept beside it
    first, second = (
        TaskContext(
            idempotency_key=f"arn:aws:states:us-east-1:123456789012:execution:invoice:i-1:{n}", execution_id="1"
        )
        for n in (7, 9)
    )
    assert charge_card(PRICED, first) == charge_card(PRICED, first) == PAID
    assert charges(shop) == 1
    charge_card(PRICED, second)
    assert charges(shop) == 2


def test_a_receipt_is_sent_once_for_each_payment(shop):
    event = {"detail": {"output": json.dumps({"payment": PAID})}}
    assert _ledger.send("pay_0")
    for _ in range(2):
        send_receipt(event)
    assert not _ledger.send("pay_1")


# -- failures and retries, in virtual time -------------------------------------------------------------


def test_a_busy_bank_is_asked_again(invoice):
    busy = fails("BankBusy", "i-1")
    run = invoice.run(INVOICE, {"chargeCard": [busy, busy, PAID]})
    run.assert_succeeded().state("ChargeCard").assert_attempts(3, delays=[2, 4])

    run = invoice.run(INVOICE, {"chargeCard": busy})
    run.assert_failed("BankBusy").state("ChargeCard").assert_attempts(4, delays=[2, 4, 8])


@pytest.mark.parametrize(
    ("function", "error", "path"),
    [
        ("priceLine", "UnknownProduct", ["PriceLines", "Refused"]),
        ("chargeCard", "CardDeclined", ["PriceLines", "ChargeCard", "Refused"]),
    ],
)
def test_what_nobody_can_mend_is_not_tried_again(invoice, function, error, path):
    run = invoice.run(INVOICE | {"lines": INVOICE["lines"][:1]}, {function: fails(error, "no")})
    run.assert_failed(error).assert_path(*path)


def test_a_function_that_is_throttled_is_called_again(invoice):
    throttled = "Lambda.TooManyRequestsException"
    run = invoice.run(INVOICE, faults=[f"PriceLine:{throttled}@1-2", f"ChargeCard:{throttled}@1"])
    run.assert_succeeded().state("ChargeCard").assert_attempts(2)


def test_a_payment_that_times_out_may_have_come_through_and_is_not_tried_again(invoice):
    run = invoice.run(INVOICE, faults=["ChargeCard:States.Timeout@1"])
    run.assert_failed("PaymentUnclear").state("ChargeCard").assert_attempts(1)
