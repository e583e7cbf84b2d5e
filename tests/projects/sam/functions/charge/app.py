"""Charges the card of an order."""


def lambda_handler(event, context):
    return {
        **event,
        "charged": event["cents"],
        "chargedBy": context.function_name,
        "megabytes": context.memory_limit_in_mb,
    }
