"""The pytest plugin: the fixture ``asl``.

It is loaded with every pytest where the package is installed, so it imports nothing before a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.testing.workflow import Workflow

__all__ = ["asl"]


@pytest.fixture
def asl(request: pytest.FixtureRequest) -> Iterator[Callable[..., Workflow]]:
    """State machines under test: ``asl("order.json", tasks={...})`` is a ``Workflow``; see asl_engine.testing."""
    from asl_engine.testing.workflow import Workflow

    made: list[Workflow] = []

    def workflow(definition: Any, tasks: Any = None, **options: Any) -> Workflow:
        made.append(Workflow(definition, tasks, **{"test_id": request.node.nodeid, **options}))
        return made[-1]

    yield workflow
    for one in made:
        one.close()
