"""The write model: each order is made once, and each change knows what it changes."""

import pytest
from conftest import LAMP, SOFA
from handlers import write


def test_an_order_is_made_once(shop):
    status, order = shop.create("a", LAMP)
    assert (status, order["version"], order["items"]) == (201, 1, [LAMP])
    assert shop.create("a", SOFA) == (409, {"message": f"there is an order {shop.id('a')} already"})
    assert len(shop.records()) == 1


def test_a_change_is_made_to_the_version_that_was_seen(shop):
    shop.create("a", LAMP)
    status, order = shop.update("a", 1, LAMP, SOFA)
    assert (status, order["version"], order["userId"], order["items"]) == (200, 2, shop.user, [LAMP, SOFA])
    assert shop.update("a", 1, SOFA) == (409, {"message": f"the order {shop.id('a')} has the version 2"})
    assert shop.update("b", 1, SOFA)[0] == 404


@pytest.mark.parametrize("body", [None, "", "{", "[]", "{}", '{"orderId": "o", "userId": "", "items": []}'])
def test_what_is_no_order(shop, body):
    assert shop.asked(write.create_order, {"body": body})[0] == 400
    assert shop.asked(write.update_order, {"body": body, "pathParameters": {"orderId": "o"}})[0] == 400
