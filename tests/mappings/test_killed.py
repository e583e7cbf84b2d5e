"""The short form of ``python -m tests.mappings.killing``: who is killed while polling loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork processes")
def test_nothing_is_lost_and_nothing_with_a_key_is_done_twice() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mappings.killing", "--stride", "29", "--random", "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["broken"] == {}
    assert told["kills"] >= 2
