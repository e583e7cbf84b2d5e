"""Which of the first functions hears of which event: a listener that comes later is nobody's concern here."""

import json
from pathlib import Path

import pytest
import yaml
from handlers.publisher import CONTRACTS

from asl_engine.events.language.patterns import compile_pattern

FUNCTIONS = yaml.safe_load((Path(__file__).parents[1] / "serverless.yml").read_text())["functions"]
HEARD = {
    ("orders", "OrderCreated"): ["orderCreated"],
    ("inventory", "InventoryReserved"): ["inventoryReserved"],
    ("orders", "OrderFulfilled"): ["sendNotification"],
    ("payments", "PaymentFailed"): ["sendNotification"],
    ("inventory", "InventoryShort"): [],  # nobody yet
}


@pytest.mark.parametrize(("source", "detail_type"), CONTRACTS)
def test_who_hears_of_an_event(source, detail_type):
    event = {"source": source, "detail-type": detail_type, "detail": {}}
    first = ("orderCreated", "inventoryReserved", "sendNotification")
    patterns = {name: FUNCTIONS[name]["events"][0]["eventBridge"]["pattern"] for name in first}
    heard = [name for name, pattern in patterns.items() if compile_pattern(json.dumps(pattern)).matches(event)]
    assert heard == HEARD[source, detail_type]
