"""boto3 clients: one for each service, region, role and read timeout, made when first needed and kept."""

from __future__ import annotations

from threading import Lock
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.resources.aws.regions import configured_region

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANY_CREDENTIALS", "AwsClients", "Connecting", "is_local", "read_timeout"]

MAX_READ = 1024  # seconds: a Lambda function runs for 900 at most
CONNECT_SECONDS = 10
RENEW_SECONDS = 300  # before the credentials of a role end
# For an endpoint on this machine that checks no signature, where the AWS SDK finds no credentials.
ANY_CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


class Connecting(NamedTuple):
    """Where services are: URLs by botocore's service names.  The AWS SDK finds the endpoints of the others.

    With ``sdk_region``, the region configured for the AWS SDK takes precedence over the execution's.
    """

    endpoints: Mapping[str, str] = MappingProxyType({})
    sdk_region: bool = False


class _Key(NamedTuple):
    service: str
    region: str | None
    role: str | None
    read_timeout: int


class AwsClients:
    """A thread-safe cache of clients.  boto3 is imported with the first client."""

    def __init__(self, connecting: Connecting | None = None) -> None:
        self._connecting = connecting or Connecting()
        self._session: Any = None
        self._clients: dict[_Key, Any] = {}
        self._expiry: dict[_Key, float] = {}
        self._assumed_keys: dict[_Key, dict[str, str]] = {}
        self._lock = Lock()  # boto3 sessions are not thread-safe

    def given(self, service: str) -> str | None:
        """The service's endpoint if one was given."""
        return self._connecting.endpoints.get(service)

    def is_given(self, service: str) -> bool:
        """Whether the service's endpoint was given."""
        return service in self._connecting.endpoints

    def get(self, service: str, region: str | None, role: str | None = None, timeout: int = MAX_READ) -> Any:
        """A client.  ``role`` is assumed through STS.  Raises what botocore raises, and ``ValueError``."""
        key = _Key(service, region, role, timeout)
        with self._lock:
            if key not in self._clients or self._expiry.get(key, float("inf")) < time():
                self._clients[key] = self._make(key)
            return self._clients[key]

    def credentials(self, service: str, region: str | None, role: str | None, url: str) -> Any:
        """botocore's credentials, as a client's, for a request to ``url``; None where there are none.

        Raises as ``get`` does.
        """
        from botocore.credentials import Credentials

        self.get(service, region, role)
        with self._lock:
            assumed = self._assumed_keys.get(_Key(service, region, role, MAX_READ))
            if assumed is not None:
                return Credentials(*assumed.values())
            found = self._session.get_credentials()
        if found is None and is_local(url):
            return Credentials(*ANY_CREDENTIALS.values())
        return found

    def _make(self, key: _Key) -> Any:
        import boto3

        self._session = self._session or boto3.Session()
        if key.role is None or self._is_emulated(key.service):
            return self._client(key.service, key.region, key.read_timeout, {})
        self._assumed_keys[key] = self._assumed(key, key.role)
        return self._client(key.service, key.region, key.read_timeout, self._assumed_keys[key])

    def _client(self, service: str, region: str | None, timeout: int, credentials: dict[str, str]) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"total_max_attempts": 1},  # retries are the machine's
            connect_timeout=CONNECT_SECONDS,
            read_timeout=timeout,
            max_pool_connections=64,
            tcp_keepalive=True,  # a connection stays silent while a function runs
            parameter_validation=False,  # ``requests`` has looked at them; the service says the rest by itself
        )
        endpoint = self._connecting.endpoints.get(service)
        if self._connecting.sdk_region or region is None:
            region = configured_region(self._session) or region

        def make(given: dict[str, str]) -> Any:
            return self._session.client(service, region_name=region, endpoint_url=endpoint, config=config, **given)

        client = make(credentials)
        if not credentials and self._session.get_credentials() is None and is_local(client.meta.endpoint_url):
            client = make(ANY_CREDENTIALS)
        return client

    def _is_emulated(self, service: str) -> bool:
        """Whether the service has an endpoint of its own while STS has none, so that no role can be assumed."""
        return service in self._connecting.endpoints and "sts" not in self._connecting.endpoints

    def _assumed(self, key: _Key, role: str) -> dict[str, str]:
        sts = self._client("sts", key.region, CONNECT_SECONDS, {})
        given = sts.assume_role(RoleArn=role, RoleSessionName="asl-engine")["Credentials"]
        self._expiry[key] = given["Expiration"].timestamp() - RENEW_SECONDS
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }


def is_local(url: str) -> bool:
    """Whether only this machine answers there."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def read_timeout(deadline: int | None) -> int:
    """Whole seconds, a power of two: at least the time that is left, so that the state's timeout comes first.

    ``deadline`` is in milliseconds since the epoch.
    """
    if deadline is None:
        return MAX_READ
    left = max(0, deadline - int(time() * 1000)) // 1000 + 1
    return min(1 << left.bit_length(), MAX_READ)
