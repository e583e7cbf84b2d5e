"""Greets whoever asks, and hears of orders that are shipped."""

import json


def lambda_handler(event, context):
    if "detail" in event:
        print("heard of", event["detail"]["name"])
        return None
    name = event["pathParameters"]["name"]
    print("greeting", name)
    return {"statusCode": 200, "body": json.dumps({"message": f"hello {name}"})}
