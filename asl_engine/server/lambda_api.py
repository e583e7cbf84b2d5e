"""Lambda's Invoke operation for the functions of a server: what an AWS SDK's Lambda client asks for.

``POST /2015-03-31/functions/NAME/invocations``: "Invoke" in the Lambda API Reference.  The functions are those
that tasks call: callables of the project, functions in processes of their own, those at an endpoint.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote
from uuid import uuid4

from asl_engine.arn import function_arn, function_name, qualified_arn, unqualified
from asl_engine.errors import StatesError
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.payload import Payload
from asl_engine.resources import PENDING, TaskCall
from asl_engine.server.asynchronous import call_asynchronously
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.http import Disconnected, admitted, respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.protocol.request import Caller
    from asl_engine.server.service import Operations, Service

__all__ = ["LambdaApi"]

log = logging.getLogger("asl_engine.server")

INVOKE: Final = "arn:aws:states:::lambda:invoke"
END: Final = "/invocations"
KINDS: Final = ("RequestResponse", "Event", "DryRun")
MAX_BYTES: Final = 6_291_456  # of a payload: "Lambda quotas"
MAX_EVENT_BYTES: Final = 1_048_576  # of one that is sent asynchronously
LATEST: Final = "$LATEST"
NOT_FOUND: Final = "ResourceNotFoundException"
STATUS: Final = {NOT_FOUND: 404, "InvalidRequestContentException": 400, "States.Runtime": 502}
SHOWN: Final = 200


class LambdaApi:
    """A ``Companion`` of the server."""

    path = "/2015-03-31"

    def __init__(self, service: Service, operations: Operations, admission: Admission) -> None:
        del operations
        self._service = service
        self._admission = admission
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        identifier = str(uuid4())
        headers = [(b"x-amzn-requestid", identifier.encode()), (b"content-type", b"application/json")]
        try:
            status, more, body = await self._answer(scope, receive, identifier)
        except ApiError as error:
            code = {"RequestEntityTooLargeException": "RequestTooLargeException"}.get(error.code, error.code)
            status, more = error.status, [(b"x-amzn-errortype", code.encode())]
            body = json.dumps({"Type": "User" if status < 500 else "Service", "Message": error.message})
        except Disconnected:
            return
        await respond(send, status, [*headers, *more], body.encode())

    async def _answer(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], identifier: str
    ) -> tuple[int, list[tuple[bytes, bytes]], str]:
        start, _, rest = scope["raw_path"].decode("ascii").partition("/functions/")
        name = unquote(rest.removesuffix(END))
        if start != self.path or not rest.endswith(END) or not name or "/" in name:
            raise ApiError("UnknownOperationException", "Of Lambda's API, Invoke alone is answered here", 404)
        if scope["method"] != "POST":
            raise ApiError("UnknownOperationException", f"{scope['method']} is not supported", 405)
        headers = {key: value.decode("latin-1") for key, value in reversed(scope["headers"])}
        kind = headers.get(b"x-amz-invocation-type", KINDS[0])
        most = MAX_EVENT_BYTES if kind == "Event" else MAX_BYTES
        content, caller = await admitted(scope, receive, self._admission, service="lambda", most=most)
        if kind not in KINDS:
            raise ApiError(
                "InvalidParameterValueException", f"InvocationType has to be one of {', '.join(KINDS)}: '{kind}'"
            )
        query = parse_qs(scope["query_string"].decode("latin-1"))
        arn = _named(name, query.get("Qualifier", [""])[0], caller)
        text = _checked(content)
        catalog = self._service.catalog
        if not catalog.serves(arn):
            refused = catalog.refused(function_name(arn) or name)
            if refused is not None:
                raise ApiError("InvalidParameterValueException", refused.why)
            raise ApiError(NOT_FOUND, f"Function not found: {arn}", 404)
        if kind == "DryRun":
            return 204, [], ""
        if kind == "Event":
            self._call_later(arn, text, identifier)
            return 202, [], ""
        return await self._call(arn, text, identifier, headers.get(b"x-amz-client-context"))

    async def _call(
        self, arn: str, text: str, identifier: str, context: str | None
    ) -> tuple[int, list[tuple[bytes, bytes]], str]:
        parameters: dict[str, Any] = {"FunctionName": arn, "Payload": text}
        if context is not None:
            parameters["ClientContext"] = context
        call = TaskCall(
            resource=INVOKE,
            input=Payload(parameters),
            key=identifier,
            attempt=0,
            deadline=None,
            execution=arn,
            state=function_name(arn) or arn,
            heartbeat=lambda: None,
        )
        version = [(b"x-amz-executed-version", LATEST.encode())]
        try:
            with self._service.engine.timers.busy():
                answer = await self._service.catalog[INVOKE](call)
        except StatesError as error:
            if _is_report(error.cause):
                return 200, [*version, (b"x-amz-function-error", b"Unhandled")], error.cause or ""
            raise _refusal(error) from error
        assert answer is not PENDING, "a function answers by itself"  # noqa: S101  for the type checker
        result: Any = answer.value
        return 200, version, json.dumps(result["Payload"], ensure_ascii=False)

    def _call_later(self, arn: str, text: str, identifier: str) -> None:
        task = asyncio.ensure_future(self._called(arn, text, identifier))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _called(self, arn: str, text: str, identifier: str) -> None:
        name = function_name(arn) or arn
        given_up = await call_asynchronously(
            self._service, arn, loads(text), key=identifier, caller=arn, name=name
        )
        if given_up is not None:
            told = " ".join((given_up.error.cause or "").split())[:SHOWN]
            log.warning(
                "the function %s has failed %s times with an event, which is given up: %s: %s",
                name,
                given_up.attempts,
                given_up.error.error,
                told,
            )

    # -- a companion --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """It answers; what it has begun goes on by itself."""

    def observe(self, run: Run, events: list[Event]) -> None:
        """What executions do is nothing to it."""

    def others_have_written(self) -> None:
        """Nothing here depends on that."""

    def close(self) -> None:
        for task in self._under_way:
            task.cancel()


def _named(name: str, qualifier: str, caller: Caller) -> str:
    """The ARN of a function that is named in one of Invoke's ways."""
    arn = function_arn(*caller, name)
    return qualified_arn(arn, qualifier) if qualifier and unqualified(arn)[1] is None else arn


def _checked(content: bytes) -> str:
    """The text of the event; of none it is an empty object."""
    try:
        text = content.decode() or "{}"
        loads(text)
    except (UnicodeDecodeError, JsonSyntaxError) as error:
        raise ApiError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from None
    return text


def _is_report(cause: str | None) -> bool:
    """Whether this is what a function reports of its failure, and not what Lambda says."""
    try:
        report = loads(cause or "")
    except JsonSyntaxError:
        return False
    return isinstance(report, dict) and "errorMessage" in report


def _refusal(error: StatesError) -> ApiError:
    code = (error.error or "").removeprefix("Lambda.")
    message = (error.cause or "").partition(" (Service: ")[0]
    return ApiError(code or "ServiceException", message, STATUS.get(code, 500))
