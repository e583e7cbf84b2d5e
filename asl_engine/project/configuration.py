"""Where a project's things live: its task callables, its database, its account.

A project is configured by ``asl.toml``, or by ``[tool.asl]`` in ``pyproject.toml``; both know the same
keys, and every key has a default.  AWS_REGION and AWS_DEFAULT_REGION do not change ``region``: it is part
of every ARN in the database, so that it must not depend on the shell a command is typed into.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.errors import InvalidInput, Parameter, ProjectError
from asl_engine.project.ages import FORM, is_age

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from asl_engine.project.sizing import FunctionSizing
    from asl_engine.resources.lambda_.local import FunctionConfiguration
    from asl_engine.resources.services import NotRunHere
    from asl_engine.templates.declarations import (
        DeclaredEventRule,
        DeclaredMapping,
        DeclaredResource,
        DeclaredRoute,
    )

__all__ = ["Project", "database_file", "find_project", "normal"]

BUILDS = frozenset({"cdk.out", ".aws-sam", ".serverless", ".terraform"})


class Project(NamedTuple):
    """One project.  Paths are absolute; ``source`` is the file that configures it, None without one.

    ``region`` and ``account`` are those of the ARNs of its state machines and executions.  ``use_lambda``
    and ``lambda_endpoint`` (a URL, None for what the AWS SDK finds) say whether and where functions
    without a local callable are invoked.  ``substitutions`` are values for placeholders in definitions.
    ``limits`` are the limits that differ from AWS's, by their names.
    ``buckets`` are the folders that stand for S3 buckets.
    ``isolation`` and ``max_deaths`` say which tasks run in processes of their own: ``resources.python.isolation``.
    ``endpoints`` are the URLs of AWS services.
    ``sizing`` is what is said of functions, whatever runs them; ``functions`` are those that the project runs.
    ``deploy``, ``connections``, ``functions`` and ``events`` are the tables of these names, as they are written:
    ``cloud.deploy.settings``, ``resources.http.connections``, ``resources.lambda_.local`` and ``events.declared``
    read them.  So is ``emulation``, which may be a list or a truth value as well: ``emulation.settings``.
    ``deploy``, ``connections``, ``functions``, ``events`` and ``event_source_mappings`` are the tables of these
    names, as they are written: ``cloud.deploy.settings``, ``resources.http.connections``,
    ``resources.lambda_.local``, ``events.declared`` and ``mappings.settings`` read them.
    ``keep`` is how long executions are kept once they have ended, None for as long as nobody deletes them.
    ``allow_hosts`` are the names that a server of the project answers to besides those of the loopback interface.

    What a template declares is not configured: ``declared`` are its functions by name, ``refused`` those that
    cannot be run here, with the reasons, and ``machines`` its state machines, with the FILE#MACHINE of each.
    ``routes``, ``rules``, ``mappings`` and ``resources`` are the rest of it, with locations that name the file.
    ``undeclared`` tells, with places, what else stands there and has no effect here.
    """

    root: Path
    tasks: tuple[Path, ...]
    db: Path
    region: str = "us-east-1"
    account: str = "123456789012"
    lambda_endpoint: str | None = None
    use_lambda: bool = False
    source: Path | None = None
    substitutions: Mapping[str, str] = {}
    limits: Mapping[str, object] = {}
    buckets: Mapping[str, Path] = {}
    deploy: Mapping[str, Any] = {}
    endpoints: Mapping[str, str] = {}
    connections: Mapping[str, Any] = {}
    functions: Mapping[str, Any] = {}
    sizing: Mapping[str, FunctionSizing] = {}
    events: Mapping[str, Any] = {}
    alerts: Mapping[str, Any] = {}
    emulation: Any = None
    event_source_mappings: Mapping[str, Any] = {}
    allow_hosts: Sequence[str] = ()
    isolation: str = "none"
    max_deaths: int = 2
    keep: str | None = None
    declared: Mapping[str, FunctionConfiguration] = {}
    refused: Mapping[str, NotRunHere] = {}
    machines: Mapping[str, str] = {}
    routes: Sequence[DeclaredRoute] = ()
    rules: Sequence[DeclaredEventRule] = ()
    mappings: Sequence[DeclaredMapping] = ()
    resources: Sequence[DeclaredResource] = ()
    undeclared: Sequence[str] = ()

    @property
    def has_functions(self) -> bool:
        """Whether Lambda functions are configured or declared, besides the callables."""
        return bool(self.functions or self.declared or self.refused)


def find_project(start: Path, env: Mapping[str, str]) -> Project:
    """The project of ``start``, a definition file or a folder.

    It is configured by the nearest folder upwards with an ``asl.toml`` or a ``[tool.asl]``.  Without one
    its root is the parent of the folder ``statemachines`` that holds the definition, or else the nearest
    folder with ``tasks/``, ``.asl/`` or ``pyproject.toml``, or else the folder of ``start``.  ASL_DB in
    ``env`` overrides the database, relative to the current directory.

    Raises ``ProjectError`` for a file that cannot be read or is not TOML, an unknown key, a value that
    does not fit, and for configured tasks that do not exist.
    """
    start = _before_build(start.absolute())
    folder = start if start.is_dir() else start.parent
    configured = next(_configurations(folder), None)
    source, table = configured or (None, {})
    root = source.parent if source else _root(start, folder)
    values = _checked(table, source) if source else {}
    if tables := values.get("functions"):
        from asl_engine.project.sizing import is_only_sizing, read_sizing

        values["sizing"] = read_sizing(tables, str(source))
        values["functions"] = {name: one for name, one in tables.items() if not is_only_sizing(one)}
    override = env.get("ASL_DB")
    return Project(
        root=root,
        tasks=_tasks(root, values.pop("tasks", None), source),
        db=_database(root, values.pop("db", ".asl/asl.db"), override, source),
        buckets={bucket: normal(root / folder) for bucket, folder in values.pop("buckets", {}).items()},
        **values,
        source=source,
    )


def normal(path: Path) -> Path:
    """The absolute path without ``..``, so that one file goes by one name.

    Where a ``..`` leads out of the target of a symbolic link, leaving it out would lead elsewhere: it stays.
    """
    shorter = Path(os.path.normpath(path))
    return shorter if os.path.realpath(shorter) == os.path.realpath(path) else path


def database_file(text: str, named_by: str | Parameter) -> Path:
    """The absolute path of the database that ``text`` names; ``named_by`` is what has named it, for messages.

    Raises ``InvalidInput`` for SQLite's names of databases that are no files: an execution outlives its process,
    and other commands look at it.
    """
    if text == ":memory:" or text.startswith("file:"):
        raise InvalidInput(named_by, " is not a file: the database has to be one, so that a run can be resumed")
    if not text:
        raise InvalidInput(named_by, " is empty: give the path of the database")
    return normal(Path(text).absolute())


def _database(root: Path, configured: str, override: str | None, source: Path | None) -> Path:
    if override:
        return database_file(override, f"ASL_DB={override}")
    database_file(configured, f"{source}: db = {configured!r}")
    return normal(root / configured)


def _configurations(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for home in (folder, *folder.parents):
        own, shared = home / "asl.toml", home / "pyproject.toml"
        if (content := _content(own)) is not None:
            yield own, _parsed(own, content)
        if (content := _content(shared)) is not None and b"asl" in content:
            tools = _parsed(shared, content).get("tool")
            if isinstance(tools, dict) and "asl" in tools:
                yield shared, tools["asl"]


def _content(file: Path) -> bytes | None:
    """None where there is no such file."""
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError as error:
        raise ProjectError(f"cannot read {file}: {error.strerror}") from None


def _parsed(file: Path, content: bytes) -> dict[str, Any]:
    from tomllib import TOMLDecodeError, loads

    try:
        return loads(content.decode("utf-8").replace("\r\n", "\n"))
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError(f"{file}: this is not TOML: {error}") from None


def _before_build(start: Path) -> Path:
    """What is in the output of a build tool belongs to the project whose output it is: nothing is kept there."""
    for at, part in enumerate(start.parts):
        if part in BUILDS or part.startswith("cdk.out#"):
            return Path(*start.parts[:at])
    return start


def _root(start: Path, folder: Path) -> Path:
    if folder != start and folder.name == "statemachines":
        return folder.parent
    signs = ("tasks", ".asl", "pyproject.toml")
    homes = (home for home in (folder, *folder.parents) if any((home / sign).exists() for sign in signs))
    return next(homes, folder)


def _tasks(root: Path, configured: str | list[str] | None, source: Path | None) -> tuple[Path, ...]:
    """The places of the tasks; one that is configured has to exist, the default need not."""
    if configured is None:
        return (root / "tasks",)
    places = [configured] if isinstance(configured, str) else configured
    for place in places:
        if not (root / place).exists():
            raise ProjectError(f"{source}: tasks: there is no {root / place}")
    return tuple(root / place for place in places)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_table_of_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _matches(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


# Key: the field of Project that it sets, what fits, and how to say so.
_KEYS: dict[str, tuple[str, Callable[[object], bool], str]] = {
    "tasks": ("tasks", lambda v: _is_text(v) or _is_texts(v), 'a path or a list of paths, such as "tasks"'),
    "db": ("db", _is_text, 'a path, such as ".asl/asl.db"'),
    "region": ("region", _matches(r"[a-z0-9-]+"), 'the name of an AWS region, such as "us-east-1"'),
    "account": ("account", _matches(r"\d{12}"), 'twelve digits in quotes, such as "123456789012"'),
    "lambda-endpoint": (
        "lambda_endpoint",
        _matches(r"https?://.+"),
        'a URL, such as "http://localhost:3001"',
    ),
    "substitutions": ("substitutions", _is_table_of_texts, 'a table of names and texts, such as {Stage = "dev"}'),
    "deploy": ("deploy", lambda v: isinstance(v, dict), "a table, as docs/deploy.md lists its keys"),
    "endpoints": ("endpoints", _is_table_of_texts, 'a table of services and URLs, such as {sqs = "http://..."}'),
    "connections": (
        "connections",
        lambda v: isinstance(v, dict),
        "a table, as docs/integrations.md lists its keys",
    ),
    "functions": ("functions", lambda v: isinstance(v, dict), "a table, as docs/tasks.md lists its keys"),
    "events": ("events", lambda v: isinstance(v, dict), "a table, as docs/events.md lists its keys"),
    "emulation": (
        "emulation",
        lambda v: isinstance(v, bool | dict) or _is_texts(v),
        "true, false, a list of services, or a table, as docs/services.md lists its keys",
    ),
    "event-source-mappings": (
        "event_source_mappings",
        lambda v: isinstance(v, dict),
        "a table, as docs/mappings.md lists its keys",
    ),
    "alerts": ("alerts", lambda v: isinstance(v, dict), "a table, as docs/observability.md lists its keys"),
    "allow-hosts": ("allow_hosts", _is_texts, 'a list of host names, such as ["host.docker.internal"]'),
    "isolation": ("isolation", lambda v: v in ("none", "process"), '"none" or "process"'),
    "max-deaths": ("max_deaths", lambda v: type(v) is int and v > 0, "a number of processes, at least 1"),
    "keep": ("keep", is_age, FORM),
    "lambda": ("use_lambda", lambda v: isinstance(v, bool), "true or false"),
    "limits": ("limits", lambda v: isinstance(v, dict), 'a table, such as { history_events = "none" }'),
    "buckets": ("buckets", _is_table_of_texts, 'a table of folders, such as { my-bucket = "data" }'),
}
_KEYS["event_source_mappings"] = _KEYS["event-source-mappings"]
_KEYS["lambda_endpoint"] = _KEYS["lambda-endpoint"]
_KEYS["allow_hosts"] = _KEYS["allow-hosts"]
_KEYS["max_deaths"] = _KEYS["max-deaths"]


def _checked(table: object, source: Path) -> dict[str, Any]:
    """The values by field of ``Project``."""
    if not isinstance(table, dict):
        raise ProjectError(f"{source}: tool.asl has to be a table")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise ProjectError(f"{source}: {_unknown(key)}")
        name, fits, allowed = _KEYS[key]
        if not fits(value):
            raise ProjectError(f"{source}: {key} has to be {allowed}; it is {value!r}")
        if name in values:
            raise ProjectError(f"{source}: {key} is given twice, with - and with _")
        values[name] = value
    return values


def _unknown(key: str) -> str:
    from difflib import get_close_matches

    allowed = [known for known in _KEYS if "_" not in known]
    close = get_close_matches(key, allowed, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no key {key!r}; {hint}Allowed are {', '.join(allowed)}"
