"""The short form of ``python -m tests.crash``, and that its laws can be broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import shim

ROOT = Path(__file__).parents[2]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork processes")


def crash(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.crash", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@forks
def test_nothing_is_lost_and_nothing_is_done_twice() -> None:
    done = crash("--short", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    blows = re.search(r"(\d+) kills(?:, (\d+) power cuts, (\d+) faults)? in ", done.stdout)
    assert blows, done.stdout
    assert int(blows[1]) >= 20
    if shim.why_not() is None:
        assert int(blows[2]) >= 10
        assert int(blows[3]) >= 5
