"""The emulation of a server: what it changes for functions and tasks, and what works beside the API for it."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from asl_engine.arn import partition_of
from asl_engine.emulation.declared import ResourceHome, local_clients, make_declared, shown_counts
from asl_engine.emulation.emulator import Emulator, bound
from asl_engine.emulation.kinds.table import KINDS
from asl_engine.emulation.relays import Relays
from asl_engine.emulation.settings import read_settings
from asl_engine.emulation.surroundings import changed_environment, has_credentials, service_addresses
from asl_engine.errors import ProjectError
from asl_engine.resources.aws.clients import ANY_CREDENTIALS
from asl_engine.resources.endpoints import ENDPOINT_URL, endpoints
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.server.silent_companion import SilentCompanion
from asl_engine.templates.declarations import without_places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from asl_engine.emulation.settings import EmulationSettings
    from asl_engine.emulation.surroundings import ServiceAddresses
    from asl_engine.project.configuration import Project
    from asl_engine.server.companion import Companion
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service
    from asl_engine.store.run_options import RunOptions
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["EmulatedServices", "Emulation", "chosen_emulation", "emulated_services"]

NEEDED: Final = ("boto3", "flask", "flask_cors", "moto")
INSTALL: Final = 'pip install "asl-engine[emulation]"'


def chosen_emulation(
    project: Project,
    how: RunOptions,
    flag: bool | None,
    *,
    develops: bool,
    own: str,
    secrets: Mapping[str, str] | None,
    say: Callable[[str], None],
) -> AbstractContextManager[Emulation | None]:
    """The emulation that the command's flag or else the project chooses.

    A server that ``develops`` has one where moto is installed, unless somebody does not want it, and functions are
    led to its own API in any case; others do nothing unasked.  ``own`` is the server's URL, ``secrets`` are what
    requests to it have to be signed with.  Raises ``InvalidInput``; the context raises ``ProjectError``.
    """
    settings = read_settings(project)
    wanted = settings.wanted if flag is None else flag
    if not (wanted or develops):
        return nullcontext()
    if wanted is None:
        wanted = _is_installed()
        if not wanted and settings.resources:
            say(
                f"{shown_counts(settings.resources)} of the project cannot be made here: emulating AWS's services "
                f"needs moto: {INSTALL}"
            )
    everywhere = os.environ.get(ENDPOINT_URL)
    given = _given_endpoints(how, project)
    return _emulating(project, settings, given, everywhere, wanted=wanted, own=own, secrets=secrets, say=say)


def emulated_services(
    emulation: Emulation | None, say: Callable[[str], None]
) -> list[Callable[[Service, Operations, Admission], Companion]]:
    """What works beside the API for an emulation."""
    return [] if emulation is None else [partial(EmulatedServices, emulation=emulation, say=say)]


def _is_installed() -> bool:
    return all(map(find_spec, NEEDED))


def _given_endpoints(how: RunOptions, project: Project) -> dict[str, str]:
    """The endpoints that options, the variables of Step Functions Local and files name.

    Whoever wants AWS Lambda to be called has named its endpoint, too.
    """
    urls = endpoints(how.endpoints, os.environ, project.endpoints, str(project.source))
    if (at := how.endpoint or os.environ.get("LAMBDA_ENDPOINT") or project.lambda_endpoint) is not None:
        return {"lambda": at, **urls}
    if how.use_lambda or project.use_lambda:
        suffix = "amazonaws.com.cn" if partition_of(project.region) == "aws-cn" else "amazonaws.com"
        return {"lambda": f"https://lambda.{project.region}.{suffix}", **urls}
    return urls


class Emulation:
    """What is emulated.  ``emulator`` is None where nothing is: then there are only the server's own addresses.

    ``variables`` are for the shell of a client.  ``changed`` is set where ``resources`` are others than before.
    ``again``: the project has had an emulator before, and what was in it is gone.
    """

    def __init__(
        self,
        addresses: ServiceAddresses,
        variables: Mapping[str, str],
        emulator: Emulator | None,
        resources: Sequence[DeclaredResource],
        home: ResourceHome,
        *,
        again: bool = False,
    ) -> None:
        self.addresses = addresses
        self.variables = variables
        self.emulator = emulator
        self.resources = resources
        self.home = home
        self.again = again
        self.changed = asyncio.Event()

    def declare(self, resources: Sequence[DeclaredResource]) -> None:
        """These are to be there from now on; those that are there stay as they are."""
        before, self.resources = self.resources, resources
        if [*map(without_places, resources)] != [*map(without_places, before)]:
            self.changed.set()

    @property
    def endpoints(self) -> Mapping[str, str]:
        """The URLs of emulated services, by botocore's names of them."""
        return self.addresses.emulated

    def has(self, service: str) -> bool:
        """Whether a service is emulated."""
        if service in self.addresses.given or self.emulator is None:
            return False
        return service in self.endpoints or self.addresses.elsewhere == self.emulator.url


@contextmanager
def _emulating(
    project: Project,
    settings: EmulationSettings,
    given: Mapping[str, str],
    everywhere: str | None,
    *,
    wanted: bool,
    own: str,
    secrets: Mapping[str, str] | None,
    say: Callable[[str], None],
) -> Iterator[Emulation]:
    """The surroundings of a server, until the block is left: a socket, and variables.

    ``given`` are the endpoints that options and files name, which come first, ``everywhere`` is the one that a
    variable names for all services.  ``wanted``: services that have none are emulated, once ``EmulatedServices``
    runs.
    """
    emulator = None
    log = project.db.with_name(f"{project.db.name}-moto.log")
    again = log.exists()
    if wanted:
        if not _is_installed():
            raise ProjectError(f"emulating AWS's services needs moto and boto3: {INSTALL}")
        preferred = (urlsplit(own).port or 0) + 1
        listener = bound(settings.port, preferred if preferred > 1 else 0)
        emulator = Emulator(listener, log, project.account)
        if everywhere and everywhere not in {own, emulator.url}:
            say(f"{ENDPOINT_URL} says that AWS's services are at {everywhere}: nothing is emulated or made")
            emulator.end()
            emulator = None
    try:
        url = None if emulator is None else emulator.url
        addresses = service_addresses(own, url, settings.services, given, os.environ)
        variables = {**addresses.variables(), "AWS_DISABLE_HOST_PREFIX_INJECTION": "true"}
        changes: dict[str, str | None] = {**variables}
        if addresses.is_local:
            key, secret = next(iter((secrets or {}).items()), tuple(ANY_CREDENTIALS.values()))
            variables |= {"AWS_REGION": project.region, "AWS_DEFAULT_REGION": project.region}
            changes |= {**variables, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
            changes |= dict.fromkeys(("AWS_PROFILE", "AWS_SESSION_TOKEN"))
            if not secrets and not has_credentials(os.environ):
                variables |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        home = ResourceHome(project.region, project.account)
        with changed_environment(changes):
            yield Emulation(addresses, variables, emulator, settings.resources, home, again=again)
    finally:
        if emulator is not None:
            emulator.end()


class EmulatedServices(SilentCompanion):
    """A ``Companion`` of the server: keeps the emulator, with what the project declares in it."""

    path = "/emulation"

    def __init__(
        self,
        service: Service,
        operations: Operations,
        admission: Admission,
        *,
        emulation: Emulation,
        say: Callable[[str], None],
    ) -> None:
        del operations, admission
        self._service = service
        self._emulation = emulation
        self._say = say
        self._told: set[str] = set()
        self._relays = Relays(service, self._sqs, say)

    async def run(self) -> None:
        """Until it is cancelled."""
        emulator = self._emulation.emulator
        if emulator is None:
            return
        following = asyncio.ensure_future(self._follow(emulator))
        try:
            await emulator.run(self._make, self._say, at_once=bool(self._emulation.resources))
        finally:
            following.cancel()
            await self._relays.close()

    async def _follow(self, emulator: Emulator) -> None:
        """Make what is declared while the server runs."""
        while True:
            await self._emulation.changed.wait()
            self._emulation.changed.clear()
            await emulator.started()
            await self._make(emulator.url)

    def _sqs(self) -> Any:
        """A client that waits while the emulator is started again."""
        emulator = self._emulation.emulator
        assert emulator is not None  # noqa: S101  for the type checker
        return local_clients(emulator.url, self._emulation.home.region)("sqs")

    async def _make(self, url: str) -> None:
        emulation, began = self._emulation, monotonic()
        done = await run_in_thread(partial(make_declared, url, emulation.resources, emulation.home, emulation.has))
        for fault in done.faults:
            if fault not in self._told:  # a second start has the same faults
                self._told.add(fault)
                self._say(fault)
        for line in self._left():
            if line not in self._told:
                self._told.add(line)
                self._say(line)
        self._relays.become(done.relays)
        if done.made:
            lost = ", empty: what was in them ended with the last run" if emulation.again else ""
            self._say(f"made {shown_counts(done.made)} in {monotonic() - began:.1f} s{lost}")
        emulation.again = False  # what is made from now on is new, or the end of the emulator was told

    def _left(self) -> Iterator[str]:
        """What is told of resources of services that are elsewhere."""
        emulation = self._emulation
        by_service: dict[str, list[DeclaredResource]] = {}
        for resource in emulation.resources:
            kind = KINDS.get(resource.type)
            if kind is not None and not emulation.has(kind.service):
                by_service.setdefault(kind.service, []).append(resource)
        for service, resources in sorted(by_service.items()):
            place = emulation.addresses.given.get(service, "AWS")
            yield f"{shown_counts(resources)} not made: {service} is not emulated, it is at {place}"
