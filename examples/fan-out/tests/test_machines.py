"""Fan-out by Map states: the same functions, and the same result."""

from pathlib import Path

import pytest
import shop as functions
import steps
from conftest import ITEMS

from asl_engine.testing import fails

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
MACHINES = ["fan-out", "fan-out-large"]
PUT = {"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}
POISON = {"productId": "unicorn", "quantity": 1}


@pytest.fixture(params=MACHINES)
def machine(asl, request, shop):
    def call(function):
        return lambda event: function(event, None)

    names = {"ReserveItem": call(steps.reserve_item), "CloseOrder": call(steps.close_order)}
    made = asl(f"{TEMPLATE}#{request.param}", {**names, "events:putEvents": PUT})
    made.shop = shop
    return made


def by_messages(shop, items):
    shop.order(*items)
    shop.drain()
    return shop.result | {"orderId": "o-by-map"}


@pytest.mark.parametrize(
    "items",
    [
        [],
        ITEMS[:1],
        [*ITEMS[:1], {"productId": "sofa", "quantity": 9}],
        [*ITEMS[:1] * 5, {"quantity": 1}],
        [*ITEMS[:1] * 5, POISON],
    ],
)
def test_the_result_is_that_of_messages(machine, items):
    for product in ("lamp", "sofa"):  # enough for both
        functions.db.put_item(
            TableName="STOCK_TABLE", Item={"productId": product, "onHand": 100 * (product == "lamp")}
        )
    run = machine.run({"orderId": "o-by-map", "items": items})
    run.assert_succeeded(by_messages(machine.shop, items))
    (put,) = run.state("AllItemsProcessed").calls
    assert put["Entries"][0]["Detail"] == run.output


@pytest.mark.usefixtures("shop")
def test_a_poison_item_is_tried_three_times_and_given_up(asl):
    order = asl(
        f"{TEMPLATE}#fan-out", {"CloseOrder": {}, "ReserveItem": fails("UnknownProduct"), "events:putEvents": PUT}
    )
    run = order.run({"orderId": "o-1", "items": [POISON]})
    run.assert_succeeded().state("ReserveItem").assert_attempts(3)


def test_too_many_failures_stop_a_large_order(asl, shop):
    """What is left then has failed, and takes nothing from the stock any more."""
    names = {"CloseOrder": lambda event: steps.close_order(event, None), "ReserveItem": fails("UnknownProduct")}
    order = asl(f"{TEMPLATE}#fan-out-large", {**names, "events:putEvents": PUT})
    run = order.run({"orderId": "o-1", "items": ITEMS})
    run.assert_succeeded().assert_path("EachItem", "CloseOrder", "AllItemsProcessed")
    assert [line["outcome"] for line in run.output["lines"]] == ["FAILED"] * 3
    assert functions.reserve("o-1", 0, ITEMS[0]) == "FAILED"
    assert shop.stock("lamp") == 10
