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
    assert int(blows[1]) >= 15
    if shim.why_not() is None:
        assert int(blows[2]) >= 8
        assert int(blows[3]) >= 3


@pytest.mark.skipif(shim.why_not() is not None, reason="power is cut on Linux, with a C compiler")
def test_a_weaker_setting_loses_the_end_of_a_log_and_nothing_else() -> None:
    arguments = ("--kills", "0", "--cuts", "10", "--faults", "0", "--processes", "0", "--seed", "1")
    done = crash("--synchronous", "NORMAL", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    lost = re.search(r"^what has been done was on disk before +\d+ +(\d+)$", done.stdout, re.MULTILINE)
    assert lost, done.stdout
    assert int(lost[1]) > 0  # it is a weaker one
    assert "no law was broken" in done.stdout
