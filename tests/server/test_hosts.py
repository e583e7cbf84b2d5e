"""Which host names a server answers to: no name that nobody has allowed, whatever it looks like."""

from __future__ import annotations

import pytest

from asl_engine.server.protocol.hosts import answers_to, host_name

NAMES: dict[str, str | None] = {
    "host.docker.internal": "host.docker.internal",
    "Host.Docker.Internal.": "host.docker.internal",
    "my_service": "my_service",
    "192.168.1.5": "192.168.1.5",
    "::1": "[::1]",
    "[FE80::1]": "[fe80::1]",
    "localhost.localstack.cloud": "localhost.localstack.cloud",
    "": None,
    "*": None,
    "*.example": None,
    ".example": None,
    "a b": None,
    "http://asl": None,
    "asl:8083": None,
    "abc:80": None,
    "asl/path": None,
    "x" * 254: None,
}


@pytest.mark.parametrize(("given", "name"), NAMES.items())
def test_what_is_a_name(given: str, name: str | None) -> None:
    assert host_name(given) == name


ALLOWED = frozenset({"host.docker.internal", "asl", "[fe80::1]"})
ANSWERED: dict[str, bool] = {
    "asl": True,
    "ASL:8083": True,
    "asl.:8083": True,
    "sync-asl:8083": True,
    "host.docker.internal:80": True,
    "sync-host.docker.internal": True,
    "[fe80::1]:8083": True,
    "localhost": True,
    "sync-localhost:1": True,
    "states.localhost": True,
    "127.0.0.1:8083": True,
    "[::1]:8083": True,
    "": False,
    "attacker.example": False,
    "asl.attacker.example": False,
    "attacker.asl": False,
    "xasl": False,
    "asl:8083.attacker.example": False,
    "asl@attacker.example": False,
    "attacker.example:80#asl": False,
    "asl, attacker.example": False,
    "127.0.0.1.attacker.example": False,
    "localhost.attacker.example": False,
    "[::1].attacker.example": False,
    "[fe80::2]": False,
    "fe80::1": False,
    "docker.internal": False,
}


@pytest.mark.parametrize(("header", "answered"), ANSWERED.items())
def test_what_is_answered(header: str, answered: bool) -> None:
    assert answers_to(header, ALLOWED) is answered


def test_nothing_else_is_allowed_by_itself() -> None:
    assert not answers_to("asl", ())
    assert answers_to("localhost", ())
