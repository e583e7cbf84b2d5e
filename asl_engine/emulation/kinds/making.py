"""What the makers of all types share: clients, values in the form that the API takes, names of properties."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import service_arn
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["Maker", "Relay", "ResourceKind", "attributes", "is_refused", "relay_queue", "request_of", "text_of"]


RELAYS: Final = "asl-engine-relay-"
VISIBLE_AGAIN: Final = 43_200  # seconds, the most there are: a message is tried again by whoever has taken it


class Relay(NamedTuple):
    """A queue of ours for what moto itself cannot deliver: what arrives there is for ``function``.

    ``source`` is the ARN of the topic or the bucket that fills it.  Without a function it fills the event bus.
    ``queue`` is its name.
    """

    source: str
    function: str | None
    queue: str
    subscription: str


class Maker(NamedTuple):
    """Makes resources.  ``client`` gives boto3's client of a service; ``relays`` are those that are needed."""

    client: Callable[[str], Any]
    region: str
    account: str
    relays: list[Relay]

    def arn(self, service: str, name: str) -> str:
        return service_arn(service, self.region, self.account, name)

    def relay(self, source: str, function: str | None, queue: str, subscription: str) -> None:
        """What arrives in a queue of ``relay_queue`` is fetched from now on."""
        relay = Relay(source, function, queue, subscription)
        if relay not in self.relays:
            self.relays.append(relay)


def relay_queue(maker: Maker, source: str, target: str) -> str:
    """The name of the queue between a source and a target, which is there from now on."""
    name = f"{RELAYS}{sha256(f'{source} {target}'.encode()).hexdigest()[:16]}"
    maker.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(VISIBLE_AGAIN)})
    return name


class ResourceKind(NamedTuple):
    """A type of resource: ``make`` makes one, and tells whether it was not there before.

    ``connect`` does what needs the others to be there.  ``properties`` are all that CloudFormation knows of it.
    """

    service: str
    make: Callable[[Maker, DeclaredResource], bool]
    properties: frozenset[str]
    connect: Callable[[Maker, DeclaredResource], None] | None = None


def text_of(value: Any) -> str:
    """A value as the attributes of SQS and SNS have it: a text, or the text of JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def attributes(properties: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    """Those of the properties that are attributes of the same name."""
    return {name: text_of(properties[name]) for name in names if name in properties}


def is_refused(error: Exception, *codes: str) -> bool:
    """Whether an error of botocore's is one of a service, with one of these codes."""
    told = getattr(error, "response", {}).get("Error", {})
    return told.get("Code") in codes


def request_of(client: Any, operation: str, properties: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """The members of an operation's request among the properties, in the types that its model asks for.

    CloudFormation takes "5" for 5, and has members that no request has: these are left out.
    """
    shape = client.meta.service_model.operation_model(operation).input_shape
    made: dict[str, Any] = _shaped(dict(properties), shape, place)
    return made


_TRUTH: Final = {"true": True, "false": False}


def _shaped(value: Any, shape: Any, place: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            raise InvalidInput(f"{place or 'it'} has to be an object; it is {value!r}")
        return {
            name: _shaped(inner, shape.members[name], f"{place}.{name}" if place else name)
            for name, inner in value.items()
            if name in shape.members
        }
    if kind == "list":
        if not isinstance(value, list):
            raise InvalidInput(f"{place} has to be a list; it is {value!r}")
        return [_shaped(inner, shape.member, f"{place}[{number}]") for number, inner in enumerate(value)]
    if kind in {"integer", "long"} and isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise InvalidInput(f"{place} has to be a number; it is {value!r}") from None
    if kind == "boolean" and isinstance(value, str):
        return _TRUTH.get(value.lower(), value)
    return str(value) if kind == "string" and type(value) in {int, float} else value
