"""EventBridge connections of a project: how ``http:invoke`` authenticates to an API.

``[tool.asl.connections.NAME]`` declares what an EventBridge connection holds.  Take secrets from
the environment: ``{ env = "VARIABLE" }``.  Declared values go into requests and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import connection_name
from asl_engine.errors import ProjectError
from asl_engine.language.tree import tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.json_values import Json

__all__ = ["Connection", "read_connections", "unset_in"]

# The texts that each kind needs.
KINDS = {
    "BASIC": ("username", "password"),
    "API_KEY": ("key-name", "key-value"),
    "OAUTH_CLIENT_CREDENTIALS": ("authorization-endpoint", "client-id", "client-secret"),
}
TABLES = ("headers", "query-parameters", "body")
OPTIONAL = ("http-method", "oauth-body")


class Connection(NamedTuple):
    """``texts`` are those of its kind; ``headers``, ``query`` and ``body`` are added to every request.

    ``oauth_body`` is added to the request for a token, which is made with ``method``.  ``unset`` says that a
    variable is not set that a text is taken from: only who calls an API with the connection needs it.
    """

    name: str
    kind: str
    texts: Mapping[str, str]
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, str]
    oauth_body: Mapping[str, str]
    method: str = "POST"
    unset: str | None = None

    def __repr__(self) -> str:
        """The representation without the secrets."""
        return f"Connection({self.name!r}, {self.kind!r})"


def read_connections(tables: Mapping[str, Any], env: Mapping[str, str], source: str) -> dict[str, Connection]:
    """Raises ``ProjectError`` that says what is wrong, without revealing a secret."""
    return {name: _connection(name, table, env, source) for name, table in tables.items()}


def unset_in(connections: Mapping[str, Connection], definition: Json) -> Iterator[str]:
    """What the connections lack that the tasks of a definition name."""
    for task in tasks(definition):
        given = task.source.get("Parameters", task.source.get("Arguments"))
        for field in ("InvocationConfig", "Authentication"):
            named = given.get(field) if isinstance(given, dict) else None
            arn = named.get("ConnectionArn") if isinstance(named, dict) else None
            connection = connections.get(connection_name(arn) or "") if isinstance(arn, str) else None
            if connection is not None and connection.unset is not None:
                yield connection.unset


def _connection(name: str, table: Any, env: Mapping[str, str], source: str) -> Connection:
    place = f"{source}: connections.{name}"
    kind = table.get("auth") if isinstance(table, dict) else None
    if not isinstance(table, dict) or kind not in KINDS:
        raise ProjectError(f"{place}: auth has to be one of {', '.join(KINDS)}")
    allowed = {"auth", *KINDS[kind], *TABLES, *(OPTIONAL if kind.startswith("OAUTH") else ())}
    for key in table:
        if key not in allowed:
            raise ProjectError(
                f"{place}: there is no key {key!r} with {kind}; allowed are {', '.join(sorted(allowed))}"
            )
    for key in KINDS[kind]:
        if key not in table:
            raise ProjectError(f"{place}: {key} is missing")
    method = table.get("http-method", "POST")
    if method not in {"GET", "POST", "PUT"}:
        raise ProjectError(f"{place}: http-method has to be GET, POST or PUT")
    unset: list[str] = []
    texts = {key: _text(table[key], env, f"{place}.{key}", unset) for key in KINDS[kind]}
    added = [_texts(table.get(key, {}), env, f"{place}.{key}", unset) for key in (*TABLES, "oauth-body")]
    headers, query, body, oauth_body = added
    missing = "; ".join(unset) or None
    return Connection(name, str(kind), texts, headers, query, body, oauth_body, str(method), missing)


def _texts(table: Any, env: Mapping[str, str], place: str, unset: list[str]) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ProjectError(f"{place}: it has to be a table of names and texts")
    return {name: _text(value, env, f"{place}.{name}", unset) for name, value in table.items()}


def _text(value: Any, env: Mapping[str, str], place: str, unset: list[str]) -> str:
    if isinstance(value, str):
        return value
    variable = value.get("env") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(variable, str):
        raise ProjectError(f'{place}: it has to be a text, or {{ env = "VARIABLE" }}')
    if variable not in env:
        unset.append(f"{place}: the environment variable {variable} is not set")
    return env.get(variable, "")
