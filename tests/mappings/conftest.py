"""moto's server, one for all tests of mappings in a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.mappings.harness import client
from tests.resources.moto_server import moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def sqs(url: str) -> Any:
    return client(url, "sqs")
