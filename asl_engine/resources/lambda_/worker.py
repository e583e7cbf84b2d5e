"""The process in which a project's function runs: ``python -m asl_engine.resources.lambda_.worker``.

One JSON line requests a call, one JSON line answers; the function's output goes to stderr.  The module stands
alone, so that a function may have its own Python: it imports only the standard library.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import time
import traceback
from typing import Any


class Context:
    """The context object of a handler, as Lambda's."""

    function_version = "$LATEST"
    memory_limit_in_mb = "128"
    identity = None
    client_context = None

    def __init__(self, asked: dict[str, Any]) -> None:
        self.function_name = asked["name"]
        self.invoked_function_arn = asked["arn"]
        self.aws_request_id = asked["request"]
        self.log_group_name = f"/aws/lambda/{asked['name']}"
        self.log_stream_name = "local"
        self._until = time.monotonic() + asked["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))


def load(path: str) -> Any:
    """``module:function``, or Lambda's ``module.function``."""
    module, colon, name = path.partition(":")
    if not colon:
        module, _, name = path.rpartition(".")
    found: Any = importlib.import_module(module.replace("/", "."))
    for part in name.split("."):
        found = getattr(found, part)
    return found


def failure(error: BaseException, request: str) -> dict[str, Any]:
    """What Lambda reports for an exception that leaves the handler."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request,
        "stackTrace": traceback.format_list(own),
    }


def answer(handler: Any, asked: dict[str, Any]) -> dict[str, Any]:
    request = asked["request"]
    try:
        if callable(handler):
            result = handler(asked["event"], Context(asked))
        else:
            raise handler
    except Exception as error:  # noqa: BLE001  the function's own
        return {"failed": True, "text": json.dumps(failure(error, request), ensure_ascii=False)}
    try:
        return {"failed": False, "text": json.dumps(result, ensure_ascii=False, allow_nan=False)}
    except (TypeError, ValueError, RecursionError) as error:
        told = {
            "errorMessage": f"Unable to marshal response: {error}",
            "errorType": "Runtime.MarshalError",
            "requestId": request,
            "stackTrace": [],
        }
        return {"failed": True, "text": json.dumps(told, ensure_ascii=False)}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # everything written to stdout, also by C libraries and children
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="utf-8", line_buffering=True)
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path[0] = os.getcwd()  # noqa: PTH109  not this file's folder, whose modules the function must not import
    handler: Any
    try:
        handler = load(sys.argv[1])
    except Exception as error:  # noqa: BLE001  whatever the module does
        handler = ImportError(f"Unable to import module '{sys.argv[1]}': {error}")
    for line in questions:
        json.dump(answer(handler, json.loads(line)), answers)
        answers.write("\n")
        answers.flush()


if __name__ == "__main__":
    main()
