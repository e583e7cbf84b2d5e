"""By which variables functions find AWS's services: the emulated ones, this server's own, those given elsewhere.

The variables are those of the AWS SDKs.  They are set in the server's own process, so the project's callables have
them, and whatever is started there; declared functions get them from it.
"""

from __future__ import annotations

import os
from configparser import ConfigParser
from configparser import Error as Unreadable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.resources.aws.clients import is_local
from asl_engine.resources.endpoints import ENDPOINT_URL, endpoint_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["OURS", "ServiceAddresses", "changed_environment", "has_credentials", "service_addresses"]

# What this server answers by itself.
OURS: Final = ("stepfunctions", "events", "lambda")
# What the engine asks for by name, besides what functions and tasks do.
KNOWN: Final = ("dynamodb", "dynamodbstreams", "kinesis", "s3", "secretsmanager", "sns", "sqs", "ssm")
# How a shell may have credentials: variables, and keys of a profile in the AWS SDK's two files.
CREDENTIAL_VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
CREDENTIAL_FILES: Final = {
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
    "AWS_CONFIG_FILE": "~/.aws/config",
}
CREDENTIAL_KEYS: Final = frozenset(
    ("aws_access_key_id", "credential_process", "login_session", "role_arn", "sso_session", "sso_start_url")
)


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


def has_credentials(env: Mapping[str, str]) -> bool:
    """Whether the AWS SDK finds credentials in a shell: by its variables, or in the default profile of its files.

    The SDK itself is not asked, as it would ask the network where there are none.
    """
    if any(env.get(name) for name in CREDENTIAL_VARIABLES):
        return True
    files = (Path(env.get(name) or usual).expanduser() for name, usual in CREDENTIAL_FILES.items())
    return any(_default_has_credentials(file) for file in files)


def _default_has_credentials(file: Path) -> bool:
    read = ConfigParser(interpolation=None, default_section="", strict=False)
    try:
        read.read(file, encoding="utf-8")
    except (Unreadable, UnicodeDecodeError, OSError):  # the SDK says so to whoever uses it
        return False
    return read.has_section("default") and not CREDENTIAL_KEYS.isdisjoint(read["default"])


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
