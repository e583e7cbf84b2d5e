"""What a project declares: the state machines and the functions, in whatever format it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar

    from asl_engine.findings import Finding
    from asl_engine.json_values import Json

    # From a location to its line and column; None where there is none.
    Locate: TypeAlias = Callable[[str], tuple[int, int] | None]
    Located = TypeVar("Located", "DeclaredRoute", "DeclaredEventRule", "DeclaredMapping", "DeclaredResource")

__all__ = [
    "Declarations",
    "DeclaredEventRule",
    "DeclaredFunction",
    "DeclaredMachine",
    "DeclaredMapping",
    "DeclaredResource",
    "DeclaredRoute",
    "Locate",
    "Surroundings",
    "is_usable",
    "without_places",
]


class Surroundings(NamedTuple):
    """What a template knows without being told, and what it is told.

    ``given`` are values by the names of what they replace: a parameter, ``Table.Arn``, ``opt:stage``.
    ``exported`` finds what another stack exports by a name, None where none does.  ``asset`` finds the file or
    folder, relative to the template, of an object that is to be in S3, by its key; None for what is elsewhere.
    ``read`` gives the value of a JSON or YAML file, relative to the template; None where there is none.
    """

    region: str
    account: str
    stack: str
    given: Mapping[str, str]
    exported: Callable[[str], Json | None] = lambda _: None
    asset: Callable[[str], str | None] = lambda _: None
    read: Callable[[str], Json] = lambda _: None


class DeclaredFunction(NamedTuple):
    """A Lambda function.  ``logical`` is what the file calls it, ``name`` what its ARN does.

    ``code`` is its folder or archive, relative to the file; ``source`` the code itself where the file has it.
    Neither is there where ``elsewhere`` says what the code is instead.  ``layers`` are folders and archives, as
    ``code`` is.  ``timeout`` is in seconds, ``memory`` in megabytes.  ``architecture`` is x86_64 or arm64.
    ``reserved`` is how many calls run at a time at most, None for as many as there are.  ``findings`` are what has
    no value in it.
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
    architecture: str = "x86_64"
    reserved: int | None = None
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


class DeclaredRoute(NamedTuple):
    """A route of an HTTP API: what a request to ``method`` and ``path`` leads to.

    ``api`` is the logical id of its API, ``stage`` that API's stage.  ``method`` may be ANY; ``path`` may have
    ``{id}`` and ``{proxy+}``, or be ``$default``.  ``target`` is the ARN of a function or a state machine, None
    where the API answers by itself.  ``integration`` are the members of the integration, as API Gateway names them
    (``Type``, ``IntegrationSubtype``, ``RequestTemplates``, ``RequestParameters``, ``IntegrationResponses``);
    ``payload`` is the version of the event that a function gets.  ``cors`` are the settings of the API's CORS.
    """

    api: str
    stage: str
    method: str
    path: str
    target: str | None
    location: str
    payload: str = "1.0"
    integration: Mapping[str, Json] = {}
    cors: Mapping[str, Json] = {}
    findings: tuple[Finding, ...] = ()


class DeclaredEventRule(NamedTuple):
    """A rule of a bus, or a schedule: the name of its bus, and what PutRule and PutTargets would be given."""

    name: str
    bus: str
    configuration: Mapping[str, Json]
    targets: Mapping[str, Mapping[str, Json]]
    location: str
    findings: tuple[Finding, ...] = ()


class DeclaredMapping(NamedTuple):
    """An event source mapping: ``function`` is the name of a function, ``source`` the ARN of a queue or a stream.

    ``properties`` are the other members of CreateEventSourceMapping.  The stream of a table is the ARN that ends
    in ``/stream/LATEST``: which one it is, is known once there is a table.
    """

    logical: str
    function: str
    source: str
    properties: Mapping[str, Json]
    location: str
    findings: tuple[Finding, ...] = ()


class DeclaredResource(NamedTuple):
    """Another resource that functions and states use: a queue, a table, a topic, a bucket, a secret.

    ``type`` is CloudFormation's name of its type, ``properties`` are those of that type, with their values.
    """

    logical: str
    type: str
    name: str
    properties: Mapping[str, Json]
    location: str
    findings: tuple[Finding, ...] = ()


def is_usable(declared: DeclaredRoute | DeclaredEventRule | DeclaredMapping) -> bool:
    """Whether what was found about a declaration leaves it something to do."""
    return not any(one.severity == "ERROR" for one in declared.findings)


def without_places(declared: Located) -> Located:
    """What it says, wherever in the file that is: a comment above it makes no other declaration of it."""
    findings = tuple(one._replace(line=None, column=None) for one in declared.findings)
    return declared._replace(location="", findings=findings)


class Declarations(NamedTuple):
    """What a file declares.  ``names`` are those that a value may be substituted for.

    ``findings`` are about what is not declared at all: events of a kind that nothing here runs, and what makes no
    sense.  A declaration with an ERROR among its own findings cannot be used; one with a WARNING can, without what
    that is about.
    """

    machines: tuple[DeclaredMachine, ...]
    functions: tuple[DeclaredFunction, ...] = ()
    names: tuple[str, ...] = ()
    routes: tuple[DeclaredRoute, ...] = ()
    rules: tuple[DeclaredEventRule, ...] = ()
    mappings: tuple[DeclaredMapping, ...] = ()
    resources: tuple[DeclaredResource, ...] = ()
    findings: tuple[Finding, ...] = ()

    def told(self) -> Iterator[Finding]:
        """The findings of all that it declares, besides those of its own."""
        for declared in (
            self.machines,
            self.functions,
            self.routes,
            self.rules,
            self.mappings,
            self.resources,
        ):
            for one in declared:
                yield from one.findings
