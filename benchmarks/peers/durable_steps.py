"""Measures DBOS: a Python workflow of four durable steps, as one would write instead of the order machine.

    python -m benchmarks.peers.durable_steps SECONDS AT_ONCE...

Prints a line for each number of callers: workflows per second, or a text that says why there are none.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.workloads import ORDER_INPUT, RESULTS

__all__ = ["main"]

WARMING_SECONDS = 2


def main() -> None:
    dbos: Any = import_module("dbos")
    seconds, *numbers = map(float, sys.argv[1:])
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="asl-bench-", ignore_cleanup_errors=True) as folder:
        database = f"sqlite:///{Path(folder) / 'dbos.sqlite'}"
        dbos.DBOS(config={"name": "bench", "system_database_url": database, "run_admin_server": False})

        def result(name: str) -> Any:
            return RESULTS[name]

        step = dbos.DBOS.step()(result)

        def order(given: Any) -> Any:
            for name in RESULTS:
                given = given | {name: step(name)}
            return given

        workflow = dbos.DBOS.workflow()(order)
        dbos.DBOS.launch()
        rate(workflow, 1, WARMING_SECONDS)
        for number in numbers:
            print(json.dumps(rate(workflow, int(number), seconds)), flush=True)
        os._exit(0)  # its threads would be waited for


def rate(workflow: Any, at_once: int, seconds: float) -> float | str:
    began = time.perf_counter()
    done: list[int] = []
    failures: list[str] = []

    def caller() -> None:
        count = 0
        while time.perf_counter() < began + seconds and not failures:
            try:
                if workflow(ORDER_INPUT) != ORDER_INPUT | RESULTS:
                    failures.append("wrong output")
            except Exception as error:  # noqa: BLE001  whatever it is, it is no speed
                failures.append(str(error)[:60])
            count += 1
        done.append(count)

    threads = [threading.Thread(target=caller) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures[0] if failures else sum(done) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
