"""The functions of a parcel."""

from weights import GRAMS


def pack(event, context):
    return {**event, "status": "PACKED", "grams": GRAMS, "megabytes": context.memory_limit_in_mb}
