import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
sys.path.insert(0, str(FOLDER))


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Files of the test's own, and nothing left from another test in a function's process."""
    from tasks import _ledger, catalogue

    monkeypatch.setattr(_ledger, "FOLDER", tmp_path)
    catalogue.connection.cache_clear()
    catalogue.price.cache_clear()
    yield tmp_path
    if catalogue.connection.cache_info().currsize:
        catalogue.connection().close()
