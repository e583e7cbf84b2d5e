"""A small project to run commands in, and the command itself, in this process or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30  # how long another process may take before the test fails

TASKS = '''
import os, signal, sys, time
from pathlib import Path
from threading import Event


class OutOfStockError(Exception):
    pass


def double(event):
    print("a word from double")
    return {"n": event["n"] * 2}


async def add_one(event, context):
    return {"n": event["n"] + 1}


def flaky(event, context):
    if context.attempt < 2:
        raise OutOfStockError(f"attempt {context.attempt}")
    return event


def fail(event):
    raise OutOfStockError("nothing left")


def never(event):
    Event().wait()


def not_json(event):
    return {1, 2}


def count(event):
    """Leave a line for each call, and wait for the gate."""
    with Path(event["calls"]).open("a") as calls:
        calls.write("x")
    while not Path(event["gate"]).exists():
        time.sleep(0.01)
    return {"passed": True}


def interrupt(event):
    os.kill(os.getpid(), event["signal"])
    Event().wait()
'''


def resource(function: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{function}"


def task(function: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource(function), **fields}


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    """The states in a row: the first starts, each leads to the next, the last ends."""
    names = list(states)
    after = dict(pairwise(names))
    return {
        "StartAt": names[0],
        "States": {
            name: state
            if state["Type"] in {"Fail", "Succeed", "Choice"} or "Next" in state
            else {**state, **({"Next": after[name]} if name in after else {"End": True})}
            for name, state in states.items()
        },
    }


PASS = machine(Done={"Type": "Pass"})
SUM = machine(Double=task("double"), AddOne=task("add_one"))


@dataclass(frozen=True)
class Result:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """Its folder, and ``asl``, which runs a command in this process."""

    root: Path
    asl: Callable[..., Result]

    @property
    def db(self) -> Path:
        return self.root / ".asl" / "asl.db"

    def define(self, name: str, definition: Any) -> str:
        """Write a definition; a text is written as it is.  Returns the path to give to a command."""
        text = definition if isinstance(definition, str) else json.dumps(definition)
        path = Path("statemachines") / f"{name}.json"
        (self.root / path).write_text(text, encoding="utf-8")
        return str(path)

    def ran(self, definition: Any, *arguments: str, name: str = "one", machine: str = "m") -> Result:
        """The result of running ``definition`` under a name."""
        return self.asl("run", self.define(machine, definition), "--name", name, *arguments)

    def spawn(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """The command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "asl_engine", *arguments],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                **options,
            },
        )

    def process(self, *arguments: str) -> Result:
        """The result of a command in a process of its own."""
        return finished(self.spawn(*arguments))


def finished(process: subprocess.Popen[str]) -> Result:
    try:
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Result(process.returncode, out, err)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until another process has done something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "the other process did not do it in time"
        time.sleep(0.01)
