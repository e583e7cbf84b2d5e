"""The settings of a deployment: ``[tool.asl.deploy]`` of the project; options of the command come first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import ALIAS_NAME, ALLOWED_IN_ALIASES, ROLE_ARN
from asl_engine.errors import InvalidInput, Parameter, ProjectError
from asl_engine.project.sizing import ARCHITECTURES
from asl_engine.resources.python.callables import canonical
from asl_engine.resources.python.isolation import options_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry

__all__ = ["FunctionSettings", "Logging", "Settings", "function_settings", "read_settings", "with_own_concurrency"]

LOG_LEVELS = ("OFF", "ERROR", "FATAL", "ALL")
RUNTIMES = tuple(f"python3.{minor}" for minor in range(11, 15))


class Logging(NamedTuple):
    """Execution logs.  ``group`` is the ARN of a log group; with ``data`` they have inputs and outputs."""

    level: str
    group: str
    data: bool


class FunctionSettings(NamedTuple):
    """``memory`` is in MB, ``timeout`` in seconds; ``concurrency`` is reserved, None for the account's pool.

    ``architecture`` is None for that of the deployment.
    """

    memory: int = 256
    timeout: int = 60
    concurrency: int | None = None
    environment: tuple[tuple[str, str], ...] = ()
    architecture: str | None = None


class Settings(NamedTuple):
    """``project`` is the value of the tag on everything that a deployment creates."""

    project: str
    type: str = "STANDARD"
    region: str | None = None
    profile: str | None = None
    role: str | None = None
    function_role: str | None = None
    alias: str | None = None
    tracing: bool = False
    logging: Logging | None = None
    architecture: str = "arm64"
    runtime: str = "python3.13"
    requirements: str | None = None
    include: tuple[str, ...] = ()
    function: FunctionSettings = FunctionSettings()
    functions: Mapping[str, Mapping[str, Any]] = {}


def read_settings(project: Project) -> Settings:
    """The settings of a project.  Raises ``ProjectError`` for an unknown key or an invalid value."""
    source = project.source or project.root
    values = _checked(project.deploy, _KEYS, f"{source}: deploy")
    functions: dict[str, dict[str, Any]] = {}
    for name, table in values.pop("functions", {}).items():
        if not isinstance(table, dict):
            raise ProjectError(f"{source}: deploy.functions.{name} has to be a table")
        functions[name] = _checked(table, _OWN_KEYS, f"{source}: deploy.functions.{name}")
    for name, sizing in project.sizing.items():
        said = {field: value for field, value in sizing._asdict().items() if value is not None}
        functions[name] = said | functions.get(name, {})
    common = {name: values.pop(name) for name, *_ in _FUNCTION_KEYS.values() if name in values}
    logging = values.pop("logging", None)
    fields = {"project": re.sub(r"[^\w.:/=+@ -]", "-", project.root.name) or "asl", **values}
    return Settings(
        **fields,
        logging=None if logging is None else _logging(logging, f"{source}: deploy.logging"),
        function=FunctionSettings(**common),
        functions=functions,
    )


def with_own_concurrency(settings: Settings, registry: Registry) -> Settings:
    """The settings with what ``@task`` says, where the configuration says nothing."""
    functions = dict(settings.functions)
    for name in registry:
        function = registry.find(name)
        own = None if function is None else options_of(function).concurrency
        if own is not None and function_settings(settings, name).concurrency is None:
            functions[name] = {**(functions.get(name) or _of_another_form(settings, name)), "concurrency": own}
    return settings._replace(functions=functions)


def function_settings(settings: Settings, name: str) -> FunctionSettings:
    """The settings of one function, with its architecture: the common ones, overridden by its own."""
    own = settings.functions.get(name) or _of_another_form(settings, name)
    merged = settings.function._replace(**{"architecture": settings.architecture, **own})
    if "environment" in own:
        both = dict(settings.function.environment) | dict(own["environment"])
        merged = merged._replace(environment=tuple(sorted(both.items())))
    return merged


def _of_another_form(settings: Settings, name: str) -> Mapping[str, Any]:
    """What is said of a function whose name differs in case, "_" and "-" only, as a callable's may."""
    forms = [table for known, table in settings.functions.items() if canonical(known) == canonical(name)]
    return forms[0] if len(forms) == 1 else {}


def _logging(table: dict[str, Any], where: str) -> Logging:
    values = _checked(table, _LOGGING_KEYS, where)
    if "group" not in values:
        raise ProjectError(f"{where}: group is missing: the ARN of a CloudWatch log group")
    return Logging(values.get("level", "ERROR"), values["group"], values.get("data", False))


Check = tuple[str, "Callable[[Any], bool]", str, "Callable[[Any], Any]"]


def _same(value: Any) -> Any:
    return value


def _text(what: str, field: str, pattern: str = r".+") -> Check:
    return field, lambda v: isinstance(v, str) and re.fullmatch(pattern, v) is not None, what, _same


def _one_of(field: str, choices: tuple[str, ...]) -> Check:
    return field, lambda v: v in choices, f"one of {', '.join(choices)}", _same


def _number(field: str, least: int, most: int, unit: str) -> Check:
    return (
        field,
        lambda v: isinstance(v, int) and not isinstance(v, bool) and least <= v <= most,
        f"a whole number of {unit} from {least} to {most}",
        _same,
    )


def _flag(field: str) -> Check:
    return field, lambda v: isinstance(v, bool), "true or false", _same


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_environment(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


_FUNCTION_KEYS: dict[str, Check] = {
    "memory": _number("memory", 128, 10_240, "megabytes"),  # Lambda's own bounds
    "timeout": _number("timeout", 1, 900, "seconds"),
    "reserved-concurrency": _number("concurrency", 0, 1_000_000, "executions"),
    "environment": (
        "environment",
        _is_environment,
        "a table of texts",
        lambda value: tuple(sorted(value.items())),
    ),
}
_OWN_KEYS: dict[str, Check] = {**_FUNCTION_KEYS, "architecture": _one_of("architecture", ARCHITECTURES)}
_LOGGING_KEYS: dict[str, Check] = {
    "level": _one_of("level", LOG_LEVELS),
    "group": _text("the ARN of a CloudWatch log group", "group", r"arn:[\w-]+:logs:.+:log-group:.+"),
    "data": _flag("data"),
}
_KEYS: dict[str, Check] = {
    "project": _text("a tag's value", "project", r"[\w.:/=+@ -]{1,256}"),
    "type": _one_of("type", ("STANDARD", "EXPRESS")),
    "region": _text('the name of an AWS region, such as "us-east-1"', "region", r"[a-z0-9-]+"),
    "profile": _text("the name of an AWS profile", "profile"),
    "role": _text("the ARN of a role", "role", ROLE_ARN.pattern),
    "function-role": _text("the ARN of a role", "function_role", ROLE_ARN.pattern),
    "alias": _text(f"an alias's name ({ALLOWED_IN_ALIASES})", "alias", ALIAS_NAME.pattern),
    "tracing": _flag("tracing"),
    "logging": ("logging", lambda v: isinstance(v, dict), "a table with level, group and data", _same),
    "architecture": _one_of("architecture", ARCHITECTURES),
    "runtime": _one_of("runtime", RUNTIMES),
    "requirements": _text('a file, such as "requirements.txt"', "requirements"),
    "include": ("include", _is_texts, 'a list of patterns, such as ["shop/**/*.py"]', tuple),
    "functions": ("functions", lambda v: isinstance(v, dict), "a table for each function", _same),
    **_FUNCTION_KEYS,
}


def _checked(table: Mapping[str, Any], keys: Mapping[str, Check], where: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        known = key.replace("_", "-")
        if known not in keys:
            raise ProjectError(f"{where}: there is no key {key!r}; allowed are {', '.join(keys)}")
        field, fits, allowed, made = keys[known]
        if not fits(value):
            raise ProjectError(f"{where}.{key} has to be {allowed}; it is {value!r}")
        values[field] = made(value)
    return values


def checked_weight(weight: int | None) -> int | None:
    """The percentage of new executions that the new version gets."""
    if weight is not None and not 1 <= weight <= 99:
        raise InvalidInput(Parameter("weight", str(weight)), ": it is the new version's percentage, from 1 to 99")
    return weight
