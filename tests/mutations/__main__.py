"""``python -m tests.mutations [NAME...]``: each mutation in a copy of the project, where its test has to fail.

The tests have to pass where nothing is taken away.  The exit code is 1 where one does not, or where a mechanism is
missed by nobody.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutations.running import copy_project, mutate, outcome_of
from tests.mutations.table import MUTATIONS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of them (all)")
    names = set(parser.parse_args().names)
    chosen = [mutation for mutation in MUTATIONS if not names or mutation.name in names]
    if unknown := names - {mutation.name for mutation in chosen}:
        parser.error(f"there is no mutation {', '.join(sorted(unknown))}")
    wrong = 0
    with TemporaryDirectory(prefix="asl-mutations-") as folder:
        root = Path(folder) / "project"
        copy_project(root)
        for test in dict.fromkeys(mutation.shown_by for mutation in chosen):
            begin = time.monotonic()
            passed, told = outcome_of(test, root)
            wrong += not passed
            print(f"{'passes' if passed else 'FAILS '}  {time.monotonic() - begin:6.1f} s  {test}", flush=True)
            if not passed:
                print(told)
        for mutation in chosen:
            begin = time.monotonic()
            with mutate(root, mutation):
                passed, told = outcome_of(mutation.shown_by, root)
            wrong += passed is not False
            found = {False: "fails", True: "STILL PASSES", None: "CANNOT BE RUN"}[passed]
            print(f"{mutation.name}: {mutation.shown_by} {found}, {time.monotonic() - begin:.1f} s", flush=True)
            if passed is None:
                print(told)
    print(f"{len(chosen)} mutations: " + ("each is missed by its test" if not wrong else f"{wrong} are wrong"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
