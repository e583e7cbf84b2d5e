"""One server for all tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from asl_engine.resources.python.registry import Registry
from tests.console.harness import Page, console
from tests.server.harness import created, ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from asl_engine.json_values import Json


def tasks() -> Registry:
    registry = Registry()
    registry.add("double", lambda event: {"n": event["n"] * 2})
    registry.add("broken", lambda event: event["missing"])
    return registry


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the server."""
    folder = tmp_path_factory.mktemp("console")
    (folder / "inputs").mkdir()
    (folder / "inputs" / "other.json").write_text('{"other": 1}')
    (folder / "inputs" / "shop-large.json").write_text('{"large": 1}')
    (folder / "inputs" / "broken.json").write_text("{")
    return folder


@pytest.fixture(scope="module")
def page(page_folder: Path) -> Iterator[Page]:
    with console(page_folder, tasks()) as found:
        yield found


@pytest.fixture
def name() -> str:
    return f"m-{uuid4()}"


@pytest.fixture
def ran(page: Page, name: str) -> Callable[..., str]:
    """Runs a definition to its end: the execution's ARN."""

    def run(definition: Json, given: str = "{}", execution: str = "one") -> str:
        client = page.server.client()
        machine = created(client, definition, name)
        arn: str = client.start_execution(stateMachineArn=machine, input=given, name=execution)["executionArn"]
        ended(client, arn)
        return arn

    return run


@pytest.fixture
def created_machine(page: Page, name: str) -> Callable[..., str]:
    def create(definition: Any, machine: str = "", kind: str = "STANDARD") -> str:
        return created(page.server.client(), definition, machine or name, type=kind)

    return create
