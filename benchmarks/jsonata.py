"""What JSONata costs: an expression alone, and an execution around it, beside the reference implementation.

    python benchmarks/jsonata.py [--rounds 5] [--items 1000] [--seconds 2]

The expression sums a product, filters and maps over the items of the input.  The execution is one Pass state with
it, from the text of the input to the output, on disk with synchronous=FULL.  The reference, jsonata-js, evaluates
the bare expression on a value that is already there; it is measured where Node finds it
(``npm install --no-save jsonata@2.0.6``).  Each round measures all three in turn; the best of each round is taken,
and the median of those printed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import anyio

from asl_engine.engine.engine import Engine
from asl_engine.expressions.jsonata import Bindings, compile_jsonata
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
EXPRESSION = """{
  'total': $sum($states.input.items.(price * qty)),
  'big': $count($filter($states.input.items, function($i) { $i.price > 50 })),
  'names': $count($map($states.input.items, function($i) { $uppercase($i.name) }))
}"""
MACHINE = {
    "QueryLanguage": "JSONata",
    "StartAt": "Q",
    "States": {"Q": {"Type": "Pass", "Output": f"{{% {EXPRESSION} %}}", "End": True}},
}
REFERENCE = """
const jsonata = require('jsonata');
(async () => {
  const {expression, states, seconds} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const compiled = jsonata(expression);
  const end = performance.now() + 1000 * seconds;
  let best = Infinity, value;
  while (performance.now() < end) {
    const start = performance.now();
    value = await compiled.evaluate(undefined, {states});
    best = Math.min(best, performance.now() - start);
  }
  console.log(JSON.stringify({best, value}));
})();
"""


def document(items: int) -> dict[str, Any]:
    return {
        "items": [
            {"name": f"item-{number}", "price": number * 7 % 100, "qty": number % 5 + 1} for number in range(items)
        ]
    }


def right(data: dict[str, Any]) -> dict[str, Any]:
    """What every implementation must come to."""
    items = data["items"]
    return {
        "total": sum(item["price"] * item["qty"] for item in items),
        "big": sum(item["price"] > 50 for item in items),
        "names": len(items),
    }


def check(who: str, value: Any, data: dict[str, Any]) -> None:
    if value != right(data):
        raise SystemExit(f"{who} gives {value}")


def best_of(seconds: float, work: Callable[[], Any]) -> float:
    """Milliseconds."""
    best, end = float("inf"), time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        work()
        best = min(best, time.perf_counter() - start)
    return 1_000 * best


def expression_alone(data: dict[str, Any], seconds: float) -> float:
    expression = compile_jsonata(EXPRESSION)
    states: dict[str, Any] = {"input": data}
    check("the expression", expression(Bindings(states, {}, Random(1))), data)
    return best_of(seconds, lambda: expression(Bindings(states, {}, Random(1))))


async def whole_execution(data: dict[str, Any], seconds: float) -> float:
    machine, text = load(json.dumps(MACHINE)), json.dumps(data)
    best, number, end = float("inf"), 0, time.perf_counter() + seconds
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as name:
        store = await SqliteStore.open(Path(name) / "engine.db")
        async with Engine(store, {}) as engine:
            while (start := time.perf_counter()) < end:
                number += 1
                run = await engine.start(machine, "bench", Payload.of_text(text), f"e{number}")
                execution = await run.wait()
                best = min(best, time.perf_counter() - start)
                check("the execution", execution.output and execution.output.value, data)
        await store.close()
    return 1_000 * best


def reference(data: dict[str, Any], seconds: float) -> float | None:
    """None where Node does not find it."""
    node = shutil.which("node")
    if node is None:
        return None
    question = json.dumps({"expression": EXPRESSION, "states": {"input": data}, "seconds": seconds})
    ran = subprocess.run([node, "-e", REFERENCE], input=question, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        return None
    answer = json.loads(ran.stdout)
    check("the reference", answer["value"], data)
    return float(answer["best"])


def main() -> None:
    parser = argparse.ArgumentParser(description="JSONata beside its reference implementation.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    arguments = parser.parse_args()
    data = document(arguments.items)
    alone, whole, bare = [], [], []
    for _ in range(arguments.rounds):
        alone.append(expression_alone(data, arguments.seconds))
        whole.append(anyio.run(whole_execution, data, arguments.seconds))
        measured = reference(data, arguments.seconds)
        if measured is not None:
            bare.append(measured)
    print(f"{arguments.items} items{'ms':>36}{'reference / ours':>20}")
    if bare:
        print(f"{'the reference, bare expression':38}{statistics.median(bare):>10.2f}")
    else:
        print("jsonata-js is not installed: npm install --no-save jsonata@2.0.6")
    for name, ours in (("the expression alone", alone), ("the whole execution", whole)):
        ratio = f"{statistics.median(bare) / statistics.median(ours):>20.1f}" if bare else ""
        print(f"{name:38}{statistics.median(ours):>10.2f}{ratio}")


if __name__ == "__main__":
    main()
