"""Rules of a project's configuration: what they come to, and what is refused."""

from __future__ import annotations

import asyncio
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import InvalidInput
from asl_engine.events.bus import EventBus
from asl_engine.events.declared import declare, read_declared
from asl_engine.events.entries import Home
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
HOME = Home("us-east-1", "123456789012")
DECLARED = f"""
buses = ["orders"]

[rules.big]
bus = "orders"
description = "large orders"
pattern = {{ source = ["shop"], detail = {{ total = [{{ numeric = [">", 100] }}] }} }}
targets.note = "{FUNCTION}"
targets.hook = {{ Arn = "http://localhost:1/x", RetryPolicy = {{ MaximumRetryAttempts = 3 }} }}

[rules.nightly]
schedule = "cron(0 3 * * ? *)"
enabled = false
"""


def test_declared_rules_are_those_of_the_configuration(tmp_path: Path) -> None:
    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db", synchronous="OFF")
        bus = EventBus(store.bus, lambda: 1_700_000_000_000, HOME)
        await declare(bus, HOME, *read_declared(tomllib.loads(DECLARED), "asl.toml"))
        book = await bus.book()
        assert [*book.buses] == ["arn:aws:events:us-east-1:123456789012:event-bus/orders"]
        big, nightly = book.rules.values()
        assert big.arn == "arn:aws:events:us-east-1:123456789012:rule/nightly" or "orders/big" in big.arn
        by_name = {rule.arn.rpartition("/")[2]: rule for rule in (big, nightly)}
        assert by_name["big"].configuration["EventPattern"] == (
            '{"source":["shop"],"detail":{"total":[{"numeric":[">",100]}]}}'
        )
        assert by_name["nightly"].configuration["State"] == "DISABLED"
        assert all(rule.declared for rule in by_name.values())
        targets = book.targets[by_name["big"].arn]
        assert targets["hook"].configuration == {"RetryPolicy": {"MaximumRetryAttempts": 3}}
        assert targets["note"].arn == FUNCTION
        await declare(bus, HOME, *read_declared({"rules": {"one": {"schedule": "rate(1 day)"}}}, "asl.toml"))
        book = await bus.book()
        (left,) = book.rules.values()
        assert left.arn.endswith("rule/one")
        assert left.next_at == 1_700_000_000_000 + 86_400_000
        assert not book.targets
        await store.close()

    asyncio.run(main())


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"rule": {}}, "asl.toml: events: there is no key 'rule'; did you mean 'rules'"),
    ({"buses": "orders"}, "asl.toml: events.buses has to be a list of names"),
    ({"rules": {"a": {}}}, "asl.toml: events.rules.a has to have a pattern or a schedule, and not both"),
    ({"rules": {"a": {"patern": {}}}}, "events.rules.a: there is no key 'patern'; did you mean 'pattern'"),
    (
        {"rules": {"a": {"pattern": {"source": [{"prefx": "x"}]}}}},
        "events.rules.a.pattern: /source\\[0\\]: Unrecognized match type prefx; did you mean 'prefix'",
    ),
    ({"rules": {"a": {"schedule": "0 3 * * *"}}}, "events.rules.a.schedule: .*the five fields of Unix"),
    ({"rules": {"a": {"schedule": "rate(1 day)", "bus": "b"}}, "buses": ["b"]}, "on the default bus only"),
    ({"rules": {"a": {"schedule": "rate(1 day)", "bus": "b"}}}, "on the default bus only"),
    ({"rules": {"a": {"pattern": {"a": [1]}, "bus": "b"}}}, "there is no bus 'b'; there are default"),
    (
        {"rules": {"a": {"pattern": {"a": [1]}, "targets": {"t": "x"}}}},
        "targets.t: Parameter Arn is not valid: x is",
    ),
    ({"rules": {"a": {"pattern": {"a": [1]}, "targets": {"t": {}}}}}, "targets.t.Arn is missing"),
    (
        {"rules": {"a": {"pattern": {"a": [1]}, "targets": {"t": {"arn": "x"}}}}},
        "there is no key 'arn'; did you mean",
    ),
]


@pytest.mark.parametrize(("table", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_what_cannot_be_declared_is_refused_at_its_place(table: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_declared(table, "asl.toml")
