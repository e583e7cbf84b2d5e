"""The tasks of the workflows.  What they do shows outside: a line in a file, which no kill takes back."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from asl_engine import TaskContext, task

OUTSIDE = Path(__file__).parents[1] / "outside"
FOREVER = 3600.0


class Unready(Exception):
    """Ready at the third attempt."""


class Refused(Exception):
    """Whatever the attempt."""


class Broken(Exception):
    """Until somebody mends it."""


def effect(context: TaskContext, **more: Any) -> None:
    """Something happens in the world.  One write to a file that is only appended to: it is there whole or not."""
    line = {"key": context.idempotency_key, "state": context.state_name, "process": os.getpid(), **more}
    file = os.open(OUTSIDE / "effects", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{json.dumps(line)}\n".encode())
    finally:
        os.close(file)


@task
def add(event: Any, context: TaskContext) -> Any:
    effect(context)
    return {"n": event["n"] + 1}


@task
async def fail_twice(event: Any, context: TaskContext) -> Any:
    effect(context)
    if context.attempt < 2:
        raise Unready(f"attempt {context.attempt}")
    return event


@task
async def hang(event: Any, context: TaskContext) -> Any:
    effect(context)
    await asyncio.sleep(FOREVER)
    return event


@task
async def beat(event: Any, context: TaskContext) -> Any:
    effect(context)
    for _ in range(3):
        context.heartbeat()
        await asyncio.sleep(0.002)
    return event


@task
def refuse(event: Any, context: TaskContext) -> Any:
    effect(context)
    raise Refused(str(event))


@task
def need_mending(event: Any, context: TaskContext) -> Any:
    effect(context)
    if not (OUTSIDE / "mended").exists():
        raise Broken("nobody has mended it")
    return event


@task
def ask(event: Any, context: TaskContext) -> None:
    effect(context, token=event["token"])
