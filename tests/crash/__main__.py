"""``python -m tests.crash``: kills, power cuts and broken disks, as many as are asked for, and what they show.

Each case follows from its name and the seed.  One that breaks a law is printed with the command that runs it
alone; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from tests.crash import shim
from tests.crash.cases import Case, run_case
from tests.crash.laws import LAWS, SYNCED
from tests.crash.lives import SYNCHRONOUS, end_all
from tests.crash.preload import preload
from tests.crash.processes import SAMPLE, run_process_case
from tests.crash.summary import Summary
from tests.crash.workers import work

SHORT = {"kill": 18, "cut": 9, "fault": 4}
MEMORY = Path("/dev/shm")  # noqa: S108  a folder of ours is made in it


def main() -> int:
    asked = arguments()
    if not hasattr(os, "fork"):
        print("skipped: this system does not fork processes")
        return 0
    shim.start_again_with()
    missing = shim.why_not()
    wanted = {"kill": asked.kills, "cut": asked.cuts, "fault": asked.faults, "process": asked.processes}
    if asked.short:
        wanted = {**SHORT, "process": 0}
    if missing is not None:
        print(f"no power cuts and no faults: {missing}")
        wanted |= {"cut": 0, "fault": 0}
    else:
        shim.forget_library()
    preload()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is tidied up
    root = Path(mkdtemp(prefix="asl-crash-", dir=MEMORY if MEMORY.is_dir() else None)).resolve()
    try:
        if asked.case is not None:
            return alone(asked.case, asked.seed, root)
        excused = SYNCED if asked.synchronous else frozenset[str]()
        if asked.synchronous:
            os.environ[SYNCHRONOUS] = asked.synchronous
        summary = Summary(asked.seed, LAWS, excused)
        begin = time.monotonic()
        deadline = None if asked.minutes is None else begin + 60 * asked.minutes
        for result in work(wanted, asked.seed, root, asked.jobs, deadline):
            summary.add(result)
            if sys.stderr.isatty():
                print(f"\r{summary.totals()}", end="", file=sys.stderr)
            if asked.first and summary.broken:
                break
        summary.show(time.monotonic() - begin)
        return 1 if summary.broken else 0
    finally:
        end_all()
        if not asked.keep:
            shutil.rmtree(root, ignore_errors=True)


def alone(name: str, seed: int, root: Path) -> int:
    """One case, with all that is left of it."""
    case = Case.of(name)
    result = run_process_case(case, seed, root) if case.kind == SAMPLE else run_case(case, seed, root)
    for law, told in result.broken:
        print(f"{law}:\n    {told}")
    print(f"{case}: {result.blows} blows, {len(result.broken)} laws broken, {result.seconds:.1f} s")
    return 1 if result.broken else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, metavar="N", help="at least so many SIGKILLs (1000)")
    parser.add_argument("--cuts", type=int, default=100, metavar="N", help="at least so many power cuts (100)")
    parser.add_argument("--faults", type=int, default=100, metavar="N", help="at least so many broken disks (100)")
    parser.add_argument("--processes", type=int, default=10, metavar="N", help="kills of the real `asl` (10)")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after so many")
    parser.add_argument("--seed", type=int, default=1, help="what is random follows from it (1)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="how many cases run at once (2)")
    parser.add_argument("--short", action="store_true", help="the form of the continuous integration")
    parser.add_argument("--case", metavar="NAME", help="run one case alone, such as kill/run/states/7")
    parser.add_argument(
        "--synchronous",
        choices=["NORMAL"],
        help="a weaker setting of SQLite, with which a power cut may break the laws about what was told or done",
    )
    parser.add_argument("--first", action="store_true", help="stop at the first case that breaks a law")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
