"""Charge cards."""

import logging

from asl_engine import TaskContext, idempotent, task

from ._ledger import charge

logger = logging.getLogger(__name__)


class CardDeclined(Exception):
    """It is of no use to try again."""


class BankBusy(Exception):
    """Another attempt may succeed."""


@task("chargeCard")
@idempotent
def charge_card(event: dict, context: TaskContext) -> dict:
    if event["card"] == "tok_declined":
        raise CardDeclined(event["invoiceId"])
    if event["card"] == "tok_busy" and context.attempt < 2:
        logger.warning("the bank is busy", extra={"invoice": event["invoiceId"]})
        raise BankBusy(event["invoiceId"])
    payment = charge(event["invoiceId"], sum(line["cents"] for line in event["lines"]))
    logger.info("charged", extra={"invoice": event["invoiceId"], "payment": payment})
    return {"paymentId": payment}
