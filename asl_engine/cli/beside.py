"""What a server of the command line has beside its API: the console, metrics, a project under development."""

from __future__ import annotations

from functools import partial
from secrets import token_urlsafe
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.cli.output import err, is_said_otherwise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from asl_engine.console.settings import ConsoleSettings
    from asl_engine.emulation.mount import Emulation
    from asl_engine.events.alert_rules import Alert
    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry
    from asl_engine.resources.services import Services
    from asl_engine.server.companion import Companion
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service
    from asl_engine.store.run_options import RunOptions

__all__ = ["Developing", "companions", "console_settings", "hearing", "told_by"]


def companions(
    console: ConsoleSettings | None, *, metrics: bool, alerts: Sequence[Alert] = ()
) -> list[Callable[[Service, Operations, Admission], Companion]]:
    """What answers beside the API.  Raises ``ProjectError`` where a library for it is missing."""
    from asl_engine.server.lambda_api import LambdaApi

    made: list[Callable[[Service, Operations, Admission], Companion]] = [LambdaApi]
    if console is not None:
        from asl_engine.console.mount import Console

        made.append(partial(Console, settings=console))
    if metrics:
        from asl_engine.practice.metrics_page import MetricsPage

        made.append(MetricsPage)
    if alerts:
        from asl_engine.practice.alerts import AlertCompanion

        made.append(partial(AlertCompanion, alerts=alerts))
    return made


def console_settings(project: Project, secrets: Mapping[str, str] | None) -> ConsoleSettings:
    """What the console needs to know; where requests have to be signed, one signs in to it with a new token."""
    from asl_engine import __version__
    from asl_engine.console.settings import ConsoleSettings

    return ConsoleSettings(project.root, __version__, "" if secrets is None else token_urlsafe(24))


def hearing(develops: bool) -> Callable[[str, str], None] | None:
    """What takes the lines that functions write, None where they go to our stderr, as lines of JSON do."""
    if not develops or is_said_otherwise():
        return None
    from asl_engine.dev.telling import Telling

    return Telling(err).written


def told_by(name: str, root: Path, *, develops: bool) -> tuple[Callable[[str], None], Callable[[str], None]]:
    """What takes lines about mappings and emulated services, and what those about each batch that has succeeded.

    ``name`` is that of the command, which does not tell of the latter unless a project is being developed.
    """
    if not develops:
        return lambda text: err(f"{name}: {text}"), lambda _: None
    from asl_engine.dev.telling import Telling

    tell = Telling(err, root).tell
    return tell, tell


class Developing(NamedTuple):
    """What follows the files of a project is made of.  ``project`` is without what these declare."""

    project: Project
    how: RunOptions
    registry: Registry
    services: Services
    emulation: Emulation | None
    http_port: int | None

    def companion(self) -> Callable[[Service, Operations, Admission], Companion]:
        """Raises ``ProjectError`` where a library for it is missing."""
        from asl_engine.dev.development import Developed, Development
        from asl_engine.dev.watching import changes_below

        project, emulation = self.project, self.emulation
        developed = Developed(
            project=project,
            how=self.how,
            registry=self.registry,
            services=self.services,
            changes=changes_below(project.root),
            say=err,
            http_port=self.http_port,
            emulated=None if emulation is None else emulation.endpoints,
            declare=(lambda _: None) if emulation is None else emulation.declare,
        )
        return partial(Development, developed=developed)
