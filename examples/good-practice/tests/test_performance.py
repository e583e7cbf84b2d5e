"""Cold starts, connections and caches: what costs time is done late, once, and kept."""

import subprocess
import sys
from pathlib import Path

from tasks import catalogue

FOLDER = Path(__file__).parents[1]
# What takes longer to import than the rest of a cold start together: only the call that needs it imports it.
SLOW = {"boto3", "numpy", "pandas", "requests"}


def test_no_function_imports_what_is_slow():
    program = "import sys, tasks.catalogue, tasks.payments, tasks.receipts; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=FOLDER, capture_output=True, text=True, check=True)
    assert SLOW.isdisjoint(done.stdout.split())


def test_a_connection_is_opened_by_the_first_call_and_kept_and_prices_are_asked_for_once(shop):
    assert catalogue.connection.cache_info().currsize == 0
    for product in ("widget", "gadget", "widget", "widget"):
        catalogue.price_line({"product": product, "quantity": 1})
    assert catalogue.connection.cache_info().misses == 1
    assert (catalogue.price.cache_info().misses, catalogue.price.cache_info().hits) == (2, 2)
