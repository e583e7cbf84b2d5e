"""The host names that a server answers to.

A web page can reach this machine under a name of its own, which an attacker's DNS leads to 127.0.0.1 ("DNS
rebinding").  The browser then sends that name as the Host, so a name that nobody has allowed is refused.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["answers_to", "host_name"]

# What only leads to this machine, wherever it is looked up: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
LOOPBACK = re.compile(r"localhost|[a-z0-9.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\]")
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::\d+)?")
# Compose services may have underscores, which DNS names of hosts do not.
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,251}[a-z0-9])?")
PREFIX = "sync-"  # what SDKs put before the host for StartSyncExecution and TestState


def host_name(given: str) -> str | None:
    """A host name or an address as it is compared; None for what is none (a URL, a port, a wildcard)."""
    name = given.strip().lower().removesuffix(".")
    if NAME.fullmatch(name):
        return name
    try:
        return f"[{IPv6Address(name.removeprefix('[').removesuffix(']'))}]"
    except ValueError:
        return None


def answers_to(header: str, allowed: Collection[str]) -> bool:
    """Whether a Host is a name of the loopback interface, or one of those that were ``allowed``."""
    match = HOST.fullmatch(header.strip().lower())
    if match is None:
        return False
    name = match[1].removesuffix(".")
    return any(one in allowed or LOOPBACK.fullmatch(one) is not None for one in (name, name.removeprefix(PREFIX)))
