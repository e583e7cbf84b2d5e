"""The shop's HTTP API."""

import json
import os

import boto3

dynamodb = boto3.resource("dynamodb")
MACHINES = {"map": "ORDER_MACHINE", "distributed-map": "LARGE_ORDER_MACHINE"}


def put_stock(event, _context):
    product, on_hand = event["pathParameters"]["productId"], json.loads(event["body"])["onHand"]
    dynamodb.Table(os.environ["STOCK_TABLE"]).put_item(Item={"productId": product, "onHand": on_hand})
    return answer(200, {"productId": product, "onHand": on_hand})


def get_stock(event, _context):
    product = event["pathParameters"]["productId"]
    row = dynamodb.Table(os.environ["STOCK_TABLE"]).get_item(Key={"productId": product}, ConsistentRead=True)
    if "Item" not in row:
        return answer(404, {"message": f"there is no product {product}"})
    return answer(200, {"productId": product, "onHand": int(row["Item"]["onHand"])})


def post_order(event, _context):
    """Accept an order.  ``?by=map`` and ``?by=distributed-map`` start a state machine; else it is a message."""
    try:
        order = json.loads(event.get("body") or "")
    except ValueError:
        return answer(400, {"message": "the order is not JSON"})
    order_id, items = (order.get("orderId"), order.get("items")) if isinstance(order, dict) else (None, None)
    if not (isinstance(order_id, str) and order_id and isinstance(items, list)):
        return answer(400, {"message": "an order has an orderId and a list of items"})
    if not all(isinstance(item, dict) for item in items):
        return answer(400, {"message": "each item is an object with a productId and a quantity"})
    by = (event.get("queryStringParameters") or {}).get("by", "messages")
    body = json.dumps({"orderId": order_id, "items": items})
    if by == "messages":
        boto3.client("sqs").send_message(QueueUrl=os.environ["ORDER_QUEUE"], MessageBody=body)
    elif by in MACHINES:
        start(os.environ[MACHINES[by]], order_id, body)
    else:
        return answer(400, {"message": f"an order goes by messages, {' or '.join(MACHINES)}"})
    return answer(202, {"orderId": order_id})


def start(machine, name, body):
    """A name has one execution, so an order that comes twice is started once."""
    machines = boto3.client("stepfunctions")
    try:
        machines.start_execution(stateMachineArn=machine, name=name, input=body)
    except machines.exceptions.ExecutionAlreadyExists:
        print(f"{name} was started before")


def get_order(event, _context):
    order_id = event["pathParameters"]["orderId"]
    row = dynamodb.Table(os.environ["RESULTS_TABLE"]).get_item(Key={"orderId": order_id}, ConsistentRead=True)
    if "Item" not in row:
        return answer(404, {"message": f"the order {order_id} is not done"})
    return answer(200, json.loads(row["Item"]["result"]))


def get_tickets(_event, _context):
    rows = dynamodb.Table(os.environ["TICKETS_TABLE"]).scan(ConsistentRead=True)["Items"]
    return answer(200, sorted(rows, key=lambda row: row["about"]))


def answer(status, body):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
