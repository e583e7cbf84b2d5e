"""What a project declares: the state machines and the functions, in whatever format it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.findings import Finding
    from asl_engine.json_values import Json

    # From a location to its line and column; None where there is none.
    Locate: TypeAlias = Callable[[str], tuple[int, int] | None]

__all__ = ["Declarations", "DeclaredFunction", "DeclaredMachine", "Locate", "Surroundings"]


class Surroundings(NamedTuple):
    """What a template knows without being told, and what it is told.

    ``given`` are values by the names of what they replace: a parameter, ``Table.Arn``, ``opt:stage``.
    ``exported`` finds what another stack exports by a name, None where none does.  ``asset`` finds the file or
    folder, relative to the template, of an object that is to be in S3, by its key; None for what is elsewhere.
    """

    region: str
    account: str
    stack: str
    given: Mapping[str, str]
    exported: Callable[[str], Json | None] = lambda _: None
    asset: Callable[[str], str | None] = lambda _: None


class DeclaredFunction(NamedTuple):
    """A Lambda function.  ``logical`` is what the file calls it, ``name`` what its ARN does.

    ``code`` is its folder or archive, relative to the file; ``source`` the code itself where the file has it.
    Neither is there where ``elsewhere`` says what the code is instead.  ``layers`` are folders and archives, as
    ``code`` is.  ``timeout`` is in seconds, ``memory`` in megabytes.  ``findings`` are what has no value in it.
    """

    logical: str
    name: str
    location: str
    runtime: str = ""
    handler: str = ""
    code: str | None = None
    source: str | None = None
    elsewhere: str | None = None
    environment: Mapping[str, str] = {}
    timeout: float = 3
    memory: int = 128
    layers: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


class DeclaredMachine(NamedTuple):
    """A state machine.  ``logical`` is what the file calls it, ``name`` what its ARN does.

    ``definition`` is in the file, an object or a text; or in another ``file``, relative to it.  ``location`` is
    that of the property that says so.  ``substitutions`` are values for the definition's placeholders, ``also``
    are more names to choose it by, the last of them the one that people know.  ``findings`` are what has no value
    in it, or makes no sense.  ``parts`` are files that belong to it, and are no definitions by themselves.
    """

    logical: str
    name: str
    location: str
    definition: Json = None
    file: str | None = None
    substitutions: Mapping[str, str] = {}
    express: bool = False
    also: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name that people know it by."""
        return self.also[-1] if self.also else self.logical

    @property
    def names(self) -> tuple[str, ...]:
        return (self.logical, self.name, *self.also)


class Declarations(NamedTuple):
    """What a file declares.  ``names`` are those that a value may be substituted for."""

    machines: tuple[DeclaredMachine, ...]
    functions: tuple[DeclaredFunction, ...] = ()
    names: tuple[str, ...] = ()
