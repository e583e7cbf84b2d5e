"""Gives points for what was bought: a listener that came later."""

from handlers import shop


def points(event, context):
    detail = event["detail"]
    shop.give_points(detail["orderId"], detail["userId"], detail["total"] // 100)
