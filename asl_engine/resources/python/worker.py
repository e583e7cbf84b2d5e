"""The process in which a project's task runs when it has one of its own: see ``isolation``.

It loads the project's tasks as the engine does, and calls them as the engine does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.errors import ProjectError, StatesError
from asl_engine.payload import Payload
from asl_engine.resources import TaskCall
from asl_engine.resources.lambda_.log_lines import begin_json, is_wanted
from asl_engine.resources.lambda_.worker import Channel, note_trace
from asl_engine.resources.python.context import InvokeOptions, request_id
from asl_engine.resources.python.loading import load_tasks
from asl_engine.resources.python.tasks import python_resource

if TYPE_CHECKING:
    from asl_engine.resources.python.registry import Registry

__all__ = ["main"]


def main() -> None:
    """Answer requests until the engine is gone."""
    channel = Channel()
    if is_wanted():
        begin_json()
    settings = json.loads(sys.argv[1])
    loaded: Registry | ProjectError
    try:
        loaded = load_tasks(*map(Path, settings["places"]), root=Path(settings["root"]))
    except ProjectError as error:
        loaded = error
    # One loop for all calls, as in the engine: what an async task keeps between calls stays usable.
    with asyncio.Runner() as runner:
        for request in channel.requests():
            channel.answer(runner.run(_answer(loaded, request, channel)))


async def _answer(loaded: Registry | ProjectError, request: dict[str, Any], channel: Channel) -> dict[str, Any]:
    call = TaskCall(
        **request["call"],
        input=Payload.of_text(request["input"]),
        heartbeat=lambda: channel.say({"said": "heartbeat"}),
    )
    name = request["name"]
    note_trace(call.trace_parent)
    try:
        if isinstance(loaded, ProjectError):
            raise loaded
        function = loaded.find(name)
        if function is None:
            raise ProjectError(f"there is no task callable {name!r} any more")
        invoked = InvokeOptions(*request["invoked"])
        payload = await python_resource(function, name, invoked=invoked)(call)
    except StatesError as error:
        return {"error": error.error, "cause": error.cause}
    except ProjectError as error:  # the files are not what they were when the engine loaded them
        return {"error": "Runtime.ImportModuleError", "cause": _report(str(error), call)}
    return {"text": payload.text}


def _report(message: str, call: TaskCall) -> str:
    report = {
        "errorMessage": message,
        "errorType": "Runtime.ImportModuleError",
        "requestId": request_id(call.key),
        "stackTrace": [],
    }
    return json.dumps(report, ensure_ascii=False)
