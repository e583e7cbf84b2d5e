"""Whether the memory of an engine stays the same, however many executions it has run.

    python -m benchmarks.memory [--executions 5000] [--large 300] [--full]

Executions of the order machine, and of a machine of ten states with an input of 240 KB, one hundred and four at a
time, each in a process of its own.  The memory is looked at ten times: what a further execution leaves behind is
the slope, fitted over the second half.  --full: 50,000 executions, and 5,000 with large inputs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.python.tasks import python_resource
from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["Memory", "measure"]

ROOT: Final = Path(__file__).parents[1]
LARGE_BYTES: Final = 240_000
LOOKS: Final = 10
COLLECT_AFTER: Final = 50_000  # as the command sets it
STATES: Final = 10


class Memory(NamedTuple):
    """``looks`` are MiB, each after a tenth of the executions."""

    what: str
    executions: int
    looks: list[float]

    @property
    def slope(self) -> float:
        """The bytes that a further execution leaves behind."""
        half = self.looks[LOOKS // 2 :]
        middle = (len(half) - 1) / 2
        across = sum((index - middle) ** 2 for index in range(len(half)))
        per_look = sum((index - middle) * look for index, look in enumerate(half)) / across
        return per_look * 1024 * 1024 / (self.executions / LOOKS)


def resident() -> float:
    """MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def large_machine() -> str:
    """A task, and then states that each add a small result to a large document."""
    states: dict[str, Any] = {
        f"S{number}": {
            "Type": "Pass",
            "Result": {"step": number},
            "ResultPath": f"$.r{number}",
            "Next": f"S{number + 1}",
        }
        for number in range(STATES)
    }
    function = "arn:aws:lambda:us-east-1:123456789012:function:echo"
    task = {"Type": "Task", "Resource": function, "Next": "S0"}
    return json.dumps({"StartAt": "T", "States": {"T": task} | states | {f"S{STATES}": {"Type": "Succeed"}}})


async def echo(event: Any) -> Any:
    return event


async def looked_at(definition: str, given: str, executions: int, at_once: int) -> list[float]:
    machine = load(definition)
    looks: list[float] = []
    numbers = iter(range(executions))
    ended = 0
    with tempfile.TemporaryDirectory(prefix="asl-bench-") as folder:
        store = await SqliteStore.open(Path(folder) / "asl.db")
        resources = dict.fromkeys(machine.resources, python_resource(echo, "echo"))
        async with Engine(store, resources) as engine:

            async def worker() -> None:
                nonlocal ended
                for number in numbers:
                    run = await engine.start(machine, "bench", Payload.of_text(given), f"e{number}")
                    if (execution := await run.wait()).status != "SUCCEEDED":
                        raise SystemExit(f"{execution.status}: {execution.error} {execution.cause}")
                    ended += 1
                    if ended * LOOKS // executions > len(looks):
                        looks.append(resident())

            await asyncio.gather(*(worker() for _ in range(at_once)))
        await store.close()
    return looks


def in_its_process(definition: str, given: str, executions: int, at_once: int, answer: Any) -> None:
    gc.set_threshold(COLLECT_AFTER)
    answer.send(asyncio.run(looked_at(definition, given, executions, at_once)))


def alone(what: str, definition: str, given: str, executions: int, at_once: int) -> Memory:
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(
        target=in_its_process, args=(definition, given, executions, at_once, sending), daemon=True
    )
    process.start()
    sending.close()
    try:
        looks = receiving.recv()
    except EOFError:
        raise SystemExit(f"{what}: the process has failed") from None
    process.join()
    return Memory(what, executions, looks)


def measure(executions: int, large: int) -> list[Memory]:
    order = (ROOT / "statemachines" / "order.json").read_text(encoding="utf-8")
    order_input = (ROOT / "order.json").read_text(encoding="utf-8")
    document = json.dumps({"text": ["x" * 60] * (LARGE_BYTES // 64)})
    return [
        alone("the order machine", order, order_input, max(LOOKS, executions), 100),
        alone("240 KB through ten states", large_machine(), document, max(LOOKS, large), 4),
    ]


def show(found: list[Memory]) -> None:
    print(f"{'memory':30}{'executions':>12}{'first':>8}{'most':>8}{'last':>8} MiB{'left by each':>16}")
    for one in found:
        looks = one.looks
        print(
            f"{one.what:30}{one.executions:>12,}{looks[0]:>8.0f}{max(looks):>8.0f}{looks[-1]:>8.0f} MiB"
            f"{one.slope:>10,.0f} bytes"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether memory stays the same.")
    parser.add_argument("--executions", type=int, default=5_000)
    parser.add_argument("--large", type=int, default=300)
    parser.add_argument("--full", action="store_true", help="50,000 executions, and 5,000 with 240 KB")
    given = parser.parse_args()
    show(measure(50_000, 5_000) if given.full else measure(given.executions, given.large))


if __name__ == "__main__":
    main()
