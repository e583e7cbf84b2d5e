"""What a task's own process costs: a call in the engine's process, and one in a process of its own.

    python benchmarks/isolation.py [--calls 1000] [--rounds 5]

The task returns its event.  The first call in a process of its own starts it; the best round is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.payload import Payload
from asl_engine.project.configuration import find_project
from asl_engine.project.setup import project_tasks
from asl_engine.resources import TaskCall
from asl_engine.resources.python.tasks import python_resource

if TYPE_CHECKING:
    from asl_engine.resources import Direct

SIZES = (100, 10_000, 100_000)  # bytes of the event


class Cost(NamedTuple):
    """Milliseconds."""

    first: float
    later: float


def a_call(size: int) -> TaskCall:
    execution = "arn:aws:states:us-east-1:123456789012:execution:m:x"
    event = Payload({"text": "x" * size})
    return TaskCall("echo", event, f"{execution}:1", 0, None, execution, "S", lambda: None)


async def measured(resource: Direct, call: TaskCall, calls: int) -> Cost:
    start = time.perf_counter()
    await resource(call)
    first = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(calls):
        await resource(call)
    return Cost(first * 1000, (time.perf_counter() - start) * 1000 / calls)


def cost(root: Path, mode: str, size: int, calls: int) -> Cost:
    (root / "asl.toml").write_text(f'isolation = "{mode}"\n')
    registry = project_tasks(find_project(root, {}))
    function, isolation = registry.find("echo"), registry.isolation
    if function is None or isolation is None:
        raise SystemExit("the project has no task")
    try:
        return asyncio.run(measured(python_resource(function, "echo", isolation), a_call(size), calls))
    finally:
        isolation.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "tasks").mkdir()
        (root / "tasks" / "echo.py").write_text("def echo(event):\n    return event\n")
        for size in SIZES:
            for mode in ("none", "process"):
                rounds = [cost(root, mode, size, given.calls) for _ in range(given.rounds)]
                best = Cost(*(min(values) for values in zip(*rounds, strict=True)))
                print(f"{size:>7} bytes  {mode:<8} first {best.first:7.1f} ms  later {best.later:6.3f} ms")


if __name__ == "__main__":
    main()
