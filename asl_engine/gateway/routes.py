"""The route that a request takes: exact segments before ``{name}``, that before ``{name+}``, ``$default`` last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asl_engine.templates.declarations import DeclaredRoute

__all__ = ["GatewayApi", "GatewayRoute", "Taken", "Twice", "find_route", "made_apis"]

DEFAULT: Final = "$default"
ANY: Final = "ANY"
# How much a segment of a route says, the least first is the best.
END, EXACT, ONE, GREEDY, ANYTHING = range(5)


class GatewayRoute(NamedTuple):
    """A route of an API.  ``segments`` are those of its path, () for ``$default``."""

    declared: DeclaredRoute
    segments: tuple[str, ...]

    @property
    def key(self) -> str:
        """What API Gateway calls it: ``POST /orders/{id}``, or ``$default``."""
        path = self.declared.path
        return DEFAULT if path == DEFAULT else f"{self.declared.method} {path}"


class GatewayApi(NamedTuple):
    """An HTTP API, or a REST API (``rest``).

    ``identifier`` is ten letters and digits on AWS, and here its logical id: with it paths may begin.
    """

    identifier: str
    stage: str
    rest: bool
    routes: tuple[GatewayRoute, ...]

    def named_stage(self) -> bool:
        return self.stage not in {"", DEFAULT}


class Twice(NamedTuple):
    """A route that the same API has already."""

    route: DeclaredRoute
    first: DeclaredRoute


class Taken(NamedTuple):
    """The route that a request takes.  ``parameters`` are those of its path as they were sent; ``path`` is without
    the API and its stage.
    """

    api: GatewayApi
    route: GatewayRoute
    parameters: dict[str, str]
    path: str


def made_apis(routes: Iterable[DeclaredRoute]) -> tuple[list[GatewayApi], list[Twice]]:
    """The APIs in the order of their declarations, and routes that are declared twice: the first one counts."""
    by_api: dict[tuple[str, str], dict[tuple[str, tuple[str, ...]], GatewayRoute]] = {}
    twice: list[Twice] = []
    for declared in routes:
        route = GatewayRoute(declared, _segments(declared.path))
        file = declared.location.rpartition(":")[0]  # another file may call its API the same
        there = by_api.setdefault((file, declared.api), {})
        place = (declared.method, tuple("{}" if _rank(one) == ONE else one for one in route.segments))
        if declared.path == DEFAULT:
            place = (DEFAULT, ())
        if place in there:
            twice.append(Twice(declared, there[place].declared))
        else:
            there[place] = route
    apis: list[GatewayApi] = []
    for (_, name), found in by_api.items():
        known = {api.identifier for api in apis}
        numbered = (f"{name}{number}" for number in range(2, len(by_api) + 2))
        identifier = next(one for one in (name, *numbered) if one not in known)
        rest = all(_is_rest(route.declared) for route in found.values())
        stage = next(iter(found.values())).declared.stage
        apis.append(GatewayApi(identifier, stage, rest, tuple(found.values())))
    return apis, twice


def _is_rest(declared: DeclaredRoute) -> bool:
    """What only HTTP APIs have tells that it is one."""
    return not (
        DEFAULT in {declared.stage, declared.path}
        or declared.payload == "2.0"
        or "IntegrationSubtype" in declared.integration
    )


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/")) if path not in {"/", "", DEFAULT} else ()


def _rank(segment: str) -> int:
    if segment.startswith("{") and segment.endswith("}"):
        return GREEDY if segment.endswith("+}") else ONE
    return EXACT


def find_route(apis: Sequence[GatewayApi], method: str, path: str) -> Taken | None:
    """The route of a request.  The path may begin with an API's id, with its stage, or with both.

    It has to, where the API takes all paths and there are others.
    """
    found: list[tuple[tuple[int, ...], Taken]] = []
    for position, api in enumerate(apis):
        takes_all = all(route.declared.path == DEFAULT for route in api.routes)  # as the URL of a function does
        for prefixes, rest in _rests(api, path):
            if takes_all and not prefixes and len(apis) > 1:
                continue
            for route in api.routes:
                match = _match(route, method, rest)
                if match is not None:
                    ranks, parameters = match
                    # A path that begins as the API's addresses do is meant so.
                    found.append(((*ranks, -prefixes, position), Taken(api, route, parameters, rest)))
    return min(found, key=lambda one: one[0])[1] if found else None


def _rests(api: GatewayApi, path: str) -> Iterable[tuple[int, str]]:
    """The path, and what of it is left behind the API's id and its stage, with the number of those."""
    yield 0, path
    rest = _behind(api.identifier, path)
    if rest is not None:
        yield 1, rest
    if api.named_stage():
        for prefixes, shorter in ((1, path), *(((2, rest),) if rest is not None else ())):
            behind = _behind(api.stage, shorter)
            if behind is not None:
                yield prefixes, behind


def _behind(name: str, path: str) -> str | None:
    if path == f"/{name}":
        return "/"
    return path[len(name) + 1 :] if path.startswith(f"/{name}/") else None


def _match(route: GatewayRoute, method: str, path: str) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """How well the route fits, less is better, and the parameters of the path."""
    declared = route.declared
    if declared.path == DEFAULT:
        return (ANYTHING,), {}
    if declared.method not in {method, ANY}:
        return None
    given = _segments(path)
    parameters: dict[str, str] = {}
    ranks: list[int] = []
    for position, segment in enumerate(route.segments):
        rank = _rank(segment)
        if position >= len(given):
            return None
        ranks.append(rank)
        if rank == GREEDY:
            parameters[segment[1:-2]] = "/".join(given[position:])
            break
        if rank == ONE:
            parameters[segment[1:-1]] = given[position]
        elif segment not in (given[position], unquote(given[position])):
            return None
    else:
        if len(given) != len(route.segments):
            return None
    return (*ranks, END, 0 if declared.method == method else 1), parameters
