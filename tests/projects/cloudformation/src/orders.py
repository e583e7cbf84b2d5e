"""Checks an order against what the stage allows."""

import os


def check(event, context):
    if event["cents"] > int(os.environ["MOST_CENTS"]):
        raise ValueError("too much for this stage")
    return {
        **event,
        "carrier": os.environ["FIRST_CARRIER"],
        "mode": os.environ["MODE"],
        "bus": os.environ["BUS"],
        "nothing": os.environ.get("NOTHING"),
    }
