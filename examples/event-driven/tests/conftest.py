import sys
from pathlib import Path

import pytest

QUERIES = {
    "reservations": "SELECT * FROM reservations ORDER BY order_id, product",
    "payments": "SELECT * FROM payments ORDER BY order_id",
    "mails": "SELECT * FROM mails ORDER BY order_id, text",
    "points": "SELECT * FROM points ORDER BY order_id",
}

sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """What is in a shop of the test's own: ``rows("mails")``."""
    from handlers import shop

    monkeypatch.setenv("SHOP_DB", str(tmp_path / "shop.db"))

    def read(table):
        with shop.database() as db:
            return db.execute(QUERIES[table]).fetchall()

    return read


@pytest.fixture
def published(monkeypatch):
    """What handlers publish, held against the contracts, and heard of by nobody."""
    from handlers import publisher

    events = []

    def publish(source, detail_type, detail):
        publisher.check(source, detail_type, detail)
        events.append((source, detail_type, detail))

    monkeypatch.setattr(publisher, "publish_event", publish)
    return events
