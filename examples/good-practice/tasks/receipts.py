"""Tell customers."""

import json
import logging

from asl_engine import task

from ._ledger import send

logger = logging.getLogger(__name__)


@task("sendReceipt")
def send_receipt(event: dict) -> None:
    """Hears of executions that have succeeded; the same receipt is sent once, however often it is called."""
    payment = json.loads(event["detail"]["output"])["payment"]["paymentId"]
    if send(payment):
        logger.info("receipt sent", extra={"payment": payment})
