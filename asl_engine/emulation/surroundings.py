"""By which variables functions find AWS's services: the emulated ones, this server's own, those given elsewhere.

The variables are those of the AWS SDKs.  They are set in the server's own process, so the project's callables have
them, and whatever is started there; declared functions get them from it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.resources.aws.clients import is_local
from asl_engine.resources.endpoints import ENDPOINT_URL, endpoint_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["OURS", "ServiceAddresses", "changed_environment", "service_addresses"]

# What this server answers by itself.
OURS: Final = ("stepfunctions", "events", "lambda")
# What the engine asks for by name, besides what functions and tasks do.
KNOWN: Final = ("dynamodb", "dynamodbstreams", "kinesis", "s3", "secretsmanager", "sns", "sqs", "ssm")


class ServiceAddresses(NamedTuple):
    """``emulated`` and ``given`` are URLs by botocore's names of services.

    ``elsewhere`` is the URL for all others, None where the AWS SDK finds them; ``own`` is the server's.
    """

    own: str
    emulated: Mapping[str, str]
    given: Mapping[str, str]
    elsewhere: str | None

    @property
    def is_local(self) -> bool:
        """Whether nothing of it leads to AWS, so that no function needs real credentials."""
        return self.elsewhere is not None and all(is_local(url) for url in (self.elsewhere, *self.given.values()))

    def variables(self) -> dict[str, str]:
        urls = {**dict.fromkeys(OURS, self.own), **self.emulated, **self.given}
        found = {endpoint_variable(service): url for service, url in urls.items() if url != self.elsewhere}
        return found if self.elsewhere is None else {**found, ENDPOINT_URL: self.elsewhere}


def service_addresses(
    own: str,
    emulator: str | None,
    services: frozenset[str] | None,
    given: Mapping[str, str],
    env: Mapping[str, str],
) -> ServiceAddresses:
    """Where each service is.  What was given comes first: ``given`` by options and files, then by variables.

    ``emulator`` is the address of all that is emulated, None where nothing is; ``services`` are those that are,
    None for all.  A variable that names one of our own addresses comes from a shell into which it was copied.
    """
    ours = {own, emulator}
    variables = {service: env.get(endpoint_variable(service)) for service in (*OURS, *KNOWN, *(services or ()))}
    known = {service: url for service, url in variables.items() if url and url not in ours} | dict(given)
    everywhere = env.get(ENDPOINT_URL)
    if everywhere and everywhere not in ours:  # it stands for each service that has none of its own
        return ServiceAddresses(own, {}, known, everywhere)
    if emulator is None:
        return ServiceAddresses(own, {}, known, None)
    wanted = KNOWN if services is None else services
    emulated = {service: emulator for service in wanted if service not in known}
    return ServiceAddresses(own, emulated, known, emulator if services is None else None)


@contextmanager
def changed_environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables of this process, or remove those that are to be None, until the block is left."""
    before = {name: os.environ.get(name) for name in changes}
    _apply(changes)
    try:
        yield
    finally:
        _apply(before)


def _apply(changes: Mapping[str, str | None]) -> None:
    for name, text in changes.items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text
