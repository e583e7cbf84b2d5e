import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
sys.path.insert(0, str(FOLDER / "functions"))


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A shop of the test's own."""
    import shop

    monkeypatch.setenv("SHOP_DB", str(tmp_path / "shop.db"))
    monkeypatch.setattr(shop, "FOLDER", tmp_path)
    return shop


@pytest.fixture
def published(monkeypatch):
    """What functions put on the bus, which nobody hears of."""
    import bus

    events = []
    monkeypatch.setattr(bus, "publish", lambda *event: events.append(event))
    return events
