"""Fan-out by messages: each order ends once, whatever comes twice and whatever dies."""

import random

import pytest
import shop as functions
from conftest import ITEMS


def result(shop, *outcomes, items=ITEMS):
    lines = [{"line": n, **item, "outcome": outcomes[n]} for n, item in enumerate(items)]
    status = "COMPLETE" if {*outcomes} <= {"RESERVED"} else "INCOMPLETE"
    return {"orderId": shop.order_id, "status": status, "lines": lines}


def test_an_order_is_done_when_its_last_item_is(shop):
    shop.order(*ITEMS)
    shop.deliver("orders")
    shop.deliver("items", [2])
    shop.deliver("items", [0])
    assert shop.events == []
    shop.deliver("items")
    (event,) = shop.events
    assert event["detail"] == result(shop, "RESERVED", "RESERVED", "RESERVED")
    shop.drain()
    assert shop.result == event["detail"]
    assert (shop.stock("lamp"), shop.stock("sofa"), shop.tickets) == (5, 0, {})


def test_an_order_without_items_is_done_at_once(shop):
    shop.order()
    shop.drain()
    assert shop.result == result(shop, items=[])


def test_more_items_than_one_request_takes(shop):
    items = [{"productId": "sofa", "quantity": 1}] * 25
    shop.order(*items)
    shop.deliver("orders")
    assert len(shop.queues["items"]) == 25
    shop.drain()
    assert shop.result == result(shop, "RESERVED", *["OUT_OF_STOCK"] * 24, items=items)
    assert shop.stock("sofa") == 0


def test_what_is_out_of_stock_is_told_and_takes_nothing(shop):
    items = [*ITEMS, {"productId": "sofa", "quantity": 1}]
    shop.order(*items)
    shop.drain()
    assert shop.result == result(shop, "RESERVED", "RESERVED", "RESERVED", "OUT_OF_STOCK", items=items)
    assert shop.tickets == {f"order {shop.order_id}": "1 x sofa: OUT_OF_STOCK"}


@pytest.mark.parametrize(
    "poison", [{"productId": "unicorn", "quantity": 1}, {"productId": "lamp", "quantity": -1}, {"quantity": 1}]
)
def test_a_poison_item_is_given_up_and_the_order_ends_without_it(shop, poison):
    items = [poison, *ITEMS]
    shop.order(*items)
    shop.deliver("orders")
    shop.deliver("items", [3, 2, 1])  # its turn comes last
    for _ in range(3):
        assert shop.events == []
        shop.deliver("items")
    assert [len(queue) for queue in shop.queues.values()] == [0, 0, 1]
    shop.drain()
    expected = result(shop, "FAILED", "RESERVED", "RESERVED", "RESERVED", items=items)
    assert shop.result == {**expected, "lines": [{"productId": None, **line} for line in expected["lines"]]}
    assert [*shop.tickets] == [f"order {shop.order_id}"]
    assert (shop.stock("lamp"), shop.stock("sofa")) == (5, 0)


@pytest.mark.parametrize("queue", ["orders", "items"])
@pytest.mark.parametrize("body", ["{", "[]", '{"orderId": "o-9", "line": 0, "item": {}}'])
def test_a_message_that_makes_no_sense_is_shown_to_a_person(shop, queue, body):
    shop.send(queue, body)
    shop.drain()
    assert shop.tickets == {"message m-1": body}


def test_what_is_given_up_takes_nothing_from_the_stock_afterwards(shop):
    """A function that was slow goes on with a message that has come to the dead letters meanwhile."""
    assert functions.settle("o-1", 0, "FAILED") == "FAILED"
    assert functions.reserve("o-1", 0, ITEMS[0]) == "FAILED"
    assert shop.stock("lamp") == 10


def test_an_order_that_comes_again_when_it_is_done_stays_done(shop):
    shop.order(*ITEMS)
    shop.deliver("orders", keep=True)
    while shop.queues["items"]:
        shop.deliver("items")
    shop.drain()
    assert len(shop.events) == 1
    assert (shop.stock("lamp"), shop.stock("sofa")) == (5, 0)


def test_everything_comes_twice_in_any_order(make_shop):
    """An order ends once, and what is announced twice is the same."""
    for seed in range(5):
        chance, shop = random.Random(seed), make_shop()
        shop.order(*ITEMS)
        shop.deliver("orders", keep=True)
        shop.deliver("orders")
        assert len(shop.queues["items"]) == 2 * len(ITEMS)
        while waiting := len(shop.queues["items"]):
            several = chance.sample(range(waiting), chance.randint(1, min(3, waiting)))
            shop.deliver("items", several, keep=chance.random() < 0.5)
        shop.drain()
        assert shop.result == result(shop, "RESERVED", "RESERVED", "RESERVED"), seed
        assert (shop.stock("lamp"), shop.stock("sofa"), shop.tickets) == (5, 0, {}), seed
        assert {event["detail"]["orderId"] for event in shop.events} == {shop.order_id}, seed


def test_killed_before_and_after_any_call_it_ends_consistent(make_shop, killable):
    """Each call of a service is the last thing that a process does, once before and once after it is made."""
    kills = number = 0
    while kills == 2 * number:
        number += 1
        for is_done in (False, True):
            killable[0] = shop = make_shop()
            shop.calls, shop.dies_at = 0, (number, is_done)
            shop.order(*ITEMS[:2], {"productId": "unicorn", "quantity": 1})
            while waiting := [name for name, queue in shop.queues.items() if queue]:
                shop.deliver(waiting[0])
            kills += shop.dies_at is None
            shop.dies_at = None
            shop.follow()
            why = (number, is_done)
            assert [line["outcome"] for line in shop.result["lines"]] == ["RESERVED", "RESERVED", "FAILED"], why
            assert (shop.stock("lamp"), shop.stock("sofa")) == (8, 0), why
            assert shop.tickets == {f"order {shop.order_id}": "1 x unicorn: FAILED"}, why
            assert len(shop.announced_by) == 1, why
    assert kills > 30
