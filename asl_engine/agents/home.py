"""The project that tools work on: what lies in it, and nothing outside."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asl_engine.agents.replies import ToolFailure, step
from asl_engine.findings import did_you_mean
from asl_engine.json_text import dumps
from asl_engine.language.document import read_source
from asl_engine.project.definitions import Substituting, pseudo_parameters, read_machine
from asl_engine.project.discovery import find_definitions
from asl_engine.project.inputs import machine_name, split_reference
from asl_engine.project.lookup import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from asl_engine.language.document import DefinitionSource
    from asl_engine.project.configuration import Project
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["AgentProject", "Given", "GivenDefinition"]

Given: TypeAlias = str | dict[str, Any]  # a definition as a tool takes it
MAX_NAMED = 20


class GivenDefinition(NamedTuple):
    """``path`` is that of its file, from the project's root on, or FILE#MACHINE of a template; None without one.

    ``given`` is the text that was given in its place.
    """

    path: str | None
    given: str
    source: DefinitionSource
    name: str = "StateMachine"

    @property
    def definition(self) -> str:
        """As ``asl_engine.run`` and ``Workflow`` take it."""
        return self.path or self.given


class AgentProject:
    """A project, whose root is the current directory, and its database."""

    def __init__(self, project: Project, db: Path) -> None:
        self.project = project
        self.root = project.root.resolve()
        self.db = db

    # -- definitions ------------------------------------------------------------------------------------

    def definitions(self) -> list[str]:
        """The files of the definitions below the root; of a template its machines, as FILE#MACHINE."""
        named: list[str] = []
        for one in find_definitions(self.root):
            path = one.path.relative_to(self.root).as_posix()
            machines = [] if one.template is None else one.template.machines
            named += [path] if one.template is None else [f"{path}#{machine.name}" for machine in machines]
        return named

    def confined(self, given: str) -> str:
        """A path in the project, from its root on.  Raises ``ToolFailure`` for one that leads out of it."""
        try:
            path = (self.root / given).resolve()
        except (OSError, ValueError):
            path = Path("/")
        if not path.is_relative_to(self.root):
            raise ToolFailure(f"{given} is not in the project {self.root}: tools read nothing outside of it")
        return path.relative_to(self.root).as_posix()

    def read(self, given: Given, substitutions: Mapping[str, str] | None = None) -> GivenDefinition:
        """A definition: its file, FILE#MACHINE, the name of its machine, its JSON text, or the object itself.

        Raises ``AslError``.
        """
        values = dict(substitutions or {})
        if isinstance(given, dict) or given.lstrip().startswith("{"):
            text = dumps(given) if isinstance(given, dict) else given
            filled = {**pseudo_parameters(self.project), **self.project.substitutions, **values}
            return GivenDefinition(None, text, read_source(text, "the definition", filled))
        path = self._file(given)
        named = tuple(f"{name}={value}" for name, value in values.items())
        machine = read_machine(path, Substituting(named), self.project, local=True)
        return GivenDefinition(path, "", machine.source, machine.name)

    def _file(self, given: str) -> str:
        file, machine = split_reference(given)
        path = self.confined(file)
        if (self.root / path).is_file():
            return path if machine is None else f"{path}#{machine}"
        there = self.definitions()
        same = [one for one in there if _name(one) == given]
        if len(same) == 1:
            return same[0]
        if same:
            raise ToolFailure(f"{given} is the name of several definitions: give a path", exists=same)
        raise ToolFailure(
            f"there is no definition {given}{did_you_mean(given, [*there, *map(_name, there)])}",
            exists=there[:MAX_NAMED],
        )

    # -- executions -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def store(self, *, create: bool = False, reading: bool = True) -> AsyncIterator[SqliteStore]:
        """Raises ``ToolFailure`` where nothing has been run yet."""
        if not create and not self.db.exists():
            raise ToolFailure(
                f"nothing has been run yet: there is no database at {self.db}",
                next=step("list", "see what there is to run", what="definitions"),
            )
        async with opened(self.db, create=create, reading=reading) as store:
            yield store

    async def find(self, store: SqliteStore, text: str) -> Record:
        """The execution with this ARN, this name, or a name that begins so.  Raises ``ToolFailure``."""
        found = await store.find(text) if text else []
        if len(found) == 1:
            return found[0]
        there = found or await store.executions(limit=MAX_NAMED)
        names = [one.identity.arn if found else one.identity.name for one in there[:MAX_NAMED]]
        told = (
            f"{text!r} may be any of {len(found)} executions: give more of the name, or the ARN"
            if found
            else f"there is no execution {text!r}{did_you_mean(text, names)}"
        )
        raise ToolFailure(told, exists=names, next=step("list", "see the executions there are", what="executions"))


def _name(definition: str) -> str:
    """The name of a state machine, after its file or in its template."""
    file, machine = split_reference(definition)
    return machine_name(file) if machine is None else machine
