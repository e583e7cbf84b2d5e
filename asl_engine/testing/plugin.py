"""The pytest plugin: the fixture ``asl``, and the paths of a failed test's runs in its report.

It is loaded with every pytest where the package is installed, so it imports nothing before a test asks for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from asl_engine.testing.workflow import Workflow

__all__ = ["asl", "pytest_runtest_makereport", "workflows"]

MADE = pytest.StashKey[list["Workflow"]]()


@contextmanager
def workflows(test_id: str | None, made: list[Workflow]) -> Iterator[Callable[..., Workflow]]:
    """``Workflow`` for one test: those that it makes go into ``made``, and are closed in the end."""
    from asl_engine.testing.workflow import Workflow

    def workflow(definition: Any, tasks: Any = None, **options: Any) -> Workflow:
        made.append(Workflow(definition, tasks, **{"test_id": test_id, **options}))
        return made[-1]

    try:
        yield workflow
    finally:
        for one in made:
            one.close()


@pytest.fixture
def asl(request: pytest.FixtureRequest) -> Iterator[Callable[..., Workflow]]:
    """State machines under test: ``asl("order.json", tasks={...})`` is a ``Workflow``; see asl_engine.testing."""
    made = request.node.stash.setdefault(MADE, [])
    with workflows(request.node.nodeid, made) as workflow:
        yield workflow


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows which paths its runs took, unless its message does already."""
    report = yield
    made = item.stash.get(MADE, [])
    if made and call.when == "call" and report.failed and call.excinfo is not None:
        said = str(call.excinfo.value)
        for run in (run for workflow in made for run in workflow.runs):
            title = run.tree.partition("\n")[0]
            if title not in said:
                report.sections.append((f"workflow run {run.name}", run.tree))
    return report
