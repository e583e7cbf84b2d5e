"""What every poller needs of the process that it runs in, and how it asks a service."""

from __future__ import annotations

import os
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.errors import AslError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.engine.clock import Clock
    from asl_engine.engine.timers import Timers
    from asl_engine.mappings.sources import Source
    from asl_engine.resources import Resource
    from asl_engine.resources.aws.clients import AwsClients
    from asl_engine.resources.python.threads import DaemonThreads
    from asl_engine.store.mapping_protocol import Mappings

__all__ = ["Polling", "SourceRefused", "SourceUnreachable", "ask", "missing_endpoint"]

# Longer than the longest poll; an answer that does not come is asked for again.
READ_SECONDS: Final = 64
LONG_POLL_SECONDS: Final = 20  # what Lambda asks for, and the longest there is
# The SDK's variables call services by their ids.
VARIABLES: Final = {"dynamodbstreams": "DYNAMODB_STREAMS"}


class SourceUnreachable(AslError):
    """A service does not answer, or not now."""


class SourceRefused(AslError):
    """A service refuses a request: ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Polling(NamedTuple):
    """``not_served`` says why a function, by its ARN, cannot be called; None where it can.

    ``wall`` is the time of the services, in milliseconds: the engine's may be ahead of it.  ``say`` gets a line
    for what people should know.
    """

    mappings: Mappings
    functions: Mapping[str, Resource]
    not_served: Callable[[str], str | None]
    clients: AwsClients
    threads: DaemonThreads
    timers: Timers[Any]
    clock: Clock
    wall: Callable[[], int]
    say: Callable[[str], None]
    long_poll: int = LONG_POLL_SECONDS
    idle_seconds: float = 1.0  # before a source is looked at again that had nothing
    wake: Callable[[], None] = lambda: None  # there are batches that were given up
    hear: Callable[[str], None] = lambda _: None  # gets a line for each batch that has succeeded

    def ago(self, moment: int) -> int:
        """The engine's time of something that a service says has happened at a moment."""
        return self.clock.now() - max(0, self.wall() - moment)


def missing_endpoint(clients: AwsClients, source: Source) -> str | None:
    """Why a source cannot be polled: nobody has said where it is.  None where somebody has.

    What the AWS SDK would find by itself does not count.  It would be a queue of the account that happens to be
    configured, and polling takes messages from it.
    """
    if find_spec("boto3") is None:
        return 'polling needs boto3: pip install "asl-engine[aws]"'
    services = ["dynamodb", source.service] if source.arn.endswith("/stream/LATEST") else [source.service]
    for service in services:
        variable = f"AWS_ENDPOINT_URL_{VARIABLES.get(service, service.upper())}"
        if not (clients.is_given(service) or os.environ.get(variable) or os.environ.get("AWS_ENDPOINT_URL")):
            return f"it is not polled: no endpoint says where {service} is (endpoints.{service}, or {variable})"
    return None


async def ask(polling: Polling, service: str, region: str, operation: str, **members: Any) -> dict[str, Any]:
    """What a service answers.  Raises ``SourceRefused`` and ``SourceUnreachable``."""
    return await polling.threads.run(partial(_ask, polling.clients, service, region, operation, members))


def _ask(
    clients: AwsClients, service: str, region: str, operation: str, members: dict[str, Any]
) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = clients.get(service, region, timeout=READ_SECONDS)
        answer: dict[str, Any] = getattr(client, operation)(**members)
    except ClientError as error:
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, message = str(told.get("Code", "Unknown")), str(told.get("Message", error))
        if status >= 500 or code in {
            "Throttling",
            "ThrottlingException",
            "ProvisionedThroughputExceededException",
        }:
            raise SourceUnreachable(f"{service}: {code}: {message}") from None
        raise SourceRefused(code, message) from None
    except (BotoCoreError, ValueError) as error:
        raise SourceUnreachable(f"{service}: {error}") from None
    return answer
