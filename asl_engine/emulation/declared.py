"""What a project declares, made at the services: each resource once, what is wrong with one told by its place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.emulation.kinds.making import Maker, Relay
from asl_engine.emulation.kinds.table import KINDS
from asl_engine.emulation.settings import BUS
from asl_engine.errors import InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.resources.aws.clients import ANY_CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asl_engine.emulation.kinds.making import ResourceKind
    from asl_engine.templates.declarations import DeclaredResource

__all__ = [
    "MadeResources",
    "ResourceHome",
    "local_clients",
    "make_declared",
    "shown_counts",
]

SECONDS: Final = 60
# What says who may do what: here everybody may do everything.
WITHOUT_EFFECT: Final = frozenset(
    {
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)


class ResourceHome(NamedTuple):
    """Where resources are made: the region and the account."""

    region: str
    account: str


class MadeResources(NamedTuple):
    """``made`` were not there before; ``faults`` are lines to tell; ``relays`` are queues to be emptied."""

    made: list[DeclaredResource]
    faults: list[str]
    relays: list[Relay]


class _There(NamedTuple):
    """A resource that is there; ``is_new``: it was not before."""

    resource: DeclaredResource
    kind: ResourceKind
    is_new: bool


def make_declared(
    url: str, resources: Iterable[DeclaredResource], home: ResourceHome, services: Callable[[str], bool]
) -> MadeResources:
    """Make what is not there at ``url``.  It blocks.  ``services`` says of which services resources are made."""
    relays: list[Relay] = []
    maker = Maker(local_clients(url, home.region), home.region, home.account, relays)
    result = MadeResources([], [], relays)
    there: list[_There] = []
    for resource in resources:
        kind = KINDS.get(resource.type)
        if kind is None:
            if resource.type != BUS and resource.type not in WITHOUT_EFFECT:
                known = ", ".join(sorted({*KINDS, BUS}))
                result.faults.append(f"{_named(resource)}: it is not made: {resource.type} is none of {known}")
            continue
        if not services(kind.service):
            continue
        result.faults.extend(f"{_named(resource)}: {one.message}" for one in resource.findings)
        result.faults.extend(_misspelt(resource, kind))
        is_new = _attempted(resource, partial(kind.make, maker, resource), result.faults)
        if is_new is not None:
            there.append(_There(resource, kind, is_new))
    for resource, kind, is_new in there:
        faults = len(result.faults)
        if kind.connect is not None:
            _attempted(resource, partial(kind.connect, maker, resource), result.faults)
        if is_new and len(result.faults) == faults:
            result.made.append(resource)
    return result


def _attempted(resource: DeclaredResource, work: Callable[[], bool | None], faults: list[str]) -> bool | None:
    """What ``work`` returns; None where it failed, which is then one of the faults."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return work()
    except ClientError as error:
        told = error.response.get("Error", {})
        why = f"{told.get('Code')}: {told.get('Message')}"
    except (BotoCoreError, InvalidInput, TypeError, ValueError, AttributeError) as error:  # of a strange shape
        why = " ".join(str(error).split())
    faults.append(f"{_named(resource)}: the {_word(resource)} is not as it should be: {why}")
    return None


def _misspelt(resource: DeclaredResource, kind: ResourceKind) -> list[str]:
    return [
        f"{_named(resource)}: {resource.type} has no property {name!r}{did_you_mean(name, kind.properties)}"
        for name in resource.properties
        if name not in kind.properties
    ]


def _named(resource: DeclaredResource) -> str:
    """The place of a resource, which may end in its name already."""
    own = "" if resource.location.endswith(resource.logical) else f": {resource.logical}"
    return resource.location + own


def _word(resource: DeclaredResource) -> str:
    """``AWS::SQS::Queue`` -> ``queue``."""
    return resource.type.rpartition("::")[2].removeprefix("Simple").removeprefix("Global").lower()


def local_clients(url: str, region: str) -> Callable[[str], Any]:
    """boto3's clients of an emulator, each made once."""
    import boto3
    from botocore.config import Config

    session = boto3.Session(region_name=region, **ANY_CREDENTIALS)
    config = Config(
        connect_timeout=SECONDS,
        read_timeout=SECONDS,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=url, config=config)
        return made[service]

    return client


def shown_counts(resources: Sequence[DeclaredResource]) -> str:
    """``2 queues, 1 table``."""
    words: dict[str, int] = {}
    for one in resources:
        words[_word(one)] = words.get(_word(one), 0) + 1
    return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for word, number in sorted(words.items()))
