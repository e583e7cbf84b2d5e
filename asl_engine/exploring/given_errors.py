"""The errors that a task can give: those that its definition names, its service's own, timeouts, failures.

A function, an activity's worker and whoever answers a task token may fail with any name; a service only with its
own.  AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_name, integration_name, is_activity, waits_for_token
from asl_engine.findings import did_you_mean
from asl_engine.language.tree import all_states, inner_states
from asl_engine.resources.aws.failures import declared_errors, sdk_family
from asl_engine.resources.aws.names import operation_name, service_model, services
from asl_engine.resources.aws.optimised import FAMILIES, OPTIMISED
from asl_engine.states.recovery import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asl_engine.language.tree import StateSource

__all__ = ["GivenErrors", "error_names", "errors_of", "given_errors"]

FAILED, TIMEOUT, HEARTBEAT = "States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout"
WILDCARDS: Final = frozenset({"States.ALL"})
# What a state itself can fail with, whatever its work.
OF_STATES: Final = frozenset(
    {
        FAILED,
        "States.Permissions",
        "States.ResultPathMatchFailure",
        "States.ReferencePathConflict",
        "States.ParameterPathFailure",
        "States.IntrinsicFailure",
        "States.DataLimitExceeded",
        "States.QueryEvaluationError",
    }
)
OF_TYPES: Final[dict[str, frozenset[str]]] = {
    "Parallel": frozenset({"States.BranchFailed"}),
    "Map": frozenset(
        {"States.ExceedToleratedFailureThreshold", "States.ItemReaderFailed", "States.ResultWriterFailed"}
    ),
    "Task": frozenset({"States.Http.Socket"}),
}
# AWS Lambda Developer Guide and "Handle transient Lambda service exceptions" in that of Step Functions.
OF_LAMBDA: Final = ("Lambda.ServiceException", "Lambda.TooManyRequestsException")
RUNTIME: Final = "States.Runtime"
SDK, INVOKE, EXECUTION = "aws-sdk:", "lambda:invoke", "states:startExecution"
OWN_PREFIX: Final = {
    "http:invoke": "States.Http.",
    "apigateway:invoke": "ApiGateway.",
    EXECUTION: "StepFunctions.",
}


class GivenErrors(NamedTuple):
    """``named`` are the errors worth trying; ``prefix`` is what a service's own begin with, None for any name."""

    named: tuple[str, ...]
    prefix: str | None


def error_names(source: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """The names in Retry and Catch, each with its field and the entry's index."""
    for field in ("Retry", "Catch"):
        for index, entry in enumerate(source.get(field, ())):
            for name in entry["ErrorEquals"]:
                yield field, index, name


def given_errors(task: StateSource, listed: Iterable[str] = ()) -> GivenErrors:
    """``listed`` are those that somebody asks for."""
    source: Mapping[str, Any] = task.source
    prefix = _prefix(source["Resource"])
    named = [name for holder in _holders(task) for _, _, name in error_names(holder.source)]
    able = [name for name in named if name not in WILDCARDS and _unable(name, task, prefix) is None]
    always = [FAILED]
    if "TimeoutSeconds" in source or "TimeoutSecondsPath" in source:
        always.append(TIMEOUT)
    if "HeartbeatSeconds" in source or "HeartbeatSecondsPath" in source:
        always.append(HEARTBEAT)
    return GivenErrors(tuple(dict.fromkeys([*able, *errors_of(source["Resource"]), *always, *listed])), prefix)


def _holders(state: StateSource) -> Iterator[StateSource]:
    """The state, and those that it is in."""
    while True:
        yield state
        if state.scope.holder is None:
            return
        state = state.scope.holder


def errors_of(resource: str) -> list[str]:
    """The errors of the service that a Resource names, as far as its model declares them."""
    name = integration_name(resource)
    if function_name(resource) is not None or name is None or name.startswith(INVOKE):
        return [] if is_activity(resource) else [*OF_LAMBDA]
    action = name.removesuffix(".waitForTaskToken").partition(".")[0]
    if not services():  # botocore is not installed
        return []
    if action.startswith(SDK):
        service, _, called = action.removeprefix(SDK).partition(":")
        known = services().get(service)
        operation = None if known is None else operation_name(known, called)
        if known is None or operation is None:
            return []
        model = service_model(known)
        return declared_errors(model.operation_model(operation), sdk_family(model))
    if action == EXECUTION:
        model = service_model("stepfunctions")
        return declared_errors(model.operation_model("StartExecution"), FAMILIES["stepfunctions"])
    entry = OPTIMISED.get(action)
    family = None if entry is None else FAMILIES.get(entry.service)
    if entry is None or family is None:
        return []
    return declared_errors(service_model(entry.service).operation_model(entry.operation), family)


def _prefix(resource: str) -> str | None:
    name = integration_name(resource)
    if name is None or name.startswith(INVOKE) or is_activity(resource) or waits_for_token(resource):
        return None
    action = name.partition(".")[0]
    if action in OWN_PREFIX:
        return OWN_PREFIX[action]
    if action.startswith(SDK):
        known = services().get(action.removeprefix(SDK).partition(":")[0])
        return None if known is None else f"{sdk_family(service_model(known)).prefix}."
    entry = OPTIMISED.get(action)
    family = None if entry is None else FAMILIES.get(entry.service)
    return None if family is None else f"{family.prefix}."


def why_never(name: str, state: StateSource) -> str | None:
    """Why a state can never fail with an error; None where it can, or where that is not known."""
    if name in WILDCARDS:
        return None
    if state.type == "Task":
        return _unable(name, state, _prefix(state.source["Resource"]))
    if name == RUNTIME:
        return _RUNTIME
    if name in OF_STATES or name in OF_TYPES.get(state.type, ()):
        return None
    inner = list(inner_states(state))
    if any(one.type == "Fail" and _fails_with(one, name) for one in inner):
        return None
    reasons = [why_never(name, one) for one in inner if one.type in {"Task", "Parallel", "Map"}]
    if any(reason is None for reason in reasons):
        return None
    return reasons[0] if len(reasons) == 1 else f"no state within it can fail with {name}"


_RUNTIME = "States.Runtime ends an execution: no Retry and no Catch is asked"


def _fails_with(state: StateSource, name: str) -> bool:
    given = state.source.get("Error")
    return given == name or "ErrorPath" in state.source or (isinstance(given, str) and given.startswith("{%"))


def _unable(name: str, task: StateSource, prefix: str | None) -> str | None:
    source: Mapping[str, Any] = task.source
    if name == RUNTIME:
        return _RUNTIME
    if name == TIMEOUT:
        fields = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")
        if any(field in source for field in fields) or ".sync" in source["Resource"]:
            return None
        return "without TimeoutSeconds the task may take 99,999,999 seconds, longer than an execution"
    if name == HEARTBEAT:
        if "HeartbeatSeconds" in source or "HeartbeatSecondsPath" in source:
            return None
        return "the state has no HeartbeatSeconds"
    if name.startswith("States."):
        known = OF_STATES | OF_TYPES["Task"]
        if name in known or name.startswith("States.Http."):
            return None
        return f"there is no error {name}{did_you_mean(name, sorted(known | {TIMEOUT, HEARTBEAT, 'States.ALL'}))}"
    if prefix is None or name.startswith(prefix):
        return None
    return f"the errors of {source['Resource']} begin with {prefix.rstrip('.')}"


def shadowing(names: Iterable[str], earlier: Iterable[tuple[int, Iterable[str]]]) -> dict[str, int]:
    """Of the names of an entry, those that an earlier one takes, with the index of that one."""
    before = [(index, tuple(of)) for index, of in earlier]
    found: dict[str, int] = {}
    for name in names:
        taken = next((index for index, of in before if _takes(of, name)), None)
        if taken is not None:
            found[name] = taken
    return found


def _takes(earlier: tuple[str, ...], name: str) -> bool:
    if name == "States.ALL":
        return "States.ALL" in earlier
    if name == FAILED:  # stands for all but timeouts
        return FAILED in earlier or "States.ALL" in earlier
    return matches(earlier, name)


def retriers_and_catchers(document: Any) -> Iterator[StateSource]:
    """The states that have either."""
    for state in all_states(document):
        if state.source.get("Retry") or state.source.get("Catch"):
            yield state
