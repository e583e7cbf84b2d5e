"""A small soak; ``python -m tests.mappings.soak`` is the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mappings.harness import run
from tests.mappings.soak import soak

if TYPE_CHECKING:
    from pathlib import Path


def test_every_message_is_accounted_for(tmp_path: Path, url: str) -> None:
    found = run(soak(url, tmp_path, 120, "small-soak"))
    assert (found["processed"], found["dead"], found["lost"], found["wrong"]) == (114, 6, 0, 0)
