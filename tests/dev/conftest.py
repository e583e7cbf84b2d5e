"""Projects under development."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.dev.developing import Dev

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    path, modules = [*sys.path], {*sys.modules}
    yield Dev(tmp_path)
    sys.path[:] = path
    for name in {*sys.modules} - modules:
        if name.startswith(("tasks_", "_asl_tasks_")):
            del sys.modules[name]
