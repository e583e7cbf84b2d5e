"""The table of prices: what a quantity costs, with free units and tiers; and prices that the user gives."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

__all__ = ["GIVEN", "Price", "PriceTable", "price_table"]

FILE = Path(__file__).with_name("prices.toml")
GIVEN = "given"  # the source of a price that the user gives


class Price(NamedTuple):
    """``usd`` US dollars buy ``per`` units, None where the price is unknown.

    ``free`` units a month cost nothing; each of ``tiers`` is a number of units a month, and the price of those
    above.
    """

    name: str
    usd: float | None
    per: float
    unit: str
    source: str
    read: date | None = None
    free: float = 0
    tiers: tuple[tuple[float, float], ...] = ()

    def of(self, quantity: float) -> float | None:
        """What so many units cost at the first tier's price, in US dollars."""
        return None if self.usd is None else quantity / self.per * self.usd

    def of_month(self, quantity: float, *, free_tier: bool = True) -> float | None:
        """What so many units in one month cost: without the free ones, and each tier at its price."""
        if self.usd is None:
            return None
        left = max(0.0, quantity - (self.free if free_tier else 0))
        steps = [(0.0, self.usd), *self.tiers, (math.inf, 0.0)]
        return sum(
            max(0.0, min(left, above) - begin) / self.per * usd for (begin, usd), (above, _) in pairwise(steps)
        )


class PriceTable(NamedTuple):
    """Prices by name, as of a day and in a region."""

    date: date
    region: str
    prices: Mapping[str, Price]

    def with_given(self, given: Iterable[str]) -> PriceTable:
        """With prices as ``NAME=USD``, which have no tiers.  Raises ``InvalidInput``."""
        prices = dict(self.prices)
        for text in given:
            name, equals, value = text.partition("=")
            if not equals:
                raise InvalidInput(Parameter("price", text), ": it is NAME=USD, such as durable-written=0.25")
            if name not in prices:
                raise InvalidInput(
                    Parameter("price", text),
                    f": there is no price {name!r}{did_you_mean(name, prices)} (there are {', '.join(prices)})",
                )
            prices[name] = prices[name]._replace(usd=_dollars(text, value), source=GIVEN, read=None, tiers=())
        return self._replace(prices=prices)


def _dollars(text: str, value: str) -> float:
    try:
        usd = float(value)
    except ValueError:
        usd = math.nan
    if not (math.isfinite(usd) and usd >= 0):
        raise InvalidInput(Parameter("price", text), ": a price is a number of US dollars, such as 0.25")
    return usd


@cache
def price_table() -> PriceTable:
    """The table that comes with the package."""
    from tomllib import loads

    table = loads(FILE.read_text(encoding="utf-8"))
    prices = {
        name: Price(
            name,
            entry.get("usd"),
            entry["per"],
            entry["unit"],
            entry["source"],
            entry.get("read"),
            entry.get("free", 0),
            tuple((above, usd) for above, usd in entry.get("tiers", ())),
        )
        for name, entry in table["prices"].items()
    }
    return PriceTable(table["date"], table["region"], prices)
