"""Who may ask a server, and by which names: what the options, the environment and the project say."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from asl_engine.cli.output import err
from asl_engine.errors import InvalidInput
from asl_engine.folders import make_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.project.configuration import Project

__all__ = ["allowed_hosts", "given_secrets", "known_secrets"]


class AccessArguments(Protocol):
    """The arguments that this is about."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def credentials(self) -> str | None: ...
    @property
    def allow_hosts(self) -> Sequence[str]: ...


def given_secrets(credentials: str | None) -> dict[str, str]:
    """The secret access keys, by their ids, of the option's file and of the environment."""
    from asl_engine.server.credentials import credentials_in, credentials_of, is_private

    found = {}
    if credentials is not None:
        file = Path(credentials)
        found = credentials_in(file)
        if not is_private(file):
            err(f"asl: warning: others on this machine can read {file}")
    return found | credentials_of(os.environ)


def known_secrets(given: AccessArguments, secrets: dict[str, str], db: Path) -> dict[str, str] | None:
    """Those that were given; beyond loopback those of a file beside the database; else None: anybody may ask."""
    from asl_engine.server.credentials import KEY, credentials_in, made_credentials
    from asl_engine.server.serve import is_loopback

    place = given.credentials or KEY
    if not is_loopback(given.host):
        err(
            f"asl: warning: whatever is sent to {given.host}:{given.port}, and its answers, can be read on the way"
        )
        if not secrets:
            file = db.with_name(f"{db.name}-credentials")
            with suppress(OSError):  # the next line says it
                make_folder(file.parent)
            if made_credentials(file):
                err(f"asl serve: made an access key: AWS_SHARED_CREDENTIALS_FILE={file} lets clients use it")
            secrets, place = credentials_in(file), str(file)
    if secrets:
        err(f"asl serve: requests have to be signed with an access key of {place}")
    return secrets or None


def allowed_hosts(given: AccessArguments, project: Project) -> frozenset[str] | None:
    """The names to answer to: the option's and the project's.  Beyond loopback any, without these: who signs
    signs the name, too.
    """
    from asl_engine.server.protocol.hosts import host_name
    from asl_engine.server.serve import is_loopback

    names = set()
    places = ((given.allow_hosts, "--allow-host"), (project.allow_hosts, f"{project.source}: allow-hosts"))
    for allowed, place in places:
        for text in allowed:
            name = host_name(text)
            if name is None:
                raise InvalidInput(
                    f"{place}: {text!r} is no host name: give it without scheme, port and wildcard, as in "
                    "host.docker.internal"
                )
            names.add(name)
    return None if not names and not is_loopback(given.host) else frozenset(names)
