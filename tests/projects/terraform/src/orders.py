"""The functions of an order."""

import os


def check(event, context):
    return {**event, "stage": os.environ["STAGE"], "table": os.environ["TABLE"]}
