"""A sample with the real `asl`: a process of its own, killed at random instants."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.crash import lives
from tests.crash.cases import Result, undisturbed
from tests.crash.lives import Doom, Life
from tests.crash.play import Play, lay_out
from tests.crash.workflows import EXECUTION, WORKFLOWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.crash.cases import Case

__all__ = ["SAMPLE", "run_process_case"]

SAMPLE: Final = "process"
ROOT: Final = Path(__file__).parents[2]
STARTS_SECONDS: Final = 0.5  # about what `asl` needs to begin
MOST_KILLS: Final = 3


def run_process_case(case: Case, seed: int, folder: Path) -> Result:
    """As ``run_case``."""
    expected = undisturbed(folder / "undisturbed", case.mode, case.workflow)
    rng = random.Random(f"{seed}/{case}")
    begin = time.monotonic()
    play = Play(folder / "case", WORKFLOWS[case.workflow], case.mode, rng, begin=started)
    lay_out(play.folder, play.workflow)
    play.go_on(killings(expected.seconds, rng))
    play.witness.judge(EXECUTION, expected.outcome)
    return Result(str(case), play.kills, play.witness.checked, play.witness.broken, time.monotonic() - begin)


def killings(seconds: float, rng: random.Random) -> Iterator[Doom]:
    for _ in range(rng.randint(1, MOST_KILLS)):
        yield Doom(after=STARTS_SECONDS + rng.random() * seconds)


def started(folder: Path, arguments: Sequence[str], doom: Doom, _tell: object = None) -> Life:
    """As ``lives.begin``, with a new Python."""
    readable, writable = os.pipe()
    with (folder / "outside" / "stderr").open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "asl_engine", *arguments],
            cwd=folder,
            env={**os.environ, "ASL_DB": str(folder / ".asl" / "asl.db"), "PYTHONPATH": str(ROOT)},
            stdout=writable,
            stderr=errors,
        )
    os.close(writable)
    life = Life(process.pid, readable, None if doom.after is None else lives.killer_of(process.pid, doom.after))
    process.returncode = -signal.SIGKILL  # it is waited for by its life
    return life
