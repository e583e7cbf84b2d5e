"""``GET /metrics``: what Prometheus asks a server for.

Where requests to the API have to be signed, the scraper names an access key and its secret, by HTTP's basic
authentication (RFC 7617), which is what Prometheus can do.
"""

from __future__ import annotations

import hmac
import logging
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from asl_engine.errors import StoreError
from asl_engine.practice.metrics import CONTENT_TYPE, ServerMetrics
from asl_engine.server.protocol.hosts import answers_to
from asl_engine.server.protocol.http import respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service

__all__ = ["MetricsPage"]

log = logging.getLogger("asl_engine.server")

PLAIN: Final = (b"content-type", b"text/plain; charset=utf-8")
SCHEME: Final = "basic "


class MetricsPage:
    """A ``Companion`` of the server."""

    path = "/metrics"

    def __init__(self, service: Service, operations: Operations, admission: Admission) -> None:
        del operations
        self._admission = admission
        self._metrics = ServerMetrics()
        self._metrics.engine = service.engine
        self._service = service

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        del receive
        headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
        if scope["path"] != self.path:
            await respond(send, 404, [])
        elif scope["method"] != "GET":
            await respond(send, 405, [(b"allow", b"GET")])
        elif b"origin" in headers or not self._is_host(headers.get(b"host", "")):
            await respond(send, 403, [PLAIN], b"no page in a browser may read this\n")
        elif not self._is_known(headers.get(b"authorization", "")):
            await respond(send, 401, [(b"www-authenticate", b'Basic realm="asl"')])
        else:
            await self._look()
            await respond(send, 200, [(b"content-type", CONTENT_TYPE.encode())], self._metrics.text())

    async def _look(self) -> None:
        """Read what only the database knows; where it cannot be used, there is nothing to tell of it."""
        buses, mappings = self._service.store.bus, self._service.store.mappings
        self._metrics.polling = self._service.polling
        try:
            self._metrics.backlog = () if buses is None else await buses.backlog()
            self._metrics.mappings = () if mappings is None else await mappings.mappings()
        except StoreError as error:
            log.warning("/metrics lacks what only the database tells: %s", error)
            self._metrics.backlog = self._metrics.mappings = ()

    def _is_host(self, host: str) -> bool:
        hosts = self._admission.hosts
        return hosts is None or answers_to(host, hosts)

    def _is_known(self, authorization: str) -> bool:
        secrets: Mapping[str, str] | None = self._admission.secrets
        if secrets is None:
            return True
        if not authorization.lower().startswith(SCHEME):
            return False
        try:
            given = b64decode(authorization[len(SCHEME) :], validate=True)
        except ValueError:  # it is not base64
            return False
        known = [f"{key}:{secret}".encode() for key, secret in secrets.items()]
        return any(hmac.compare_digest(given, one) for one in known)

    async def run(self) -> None:
        """It answers, and does nothing else."""

    def observe(self, run: Run, events: list[Event]) -> None:
        self._metrics.observe(run, events)

    def others_have_written(self) -> None:
        """Only what happens in this process is counted."""

    def close(self) -> None:
        """Nothing goes on here."""
