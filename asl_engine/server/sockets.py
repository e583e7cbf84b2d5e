"""Sockets that a server listens on."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from asl_engine.errors import Parameter, ProjectError

__all__ = ["MAX_PORT", "bind", "is_loopback"]

MAX_PORT = 65_535


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int, parameter: str = "port") -> socket.socket:
    """A listening socket.  Raises ``ProjectError`` if the address is not available.

    ``parameter`` is what says which port it is.
    """
    if not 0 <= port <= MAX_PORT:  # the system would take it modulo 65536
        raise ProjectError(Parameter(parameter, str(port)), f": a port is a number from 0 to {MAX_PORT}")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or "").partition(" (")[0]  # Python appends the address again
        raise ProjectError(
            f"cannot listen on {host}:{port}: {reason}; choose another ", Parameter(parameter)
        ) from None
    # Connections inherit it.  Without it, the kernel holds the body of an answer back until the head is
    # acknowledged, which takes 40 ms.  asyncio sets it only on sockets that name their protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    return listener
