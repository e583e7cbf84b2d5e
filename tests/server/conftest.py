"""One server for all tests of a module; names keep the tests apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from asl_engine.resources.python.registry import Registry
from tests.server.harness import Server, running

if TYPE_CHECKING:
    from collections.abc import Iterator


def tasks() -> Registry:
    registry = Registry()
    registry.add("double", lambda event: {"n": event["n"] * 2})
    registry.add("nothing", lambda _event: None)
    registry.add("broken", lambda event: event["missing"])
    return registry


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server") / "asl.db", tasks()) as server:
        yield server


@pytest.fixture
def patient(tmp_path: Any) -> Iterator[Server]:
    """A server whose waits are real."""
    with running(tmp_path / "asl.db", skip_time=False) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Any:
    return server.client()


@pytest.fixture
def name() -> str:
    return f"m-{uuid4()}"
