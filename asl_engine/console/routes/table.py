"""The routes of the console by method and path, below ``/console/api/``.  To add one, enter its function here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.console.routes.acts import fork, operation
from asl_engine.console.routes.inbox import inbox, take
from asl_engine.console.routes.machines import coverage, inputs, machine, machines, validate
from asl_engine.console.routes.map_runs import map_run
from asl_engine.console.routes.papers import compared, cost, export, pytest_file
from asl_engine.console.routes.run import events, graph, marks, run, timeline
from asl_engine.console.routes.runs import runs
from asl_engine.console.routes.session import csp, login, logout, report, session
from asl_engine.console.routes.states import entries, iterations, payload, state, states
from asl_engine.console.routes.unregistered import start

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response

    from asl_engine.console.asked import Asked

__all__ = ["ROUTES", "ConsoleRoute"]


class ConsoleRoute(NamedTuple):
    """``reads`` are the parameters in the address, or the members of the body: with a ``?``, it may be missing."""

    method: str
    path: str
    handler: Callable[[Asked], Awaitable[dict[str, Any] | Response]]
    reads: str
    about: str


ROUTES: Final = (
    ConsoleRoute("GET", "session", session, "", "who is signed in, and to which server"),
    ConsoleRoute("POST", "login", login, "token", "the token for a cookie"),
    ConsoleRoute("POST", "logout", logout, "", "the cookie's end"),
    ConsoleRoute(
        "GET",
        "runs",
        runs,
        "machine? status? from? to? name? error? after? limit?",
        "executions, the newest first, and their numbers by status",
    ),
    ConsoleRoute("GET", "run", run, "arn", "an execution, and what can be done with it"),
    ConsoleRoute("GET", "run/graph", graph, "arn", "its graph, with how each state fared"),
    ConsoleRoute("GET", "run/marks", marks, "arn at?", "how each state stood as of an event"),
    ConsoleRoute("GET", "run/timeline", timeline, "arn from? limit?", "its waterfall"),
    ConsoleRoute("GET", "run/events", events, "arn from? limit? reverse?", "a window of its history"),
    ConsoleRoute("GET", "run/states", states, "arn", "the states that were entered"),
    ConsoleRoute("GET", "run/entries", entries, "arn state from? limit?", "each time that a state was entered"),
    ConsoleRoute(
        "GET",
        "run/state",
        state,
        "arn entry? state?",
        "one of those times: data at each stage, attempts, variables",
    ),
    ConsoleRoute(
        "GET", "run/iterations", iterations, "arn entry? state? from? limit?", "iterations of a Map, or branches"
    ),
    ConsoleRoute("GET", "run/export", export, "arn", "the page of `asl open`, as a download"),
    ConsoleRoute("GET", "run/pytest", pytest_file, "arn", "the file of `asl pin`"),
    ConsoleRoute("GET", "run/cost", cost, "arn executions?", "what `asl cost` says of it"),
    ConsoleRoute("GET", "payload", payload, "arn field event? entry?", "the whole of what other answers cut"),
    ConsoleRoute("GET", "maprun", map_run, "arn status? after? limit?", "a Map Run and its children"),
    ConsoleRoute("GET", "compare", compared, "one other", "two executions, as `asl diff` compares them"),
    ConsoleRoute(
        "GET", "machines", machines, "after? limit?", "state machines, and the numbers of their executions"
    ),
    ConsoleRoute(
        "GET", "machine", machine, "arn", "a machine, a version or an alias: definition, graph, findings"
    ),
    ConsoleRoute(
        "POST", "validate", validate, "definition type?", "what is wrong with a text, where, and the graph of it"
    ),
    ConsoleRoute("GET", "inputs", inputs, "machine", "sample inputs of the project, and the last ones used"),
    ConsoleRoute("GET", "coverage", coverage, "machine", "what the tests have covered of the definition"),
    ConsoleRoute("GET", "inbox", inbox, "after? limit?", "tasks that wait for somebody"),
    ConsoleRoute("POST", "inbox/take", take, "arn task", "be the worker of an activity's task"),
    ConsoleRoute(
        "POST",
        "start",
        start,
        "arn input? name?",
        "a new execution of a machine, a version, an alias or a run's machine, which is registered if need be",
    ),
    ConsoleRoute(
        "POST",
        "fork",
        fork,
        "arn state? iteration? branch? visit? input? variables? definition? name?",
        "a copy of an execution that goes on from one of its states",
    ),
    ConsoleRoute("POST", "operations/{name}", operation, "as the API", "an operation of the API"),
    ConsoleRoute("POST", "csp", report, "csp-report", "what the browser has blocked"),
    ConsoleRoute("GET", "csp", csp, "", "the last of those reports"),
)
