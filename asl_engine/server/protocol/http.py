"""AWS JSON over HTTP: POST /, the API and its operation in X-Amz-Target, JSON in and out.

A page in a browser must not be able to drive the server: whatever has an Origin is refused, and so is a
Host that the server was not told to answer to (``hosts``).
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import UUID

from pydantic_core import to_json

from asl_engine.errors import ExecutionBusy, StoreError
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.hosts import answers_to
from asl_engine.server.protocol.request import Caller, Request, caller_of, caller_with
from asl_engine.server.protocol.service_model import EVENTS, STATES
from asl_engine.server.protocol.signatures import read_signature
from asl_engine.server.protocol.tokens import expiring, unexpired
from asl_engine.server.protocol.validation import check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from asl_engine.json_values import Json
    from asl_engine.server.companion import Companion
    from asl_engine.server.service import Operations, Service

__all__ = ["MAX_BODY_BYTES", "Admission", "Disconnected", "admitted", "make_app", "perform", "respond"]

log = logging.getLogger("asl_engine.server")

TARGET = "AWSStepFunctions."
EVENTS_TARGET = "AWSEvents."
# A definition may have 1 MiB; the rest is for the other members.
MAX_BODY_BYTES = 1_048_576 + 65_536
BODY_SECONDS = 60  # how long a caller may take to send the body
SHOWN_LENGTH = 80  # of a strange Host in the refusal


class Dialect(NamedTuple):
    """How the messages of an API are written: ``model`` is its service by botocore's name.

    ``page`` is the member that names a page, ``signed`` is what signatures call the service.
    """

    content_type: str
    model: str
    page: str
    signed: str


OF_STATES = Dialect("application/x-amz-json-1.0", STATES, "nextToken", "states")
OF_EVENTS = Dialect("application/x-amz-json-1.1", EVENTS, "NextToken", "events")


class Api(NamedTuple):
    """An API that is answered here."""

    operations: Operations
    dialect: Dialect = OF_STATES


class Admission(NamedTuple):
    """Who may ask, and by which name.

    ``default`` is the caller who does not sign; ``hosts`` are the names to answer to besides those of the loopback
    interface, None for any.  ``secrets`` are the secret access keys by their ids: with them, what is not signed
    with one is refused.
    """

    default: Caller
    hosts: Collection[str] | None
    secrets: Mapping[str, str] | None


# The parts of ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html) that are used here.
Scope: TypeAlias = "dict[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[dict[str, Any]]]"
Send: TypeAlias = "Callable[[dict[str, Any]], Awaitable[None]]"

# Identifiers of requests need not be secret, and asking the system for each would let go of Python's lock.
_random = Random()


class Disconnected(Exception):
    """The client has hung up."""


class _HttpRequest:
    """The head of a request, and how to receive the rest."""

    __slots__ = ("_headers", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # the first of a name counts
        self.receive = receive

    def header(self, name: bytes) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")


def make_app(
    service: Service,
    operations: Operations,
    admission: Admission,
    beside: Sequence[Companion] = (),
    *,
    events: Operations | None = None,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application that answers ``operations``, each under its name.

    Those ``beside`` it answer below their paths.  ``events`` are those of EventBridge, None where there is no bus.
    """
    apis = {TARGET: Api(operations)} | ({} if events is None else {EVENTS_TARGET: Api(events, OF_EVENTS)})

    async def answer(http: _HttpRequest, send: Send) -> None:
        identifier = str(UUID(int=_random.getrandbits(128), version=4))
        prefix, dot, name = (http.header(b"x-amz-target") or "").partition(".")
        api = apis.get(prefix + dot)
        content_type = (OF_STATES if api is None else api.dialect).content_type
        try:
            body = await _answer(http, service, api, name, admission)
            status = 200
        except ApiError as error:
            body, status = {"__type": error.code, "message": error.message, **error.members}, error.status
        except Disconnected:
            return
        except asyncio.CancelledError:  # it took longer than a server that stops waits for
            body, status = {"__type": "ServiceUnavailable", "message": "The server is stopping"}, 503
        except (ExecutionBusy, StoreError) as error:
            log.error("request %s: %s", identifier, error)  # noqa: TRY400  the message says it all
            body, status = {"__type": "ServiceUnavailable", "message": "The database cannot be used"}, 503
        except Exception:
            log.exception("request %s", identifier)
            body, status = {"__type": "InternalFailure", "message": "Internal server error"}, 500
        headers = [
            (b"x-amzn-requestid", identifier.encode()),
            (b"content-type", content_type.encode()),
        ]
        await respond(send, status, headers, to_json(body))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != "/":
            for companion in beside:
                if f"{scope['path']}/".startswith(f"{companion.path}/"):
                    await companion(scope, receive, send)
                    return
            await respond(send, 404, [])
        elif scope["method"] != "POST":
            await respond(send, 405, [(b"allow", b"POST")])
        else:
            await answer(_HttpRequest(scope, receive), send)

    return app


async def respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _answer(
    http: _HttpRequest, service: Service, api: Api | None, name: str, admission: Admission
) -> dict[str, Any]:
    _refuse_browsers(http, admission.hosts)
    known = None
    if admission.secrets is not None:
        dialect = OF_STATES if api is None else api.dialect
        known = await _identified(http, admission.secrets, admission.default, dialect.signed)
    if api is None or name not in api.operations:
        asked = (http.header(b"x-amz-target") or "") if api is None else name
        raise ApiError("UnknownOperationException", f"The operation '{asked}' is not supported")
    media_type = (http.header(b"content-type") or "").partition(";")[0].strip().lower()
    if media_type != api.dialect.content_type:
        raise ApiError("SerializationException", f"The content type has to be {api.dialect.content_type}")
    content, caller = known or (
        await _body(http),
        caller_of(http.header(b"authorization") or "", admission.default),
    )
    request = Request(_parsed(content), caller, partial(_gone, http))
    return await perform(api.operations, name, request, service, api.dialect)


async def perform(
    operations: Operations, name: str, request: Request, service: Service, dialect: Dialect = OF_STATES
) -> dict[str, Any]:
    """The answer of an operation to a request whose members have not been checked.  Raises ``ApiError``."""
    operation, data, page = operations.get(name), request.data, dialect.page
    if operation is None:
        raise ApiError("UnknownOperationException", f"The operation '{name}' is not supported")
    check(name, data, service.engine.limits, dialect.model)
    if isinstance(token := data.get(page), str):
        data[page] = unexpired(token, time.time())
    answer = await operation(request, service)
    return answer | {page: expiring(answer[page], time.time())} if page in answer else answer


async def admitted(
    scope: Scope, receive: Receive, admission: Admission, *, service: str, most: int
) -> tuple[bytes, Caller]:
    """The body of a POST to anywhere, and its caller.  Raises ``ApiError`` for whoever may not ask.

    ``service`` is what signatures call the API, ``most`` the bytes that a body may have.
    """
    http = _HttpRequest(scope, receive)
    _refuse_browsers(http, admission.hosts)
    if admission.secrets is not None:
        return await _identified(http, admission.secrets, admission.default, service, most)
    content = await _body(http, most)
    return content, caller_of(http.header(b"authorization") or "", admission.default)


async def _identified(
    http: _HttpRequest, secrets: Mapping[str, str], default: Caller, service: str, most: int = MAX_BODY_BYTES
) -> tuple[bytes, Caller]:
    """The body and the caller of a request that is signed.  Nobody else gets as far as to have a body read."""
    scope = http.scope
    signed = read_signature(
        scope["headers"], scope["query_string"], secrets, service=service, path=scope["raw_path"]
    )
    content = await _body(http, most)
    signed.covers(content)
    return content, caller_with(signed.key, signed.region, default)


async def _gone(http: _HttpRequest) -> None:
    """Returns when the client has hung up."""
    while (await http.receive())["type"] != "http.disconnect":
        pass


def _refuse_browsers(http: _HttpRequest, hosts: Collection[str] | None) -> None:
    if http.header(b"origin") is not None:
        raise ApiError("AccessDeniedException", "Requests from web pages are not answered", 403)
    host = http.header(b"host") or ""
    if hosts is not None and not answers_to(host, hosts):
        raise ApiError(
            "AccessDeniedException",
            f"The server does not answer to the host name '{host[:SHOWN_LENGTH]}': whoever starts it "
            "has to allow that name",
            403,
        )


async def _body(http: _HttpRequest, most: int = MAX_BODY_BYTES) -> bytes:
    """Reads the body within a limit of size and of time."""
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await http.receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                content += message.get("body", b"")
                if len(content) > most:
                    raise ApiError("RequestEntityTooLargeException", f"More than {most} bytes", 413)
                more = message.get("more_body", False)
    except TimeoutError:
        raise ApiError("RequestTimeoutException", f"The body took more than {BODY_SECONDS} s", 408) from None
    return bytes(content)


def _parsed(content: bytes) -> dict[str, Json]:
    try:
        data = loads(content.decode()) if content else {}
    except (UnicodeDecodeError, JsonSyntaxError) as error:
        raise ApiError("SerializationException", f"The body is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ApiError("SerializationException", "The body has to be a JSON object")
    return data
