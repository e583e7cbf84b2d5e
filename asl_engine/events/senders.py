"""How events get to each kind of target.  A sender returns what is worth keeping, or raises ``DeliveryFailed``."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import Arn, event_resource, queue_name
from asl_engine.errors import StatesError
from asl_engine.events.delivering import DeliveryFailed
from asl_engine.events.target_kinds import target_kind
from asl_engine.json_text import loads
from asl_engine.resources.calling import call_function
from asl_engine.resources.concurrency import THROTTLED
from asl_engine.resources.python.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asl_engine.events.delivering import DeliveryAttempt
    from asl_engine.resources import Resource
    from asl_engine.resources.aws.clients import AwsClients

    Sender = Callable[[DeliveryAttempt], Awaitable[Mapping[str, Any]]]

__all__ = ["QueueSender", "function_sender", "send_http", "sender"]

# AWS Lambda tries an asynchronous call twice more.
FUNCTION_RETRIES: Final = 2
HTTP_SECONDS: Final = 10
TRY_AGAIN: Final = frozenset({408, 409, 425, 429})
SERVER_ERROR: Final = 500
SHOWN: Final = 300  # characters of an answer in a note


def sender(machine: Sender, functions: Mapping[str, Resource], queues: QueueSender) -> Sender:
    """What sends to every kind of target but a bus.  ``machine`` starts executions."""
    by_kind: dict[str | None, Sender] = {
        "machine": machine,
        "function": function_sender(functions),
        "queue": queues,
        "http": send_http,
    }

    async def send(attempt: DeliveryAttempt) -> Mapping[str, Any]:
        return await by_kind[target_kind(attempt.target.arn)](attempt)

    return send


def function_sender(functions: Mapping[str, Resource]) -> Sender:
    """Calls a function, and waits for it: what it returns is nobody's."""

    async def call(attempt: DeliveryAttempt) -> Mapping[str, Any]:
        rule = event_resource(attempt.rule.arn)
        try:
            await call_function(
                functions,
                attempt.target.arn,
                loads(attempt.input),
                key=attempt.key,
                caller=attempt.rule.arn,
                attempt=attempt.number - 1,
                name="" if rule is None else rule[1],
            )
        except StatesError as error:
            name = error.error or "Unhandled"
            gone = name.endswith("ResourceNotFoundException") or name == "States.Runtime"
            raise DeliveryFailed(
                name, error.cause or "", final=gone, retries=FUNCTION_RETRIES, throttled=name == THROTTLED
            ) from error
        return {}

    return call


class QueueSender:
    """Sends to queues of SQS, and dead letters to theirs."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients
        self._urls: dict[str, str] = {}

    async def __call__(self, attempt: DeliveryAttempt) -> Mapping[str, Any]:
        given = attempt.target.configuration.get("SqsParameters") or {}
        return await self._send(attempt.target.arn, attempt.input, given.get("MessageGroupId"), attempt.key)

    async def send_dead(self, attempt: DeliveryAttempt) -> Mapping[str, Any]:
        """Send a dead letter: the event, and as attributes of the message why it was not delivered."""
        arn = attempt.target.configuration["DeadLetterConfig"]["Arn"]
        note = attempt.delivery.note
        told = {
            "RULE_ARN": attempt.rule.arn,
            "TARGET_ARN": attempt.target.arn,
            "ERROR_CODE": note.get("code"),
            "ERROR_MESSAGE": note.get("message"),
            "RETRY_ATTEMPTS": str(attempt.number - 1),
            "EXHAUSTED_RETRY_CONDITION": note.get("exhausted"),
        }
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in told.items() if text}
        await self._send(arn, attempt.delivery.event.text, None, attempt.key, attributes)
        return {"deadLetter": arn}

    async def _send(
        self, arn: str, body: str, group: str | None, key: str, attributes: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        if find_spec("boto3") is None:
            raise DeliveryFailed("NoSdk", 'a queue needs boto3: pip install "asl-engine[aws]"', final=True)
        return await run_in_thread(partial(self._in_thread, arn, body, group, key, attributes or {}))

    def _in_thread(
        self, arn: str, body: str, group: str | None, key: str, attributes: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        request: dict[str, Any] = {"MessageBody": body, "MessageAttributes": attributes}
        if group is not None:  # a queue that keeps the order, and drops what it has had within five minutes
            request |= {"MessageGroupId": group, "MessageDeduplicationId": sha256(key.encode()).hexdigest()}
        try:
            client = self._clients.get("sqs", Arn.of(arn).region)
            if arn not in self._urls:
                self._urls[arn] = client.get_queue_url(QueueName=queue_name(arn))["QueueUrl"]
            sent = client.send_message(QueueUrl=self._urls[arn], **request)
        except ClientError as error:
            self._urls.pop(arn, None)
            told = error.response.get("Error", {})
            code = str(told.get("Code", "Unknown"))
            gone = "NonExistentQueue" in code or "QueueDoesNotExist" in code
            raise DeliveryFailed(code, str(told.get("Message", error)), final=gone) from error
        except (BotoCoreError, ValueError) as error:
            raise DeliveryFailed("Unreachable", str(error)) from error
        return {"message": str(sent.get("MessageId", ""))}


async def send_http(attempt: DeliveryAttempt) -> Mapping[str, Any]:
    """POST the input.  ``Idempotency-Key`` is the same in each attempt."""
    return await run_in_thread(partial(_post, attempt))


def _post(attempt: DeliveryAttempt) -> Mapping[str, Any]:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class StayHere(HTTPRedirectHandler):
        """A redirect is an answer like others: what was sent is not sent elsewhere."""

        def redirect_request(self, *_: Any) -> None:
            return None

    given = attempt.target.configuration.get("HttpParameters") or {}
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "asl-engine",
        **(given.get("HeaderParameters") or {}),
        "Idempotency-Key": sha256(attempt.key.encode()).hexdigest(),
    }
    try:
        url = _url(attempt.target.arn, given)
        request = Request(url, attempt.input.encode(), headers, method="POST")  # noqa: S310  only HTTP is a target
        with build_opener(StayHere).open(request, timeout=HTTP_SECONDS) as answer:
            return {"status": answer.status}
    except HTTPError as error:
        with error:
            told = error.read(SHOWN).decode("utf-8", "replace")
        again = error.code in TRY_AGAIN or error.code >= SERVER_ERROR
        raise DeliveryFailed(f"HTTP {error.code}", told, final=not again) from None
    except (OSError, HTTPException, ValueError) as error:
        raise DeliveryFailed("Unreachable", str(getattr(error, "reason", error))) from None


def _url(url: str, parameters: Mapping[str, Any]) -> str:
    """The URL with its path parameters, one for each ``*``, and its query."""
    from urllib.parse import quote, urlencode, urlsplit, urlunsplit

    scheme, place, path, query, _ = urlsplit(url)
    for value in parameters.get("PathParameterValues") or ():
        path = path.replace("*", quote(value, safe=""), 1)
    added = urlencode(parameters.get("QueryStringParameters") or {})
    return urlunsplit((scheme, place, path, "&".join(filter(None, (query, added))), ""))
