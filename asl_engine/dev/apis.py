"""The HTTP APIs of a project under development: on a port once there are routes, and told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.dev.telling import short_target, without_lines
from asl_engine.errors import ProjectError
from asl_engine.gateway.app import Gateway
from asl_engine.gateway.backend import ServerBackend
from asl_engine.gateway.integrations import not_run_here
from asl_engine.gateway.listening import DEFAULT_PORT, ApiListener
from asl_engine.gateway.routes import find_route
from asl_engine.templates.declarations import is_usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from asl_engine.gateway.app import Handled
    from asl_engine.gateway.routes import GatewayApi, GatewayRoute
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service
    from asl_engine.templates.declarations import DeclaredRoute

__all__ = ["ProjectApis"]


class ProjectApis:
    """Follows the routes of a project."""

    def __init__(
        self,
        service: Service,
        operations: Operations,
        admission: Admission,
        *,
        port: int | None,
        tell: Callable[[Handled], None],
    ) -> None:
        caller = admission.default
        backend = ServerBackend(service, operations, caller)
        self._gateway = Gateway(backend, caller, hosts=admission.hosts, tell=tell)
        self._listener = ApiListener(self._gateway, port)
        self._port = port
        self._routes: Sequence[DeclaredRoute] = ()
        self._told: set[str] = set()

    @property
    def address(self) -> str:
        """Where they are, "" before there are any."""
        return self._listener.address

    async def follow(self, routes: Sequence[DeclaredRoute], serves: Callable[[str], str | None]) -> list[str]:
        """Have these routes; returns lines that say where they are, and what is wrong with some, unless they were
        said before.

        ``serves`` says why the target with an ARN is not there, None for one that is.
        """
        if [*routes] == [*self._routes]:
            return []
        self._routes = routes
        twice = self._gateway.follow([*filter(is_usable, routes)])
        lines = [f"{route.location}: {one.message}" for route in routes for one in route.findings]
        for again, first in twice:
            lines.append(
                f"{again.location}: {again.method} {again.path} of {again.api} is declared at {first.location} "
                f"too, and leads to {short_target(first.target)}"
            )
        if not self._gateway.apis:
            return self._untold(lines)
        opened = not self._listener.address
        try:
            address = self._listener.open()
        except ProjectError as error:
            self._routes = ()
            return [*lines, f"the APIs are not answered: {error}"]
        if opened and self._port is None and not address.endswith(f":{DEFAULT_PORT}"):
            lines.append(f"port {DEFAULT_PORT} is taken: the APIs are at {address}")
        for api in self._gateway.apis:
            for route in api.routes:
                lines += self._described(address, api, route, serves)
        return self._untold(lines)

    def _untold(self, lines: Sequence[str]) -> list[str]:
        told, self._told = self._told, {*map(without_lines, lines)}
        return [line for line in lines if without_lines(line) not in told]

    def _described(
        self, address: str, api: GatewayApi, route: GatewayRoute, serves: Callable[[str], str | None]
    ) -> Iterator[str]:
        declared = route.declared
        if declared.method == "OPTIONS" and declared.target is None:
            return  # what a browser asks by itself
        path = "/" if declared.path == "$default" else declared.path
        found = find_route(self._gateway.apis, declared.method, path)
        prefix = "" if found is not None and found.api is api else f"/{api.identifier}"
        method = "ANY" if declared.path == "$default" else declared.method
        yield f"{method} {address}{prefix}{path} -> {short_target(declared.target)}"
        why = not_run_here(declared.target, declared.integration)
        if why is None and declared.target is not None:
            why = serves(declared.target)
        if why is not None:
            yield f"{declared.location}: {method} {declared.path}: {why}"

    async def close(self) -> None:
        await self._listener.close()
        await self._gateway.close()
