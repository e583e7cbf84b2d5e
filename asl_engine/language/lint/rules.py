"""Likely mistakes in valid definitions: WARNINGs, with codes of ours and AWS's three.

A rule is a function that looks at one scope (a machine, a branch or an item processor); to add one, write it
and name it in ``RULES``, with what its code means.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.arn import names_activity
from asl_engine.findings import Finding, did_you_mean
from asl_engine.json_text import dumps, loads
from asl_engine.language.lint.static_paths import CODES as AWS_CODES
from asl_engine.language.lint.static_paths import static_paths
from asl_engine.language.placeholders import placeholders
from asl_engine.language.tree import all_scopes, all_states
from asl_engine.language.variables import references, texts
from asl_engine.limits import AWS_LIMITS, utf8_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json
    from asl_engine.language.tree import ScopeSource, StateSource

__all__ = ["CODES", "lint"]

# Integrations whose task ends when another party answers.
ANSWERED_LATER: Final = (".waitForTaskToken", ".sync", ".sync:2")
# Fields whose literal value is a state's output, or is sent to a task.
PAYLOAD_FIELDS: Final = ("Result", "Parameters", "Arguments", "Output", "ResultSelector", "ItemSelector")
# The names of errors that Step Functions has: "Handling errors", and those of HTTP Tasks.
STATES_ERRORS: Final = (
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ReferencePathConflict",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
)
HTTP_ERRORS: Final = "States.Http.StatusCode."
STATES_MEMBERS: Final = ("input", "result", "errorOutput", "context")
# Quoted text, which reads nothing, or a member of $states.
STATES_MEMBER: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|\$states\s*\.\s*(?P<member>\w+)")
DAY_SECONDS: Final = 86_400
MIN_ATTEMPTS: Final = 1


Doubts: TypeAlias = "Iterator[tuple[str, str]]"  # locations, and the doubt about each


def lint(machine: StateMachine) -> list[Finding]:
    """The doubts about a machine's definition, at every depth."""
    document: Any = loads(machine.text)
    found = [
        Finding(code, message, location, "WARNING")
        for scope in all_scopes(document)
        for code, (_, rule) in RULES.items()
        for location, message in rule(scope)
    ]
    return [*found, *_unknown_variables(document), *_unfilled(document, ""), *static_paths(document)]


def _of_type(scope: ScopeSource, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for state in scope.states():
        if state.type in types:
            yield state.location, state.source


# -- rules -------------------------------------------------------------------------------------------


def _tasks_without_catch(scope: ScopeSource) -> Doubts:
    if _is_caught(scope):
        return
    for place, state in _of_type(scope, "Task"):
        if not state.get("Catch"):
            yield place, "Nothing catches this task's errors: any of them ends the execution; add a Catch"


def _is_caught(scope: ScopeSource) -> bool:
    """Whether a Parallel or Map state around the scope catches what fails in it."""
    holder = scope.holder
    return holder is not None and ("Catch" in holder.source or _is_caught(holder.scope))


def _endless_tasks(scope: ScopeSource) -> Doubts:
    for place, state in _of_type(scope, "Task"):
        resource = state["Resource"]
        if resource.endswith(ANSWERED_LATER) or names_activity(resource):
            limits = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")
            if not any(field in state for field in limits):
                message = (
                    "Somebody else ends this task: without TimeoutSeconds or HeartbeatSeconds it can wait a year"
                )
                yield place, message


def _retries_without_jitter(scope: ScopeSource) -> Doubts:
    for place, retrier in _retriers(scope):
        if retrier.get("MaxAttempts", 3) > MIN_ATTEMPTS and retrier.get("JitterStrategy") != "FULL":
            yield place, 'All executions that fail together retry together; add "JitterStrategy": "FULL"'


def _long_backoffs(scope: ScopeSource) -> Doubts:
    for place, retrier in _retriers(scope):
        rate, attempts = retrier.get("BackoffRate", 2.0), retrier.get("MaxAttempts", 3)
        if "MaxDelaySeconds" in retrier or attempts == 0:
            continue
        try:
            last = retrier.get("IntervalSeconds", 1) * float(rate) ** (attempts - 1)
        except OverflowError:
            last = float("inf")
        if last > DAY_SECONDS:
            yield place, f"The last of {attempts} retries waits more than a day; add MaxDelaySeconds"


def _retriers(scope: ScopeSource) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, state in _of_type(scope, "Task", "Parallel", "Map"):
        for index, retrier in enumerate(state.get("Retry", ())):
            yield f"{place}/Retry[{index}]", retrier


def _unknown_errors(scope: ScopeSource) -> Doubts:
    """Names that begin with States. are Step Functions' own: no task can fail with another."""
    for state in scope.states():
        for field in ("Retry", "Catch"):
            for index, handler in enumerate(state.source.get(field, ())):
                for name in handler.get("ErrorEquals", ()):
                    if (
                        name.startswith("States.")
                        and not name.startswith(HTTP_ERRORS)
                        and name not in STATES_ERRORS
                    ):
                        place = f"{state.location}/{field}[{index}]/ErrorEquals"
                        yield place, f"There is no error {name}{did_you_mean(name, STATES_ERRORS)}"


def _choices_without_default(scope: ScopeSource) -> Doubts:
    for place, state in _of_type(scope, "Choice"):
        if "Default" not in state:
            yield place, "An input that no rule fits fails the execution; add a Default"


def _busy_loops(scope: ScopeSource) -> Doubts:
    """Loops in which nothing waits: each round adds to a history of limited length."""
    states = {state.name: state for state in scope.states()}
    ahead = {name: _targets(state.source) for name, state in states.items() if not _waits(state.source)}
    for group in _cycles(ahead):
        names = [name for name in states if name in group]
        loop = f"Nothing waits in the loop through {', '.join(names)}"
        yield states[names[0]].location, f"{loop}: it can fill the history of 25,000 events; add a Wait"


def _waits(state: dict[str, Any]) -> bool:
    resource = state.get("Resource", "")
    return state["Type"] == "Wait" or resource.endswith(ANSWERED_LATER) or names_activity(resource)


def _targets(state: dict[str, Any]) -> set[str]:
    leaving = [state, *state.get("Catch", ()), *(state.get("Choices", ()) if state["Type"] == "Choice" else ())]
    return {step[field] for step in leaving for field in ("Next", "Default") if isinstance(step.get(field), str)}


def _cycles(ahead: dict[str, set[str]]) -> list[set[str]]:
    """The groups of states in which each leads to all others and to itself (strongly connected)."""
    reach = {name: _reached(ahead, name) for name in ahead}
    groups: list[set[str]] = []
    for name, reached in reach.items():
        if name in reached and not any(name in group for group in groups):
            groups.append({other for other in reached if name in reach[other]})
    return groups


def _reached(ahead: dict[str, set[str]], start: str) -> set[str]:
    """Every state that comes after ``start``, by any number of steps."""
    found: set[str] = set()
    left = [start]
    while left:
        for name in ahead[left.pop()]:
            if name in ahead and name not in found:
                found.add(name)
                left.append(name)
    return found


def _overflowing_payloads(scope: ScopeSource) -> Doubts:
    limit = AWS_LIMITS.payload_bytes
    assert limit is not None, "AWS has a limit"  # noqa: S101  for the type checker
    for state in scope.states():
        for field in PAYLOAD_FIELDS:
            value = state.source.get(field)
            size = utf8_length(dumps(value))
            if size > limit and utf8_length(dumps(_literal(value))) > limit:
                message = f"These {size:,} bytes are more than a payload may have ({limit:,}): the state must fail"
                yield f"{state.location}/{field}", message


def _literal(value: Json) -> Json:
    """The value without computed parts: paths, intrinsic functions and expressions may give less."""
    if isinstance(value, dict):
        return {name: _literal(inner) for name, inner in value.items() if not name.endswith(".$")}
    if isinstance(value, list):
        return [_literal(inner) for inner in value]
    if isinstance(value, str) and value.startswith("{%"):
        return None
    return value


def _old_forms(scope: ScopeSource) -> Doubts:
    for place, state in _of_type(scope, "Map"):
        for old, new in (("Iterator", "ItemProcessor"), ("Parameters", "ItemSelector")):
            if old in state:
                yield f"{place}/{old}", f"AWS keeps {old} for old definitions only; it is now called {new}"


def _unknown_variables(document: Any) -> Iterator[Finding]:
    """Variables that a state reads and no state assigns, and functions that there are not."""
    states = [*all_states(document)]
    assigned = {
        name.removesuffix(".$")
        for state in states
        for step in (state.source, *state.source.get("Choices", ()), *state.source.get("Catch", ()))
        for name in step.get("Assign", ())
    }
    for state in states:
        yield from _unknown_members(state)
        for place, name, text in dict.fromkeys(references(state)):
            if name not in assigned:
                is_call = state.language == "JSONata" and re.search(rf"\${re.escape(name)}\s*\(", text)
                code, message = _no_function(name, assigned) if is_call else _no_variable(name, assigned)
                yield Finding(code, message, f"{state.location}{place}", "WARNING", word=f"${name}")


def _unknown_members(state: StateSource) -> Iterator[Finding]:
    """What expressions read of $states that it does not have."""
    for place, text in texts(state) if state.language == "JSONata" else ():
        for found in STATES_MEMBER.finditer(text):
            name = found["member"]
            if name is not None and name not in STATES_MEMBERS:
                message = f"There is no $states.{name}: it comes to nothing{did_you_mean(name, STATES_MEMBERS)}"
                location = f"{state.location}{place}"
                yield Finding("UNKNOWN_VARIABLE", message, location, "WARNING", word=f"$states.{name}")


def _no_variable(name: str, assigned: set[str]) -> tuple[str, str]:
    return "UNKNOWN_VARIABLE", f"No state assigns ${name}: reading it fails{did_you_mean(name, assigned)}"


def _no_function(name: str, assigned: set[str]) -> tuple[str, str]:
    from asl_engine.expressions.jsonata.functions.builtins import BUILTINS

    known = (f"${known}" for known in (*BUILTINS, *assigned))
    hint = did_you_mean(f"${name}", known)
    return "UNKNOWN_FUNCTION", f"There is no function ${name}: calling it fails{hint}"


def _unfilled(value: Json, place: str) -> Iterator[Finding]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _unfilled(inner, f"{place}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unfilled(inner, f"{place}[{index}]")
    elif isinstance(value, str) and "${" in value:
        for name in placeholders(value):
            message = f"${{{name}}} looks like a placeholder, and stays as it is: substitute a value for it"
            yield Finding("UNFILLED_PLACEHOLDER", message, place, "WARNING")


# Code: its meaning, and the rule that finds it.
RULES: Final[dict[str, tuple[str, Callable[[ScopeSource], Doubts]]]] = {
    "TASK_WITHOUT_CATCH": ("A task's errors end the execution.", _tasks_without_catch),
    "TASK_WITHOUT_TIMEOUT": ("A task that somebody else ends has no time limit.", _endless_tasks),
    "RETRY_WITHOUT_JITTER": ("Retries of many executions come at the same moment.", _retries_without_jitter),
    "RETRY_WAITS_LONG": ("An unbounded backoff comes to wait more than a day.", _long_backoffs),
    "UNKNOWN_ERROR": ("A retrier or catcher waits for an error that there is not.", _unknown_errors),
    "CHOICE_WITHOUT_DEFAULT": ("An input that no rule fits fails the execution.", _choices_without_default),
    "LOOP_WITHOUT_WAIT": ("A loop can fill the history before it ends.", _busy_loops),
    "PAYLOAD_TOO_LARGE": ("A literal is larger than a payload may be.", _overflowing_payloads),
    "OLD_FORM": ("A field has a newer name.", _old_forms),
}
CODES: Final[dict[str, str]] = {
    **{code: meaning for code, (meaning, _) in RULES.items()},
    "UNKNOWN_VARIABLE": "A variable is read that nothing assigns.",
    "UNKNOWN_FUNCTION": "An expression calls a function that JSONata does not have.",
    "UNFILLED_PLACEHOLDER": "A placeholder has no value.",
    **AWS_CODES,
}
