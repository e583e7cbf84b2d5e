"""The event source mappings of a server: what they need of the engine, and of what serves functions."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from asl_engine.arn import function_name
from asl_engine.errors import ProjectError
from asl_engine.mappings.polling import Polling
from asl_engine.mappings.running import MappingRunner
from asl_engine.resources.aws.clients import AwsClients
from asl_engine.resources.python.threads import DaemonThreads

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.mappings.settings import ProjectMappings
    from asl_engine.resources.catalog import Catalog
    from asl_engine.resources.services import Services
    from asl_engine.server.service import Service

__all__ = ["mapping_runners"]

log = logging.getLogger("asl_engine.mappings")

MAX_REQUESTS: Final = 256  # under way at a time: each queue that is polled has one


def mapping_runners(
    service: Service,
    services: Services,
    declared: ProjectMappings,
    say: Callable[[str], None] | None = None,
    hear: Callable[[str], None] = lambda _: None,
) -> list[MappingRunner]:
    """What polls the sources of a project's mappings: none without any, and where the store keeps none.

    ``service.polling`` is that, too.  ``say`` gets a line for what people should know, ``hear`` one for each batch
    that has succeeded.
    """
    store = service.engine.store.mappings
    tell = say or log.warning
    for why in declared.left_out:
        tell(why)
    if store is None or not declared.mappings:
        return []
    service.polling = MappingRunner(
        declared.mappings,
        Polling(
            store,
            service.catalog,
            not_served(service.catalog),
            services.aws or AwsClients(),
            DaemonThreads(MAX_REQUESTS),
            service.engine.timers,
            service.engine.clock,
            lambda: time.time_ns() // 1_000_000,
            tell,
            hear=hear,
        ),
    )
    return [service.polling]


def not_served(catalog: Catalog) -> Callable[[str], str | None]:
    """What tells why a function cannot be called: messages are not taken for one that nobody has."""

    def why(arn: str) -> str | None:
        try:
            found = catalog.find(arn)
        except ProjectError as error:
            return str(error)
        return None if found is not None else f"there is no function {function_name(arn) or arn}"

    return why
