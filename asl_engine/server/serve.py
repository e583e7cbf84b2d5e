"""Runs the server: binds, answers, resumes interrupted executions meanwhile, and stops cleanly."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.engine.engine import Engine
from asl_engine.engine.mocking import Mocking
from asl_engine.engine.run import observed_by
from asl_engine.errors import StoreError
from asl_engine.mappings.settings import ProjectMappings
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.services import Services
from asl_engine.server.bus import begin_bus, event_bus, outbox_of, own_events
from asl_engine.server.events.table import EVENT_OPERATIONS
from asl_engine.server.mappings import mapping_runners
from asl_engine.server.nested import NestedExecutions
from asl_engine.server.operations.table import OPERATIONS
from asl_engine.server.protocol.http import Admission, make_app
from asl_engine.server.protocol.uvicorn_server import http_server
from asl_engine.server.service import Service
from asl_engine.server.sockets import bind, is_loopback
from asl_engine.server.takeover import Takeover
from asl_engine.server.upkeep import Upkeep

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from asl_engine.engine.clock import Clock
    from asl_engine.engine.host import Tracing
    from asl_engine.engine.run import Observer
    from asl_engine.events.declared import DeclaredRule
    from asl_engine.events.running import BusRunner
    from asl_engine.limits import Limits
    from asl_engine.resources import Resource
    from asl_engine.resources.lambda_.service import LambdaService
    from asl_engine.resources.mocks.configuration import MockFile
    from asl_engine.resources.python.registry import Registry
    from asl_engine.server.companion import Companion
    from asl_engine.server.protocol.request import Caller
    from asl_engine.server.service import Operations
    from asl_engine.store.protocol import Store

__all__ = ["Listening", "allow_many_connections", "bind", "is_loopback", "serve"]

log = logging.getLogger("asl_engine.server")

CHECK_SECONDS = 0.5  # how soon changes by other processes are noticed
ALL_ADDRESSES = {"0.0.0.0", "[::]"}  # noqa: S104  they are compared, nothing is bound
MAX_FILES = 65_536
NO_MAPPINGS = ProjectMappings()


class Listening(NamedTuple):
    """Where the server listens."""

    host: str
    port: int

    def url(self, everywhere: str) -> str:
        """``everywhere`` is the host to name for an address that stands for all of them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{everywhere if host in ALL_ADDRESSES else host}:{self.port}"


def allow_many_connections() -> None:
    """Raise the soft limit of open files: each worker that waits for a task holds a connection."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):  # then the current limit stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def serve(
    store: Store,
    listener: socket.socket,
    registry: Registry,
    *,
    default: Caller,
    clock: Clock,
    limits: Limits,
    stop: Awaitable[object],
    remote: LambdaService | None = None,
    services: Services | None = None,
    mocks: MockFile | None = None,
    buckets: Mapping[str, Path] | None = None,
    hosts: Collection[str] | None = (),
    secrets: Mapping[str, str] | None = None,
    observer: Observer | None = None,
    tracing: Tracing | None = None,
    companions: Sequence[Callable[[Service, Operations, Admission], Companion]] = (),
    declared: tuple[list[str], list[DeclaredRule]] = ([], []),
    mappings: ProjectMappings = NO_MAPPINGS,
    say: Callable[[str], None] | None = None,
    hear: Callable[[str], None] = lambda _: None,
    upkeep: Callable[[int], Awaitable[object]] | None = None,
    ready: Callable[[Listening], None] = lambda _: None,
    resumed: Callable[[Sequence[str]], None] = lambda _: None,
) -> None:
    """Answer until ``stop`` is done.  Executions that are running then can be resumed.

    ``hosts`` are the names to answer to besides those of the loopback interface, None for any.  ``secrets`` are
    the secret access keys, by their ids, of those who may ask; None for everybody.  ``observer`` gets events once
    they are stored, as ``tracing`` does; ``companions`` make what answers beside the API.  ``declared`` are the
    buses and rules of the configuration, ``mappings`` its event source mappings; ``say`` gets a line for what
    becomes of these, ``hear`` one for each of their batches that has succeeded.  ``buckets`` are folders that
    stand for S3 buckets.  ``upkeep`` is called with the time, at the start and then every hour; ``ready`` when
    requests are answered, ``resumed`` when all interrupted executions go on, with their ARNs.
    """
    services = services or Services()
    nested = NestedExecutions(
        OPERATIONS, elsewhere=services.aws is not None and services.aws.is_given("stepfunctions")
    )
    putting = own_events(store, services)
    catalog = Catalog(registry, remote, services._replace(executions=nested, events=putting))
    mocking = None if mocks is None else Mocking(catalog, store, mocks)
    engine = Engine(
        store,
        _traced(tracing, store, catalog if mocking is None else mocking),
        clock=clock,
        limits=limits,
        region=default.region,
        account=default.account,
        stand_in=None if mocking is None else mocking.stand_in,
        buckets=buckets,
    )
    async with engine:
        bus = event_bus(store, engine, default)
        nested.service = putting.service = service = Service(
            store, engine, catalog, mocking=mocking, bus=bus, tracing=tracing
        )
        admission = Admission(default, hosts, secrets)
        beside = [make(service, OPERATIONS, admission) for make in companions]
        told = (observer, service.observe, *(one.observe for one in beside), outbox_of(bus, engine))
        engine.observer = observed_by(None if tracing is None else tracing.observe, *told)
        events = None if bus is None else EVENT_OPERATIONS
        server = http_server(make_app(service, OPERATIONS, admission, beside, events=events))
        engine.activities.know(await store.activities.arns())
        await engine.check()  # changes by other processes are noticed from now on
        takeover = Takeover(store, service.adopt, engine.map_runs.finalize_all, engine.given_up.arns)
        runner = await begin_bus(service, services, declared)
        unfinished = await service.unfinished()
        background: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(_look_around(engine, service, takeover, beside, runner)),
            asyncio.ensure_future(takeover.run()),
        ]
        if runner is not None:
            background += [asyncio.ensure_future(one) for one in (runner.run(), Upkeep(clock, runner.tidy).run())]
        background += [asyncio.ensure_future(one.run()) for one in beside]
        for polling in mapping_runners(service, services, mappings, say, hear):
            background += [
                asyncio.ensure_future(one) for one in (polling.run(), Upkeep(clock, polling.tidy).run())
            ]
        if upkeep is not None:
            background.append(asyncio.ensure_future(Upkeep(clock, upkeep).run()))
        answering = asyncio.ensure_future(server.serve(sockets=[listener]))
        stopping = asyncio.ensure_future(stop)
        ready(Listening(*listener.getsockname()[:2]))
        resuming = asyncio.ensure_future(service.resume_all(unfinished, takeover.retry))
        background.append(resuming)
        ends: set[asyncio.Future[Any]] = {answering, stopping}
        try:
            await asyncio.wait({*ends, resuming}, return_when=asyncio.FIRST_COMPLETED)
            if not any(end.done() for end in ends):
                resumed(resuming.result())
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.should_exit = True
            engine.activities.close()
            for one in beside:
                one.close()
            for task in (*background, stopping):
                task.cancel()
            await answering
            await asyncio.wait(background)
        for task in background:
            if not task.cancelled():
                task.result()


def _traced(tracing: Tracing | None, store: Store, resources: Mapping[str, Resource]) -> Mapping[str, Resource]:
    if tracing is None:
        return resources
    tracing.store = store
    return tracing.resources(resources)


async def _look_around(
    engine: Engine,
    service: Service,
    takeover: Takeover,
    beside: Sequence[Companion],
    runner: BusRunner | None = None,
) -> None:
    """Notice what other processes do: stop our executions, create or delete activities, delete machines.

    If the database cannot be read, log the reason once and try again.
    """
    told = ""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            if await engine.check():
                takeover.others_have_written()
                if runner is not None:
                    await runner.others_have_written()
                if service.polling is not None:
                    service.polling.others_have_written()
                engine.activities.know(await engine.store.activities.arns())
                await service.learn_deletions()
                for one in beside:
                    one.others_have_written()
        except StoreError as error:
            if str(error) != told:
                told = str(error)
                log.error("%s", told)  # noqa: TRY400  the message says it all
