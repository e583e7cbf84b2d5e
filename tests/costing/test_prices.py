"""The table of prices: AWS's own examples come out, and prices that are given."""

from __future__ import annotations

import pytest

from asl_engine.costing.models import billed_memory
from asl_engine.costing.prices import GIVEN, price_table
from asl_engine.errors import InvalidInput

TABLE = price_table()


def test_the_express_example_of_the_pricing_page() -> None:
    """100 million workflows of 10 seconds with 64 MB: $100.00 and $382.97."""
    assert TABLE.prices["express-requests"].of_month(100_000_000) == pytest.approx(100.00)
    hours = 100_000_000 * 10 * 64 / 1024 / 3600
    assert TABLE.prices["express-memory"].of_month(hours) == pytest.approx(382.97, abs=0.01)


def test_the_memory_example_of_the_pricing_page() -> None:
    """50 KB of definition and 400 map steps with 32 KB each: 62.85 MB, billed as 64."""
    assert billed_memory(50_000, 400 * 32_000) == 64
    assert billed_memory(50_000, 436 * 32_000) == 128


@pytest.mark.parametrize(
    ("name", "quantity", "free_tier", "usd"),
    [
        ("standard-transitions", 4_000, True, 0),
        ("standard-transitions", 4_000, False, 0.1),
        ("standard-transitions", 1_004_000, True, 25.0),
        ("express-memory", 1_000, True, 60.0),
        ("express-memory", 5_001, True, 60 + 120 + 0.01642),
        ("lambda-requests", 3_000_000, True, 0.40),  # of Lambda's first example
        ("lambda-compute-x86", 1_500_000, True, 18.33337),
    ],
)
def test_a_month(name: str, quantity: float, free_tier: bool, usd: float) -> None:
    assert TABLE.prices[name].of_month(quantity, free_tier=free_tier) == pytest.approx(usd)


def test_one_execution_has_no_free_units() -> None:
    assert TABLE.prices["standard-transitions"].of(4) == pytest.approx(0.0001)


def test_every_price_says_where_it_is_from() -> None:
    for price in TABLE.prices.values():
        assert "aws.amazon.com" in price.source
        assert (price.usd is None) == (price.read is None) == price.source.startswith("unknown")
        assert price.read is None or price.read <= TABLE.date


def test_a_price_that_is_not_known_costs_nothing_that_is_known() -> None:
    assert TABLE.prices["durable-written"].of(3) is None
    assert TABLE.prices["durable-written"].of_month(3) is None


def test_given_prices() -> None:
    table = TABLE.with_given(["durable-written=0.25", "express-memory=0.1"])
    assert table.prices["durable-written"].of(2) == 0.5
    assert table.prices["express-memory"].of_month(10_000) == pytest.approx(1000)  # without tiers
    assert table.prices["durable-written"].source == GIVEN
    assert TABLE.prices["durable-written"].usd is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("durable-written", "NAME=USD"),
        (
            "durable-writen=1",
            "there is no price 'durable-writen'; did you mean 'durable-written'? (there are standard",
        ),
        ("durable-written=much", "a number of US dollars"),
        ("durable-written=-1", "a number of US dollars"),
        ("durable-written=nan", "a number of US dollars"),
    ],
)
def test_given_prices_that_are_none(given: str, told: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        TABLE.with_given([given])
    assert told in str(raised.value)
    assert given in str(raised.value)
