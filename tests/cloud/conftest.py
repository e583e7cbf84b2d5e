"""One account for all tests of a process, emptied before each; a project; and ``asl`` to run in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import project
from tests.cloud.account import Account, moto_server, use

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["project"]


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def account(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account(endpoint)
    account.reset()
    use(account, monkeypatch)
    return account
