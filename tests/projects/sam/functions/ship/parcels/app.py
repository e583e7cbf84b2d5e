"""Makes a parcel of an order."""

import os


def lambda_handler(event, context):
    return {**event, "status": "SHIPPED", "queue": os.environ["QUEUE_URL"]}
