"""Whose endpoint a URL is: AWS's own, or another's, such as ``asl serve`` or an emulator.

The names of AWS's hosts end as botocore's list of partitions says, whatever the region, and so do those of VPC
endpoints.  Every other host is somebody else's: what is deployed there has nothing to do with an account of AWS.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

__all__ = ["is_aws", "is_loopback", "is_url", "mark", "same_server", "shown"]

_LOOPBACK = re.compile(r"localhost|[a-z0-9.-]+\.localhost|127(\.\d{1,3}){3}|::1")
_NOT_IN_TAGS = re.compile(r"[^\w.:/=+@ -]")  # "Tag naming limits and requirements" of IAM and Lambda


def is_aws(url: str) -> bool:
    """Whether the host of a URL is one of AWS's."""
    host = _host(url)
    return any(host == suffix or host.endswith(f".{suffix}") for suffix in _suffixes())


def is_url(text: str) -> bool:
    """Whether a text is the URL of a server."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port, or of an IPv6 address
        return False


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    return _LOOPBACK.fullmatch(_host(url)) is not None


def same_server(one: str, other: str) -> bool:
    """Whether two URLs lead to the same host and port."""
    return _server(one) == _server(other)


def shown(url: str) -> str:
    """The URL for people: without its user part, which may be a secret."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")


def mark(url: str, region: str, account: str) -> str:
    """The value of a tag that says for which endpoint, region and account something has been made.

    AWS has many names for one endpoint, and this machine has several; each counts as one.
    """
    if is_aws(url):
        return f"AWS {region} {account}"
    scheme, host, port = _server(url)
    return _NOT_IN_TAGS.sub("-", f"{scheme}://{host}:{port} {region} {account}")


def _server(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    host = "localhost" if is_loopback(url) else _host(url)
    return parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower().rstrip(".")


@cache
def _suffixes() -> frozenset[str]:
    from botocore.loaders import Loader

    partitions: Any = Loader().load_data("partitions")
    outputs = [partition["outputs"] for partition in partitions["partitions"]]
    return frozenset(one[name] for one in outputs for name in ("dnsSuffix", "dualStackDnsSuffix") if name in one)
