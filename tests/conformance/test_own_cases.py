"""The project's own cases, in this process and through the server.  They always run: they need nothing else."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine import run, validate
from asl_engine.language.document import OUTSIDE
from asl_engine.resources.python.registry import Registry
from tests.conformance.comparing import Comparison, Mismatch, sorted_runs, unordered
from tests.conformance.own_cases import ROLE, cases, definition_text, functions, input_text
from tests.server.harness import ended, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOLERANCE_SECONDS = 60  # what this machine may take itself, beside the time that is skipped


def is_standard(case: Any) -> bool:
    types = {case.get("type", "STANDARD"), case.get("params", {}).get("type", "STANDARD")}
    return types == {"STANDARD"}


def runs_in_process(case: Any) -> bool:
    """Whether ``run`` can run it: its tasks stand in for the functions of Lambda ARNs only."""
    invokes = ":::lambda:invoke" in definition_text(case)
    return case["kind"] == "execution" and is_standard(case) and not invokes


def has_findings(case: Any) -> bool:
    """Whether ``validate`` can find it: it takes objects, and knows no Express workflows."""
    return case["kind"] in ("create", "validate") and is_standard(case) and "definition" in case


def parameters(chosen: Callable[[Any], bool]) -> list[Any]:
    return [pytest.param(case, id=case["id"], marks=marks(case)) for case in cases() if chosen(case)]


def marks(case: Any) -> list[pytest.MarkDecorator]:
    """A case with ``differs`` has to fail, so that whoever mends it takes the field out."""
    if "differs" not in case:
        return []
    return [pytest.mark.xfail(reason=case["differs"], strict=True, raises=pytest.fail.Exception)]


STATE_TYPES = {"Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}
INTRINSIC_FUNCTIONS = 18


def states(scope: Any, language: str) -> Iterator[tuple[str, str]]:
    """The types of all states of a scope and of those within, each with its query language."""
    language = scope.get("QueryLanguage", language)
    for state in scope["States"].values():
        own = state.get("QueryLanguage", language)
        yield state["Type"], own
        inner = [state[name] for name in ("ItemProcessor", "Iterator") if name in state]
        for one in [*inner, *state.get("Branches", ())]:
            yield from states(one, own)


def test_the_cases_cover_the_language() -> None:
    executions = [case for case in cases() if case["kind"] == "execution"]
    found = {one for case in executions for one in states(case["definition"], "JSONPath")}
    assert found == {(kind, language) for kind in STATE_TYPES for language in ("JSONPath", "JSONata")}
    functions_called = set(
        re.findall(r"States\.([A-Z]\w+)\(", json.dumps([case["definition"] for case in executions]))
    )
    assert len(functions_called) == INTRINSIC_FUNCTIONS
    assert {case["kind"] for case in cases()} == {"execution", "create", "validate", "test_state"}


def test_each_case_says_what_it_is_and_what_it_rests_on() -> None:
    names = [case["id"] for case in cases()]
    assert len(names) == len(set(names)) > 150
    assert all(case["about"].endswith(".") for case in cases())
    assert {case["basis"] for case in cases()} == {"recorded", "documented", "reported"}


# -- in this process ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", parameters(runs_in_process))
def test_run(case: Any) -> None:
    result = run(definition_text(case), case.get("input", {}), tasks=functions(case))
    told: dict[str, Any] = {"status": result.status}
    if result.status == "SUCCEEDED":
        told["output"] = result.output
    elif result.status == "FAILED":
        both = {"error": result.error, "cause": result.cause}
        told |= {name: text for name, text in both.items() if text is not None}
    compare_execution(case, told, list(result.history))


@pytest.mark.parametrize("case", parameters(has_findings))
def test_validate(case: Any) -> None:
    added = f"; {OUTSIDE}"  # for people: the API gives AWS's text alone
    found = validate(definition_text(case))
    findings = [one._replace(message=one.message.removesuffix(added)) for one in found]
    if case["kind"] == "create":
        faults = [f"{one.code}: {one.message} at {one.location or 'null'}" for one in findings]
        message = f"Invalid State Machine Definition: '{', '.join(faults)}'"
        compare(case["expected"]["api_error"], {"Code": "InvalidDefinition", "Message": message})
        return
    diagnostics = [
        {"severity": one.severity, "code": one.code, "message": one.message}
        | ({"location": one.location} if one.location else {})
        for one in findings
    ]
    most = case["params"].get("maxResults", len(findings))
    answer = {
        "result": "FAIL" if any(one.severity == "ERROR" for one in findings) else "OK",
        "diagnostics": diagnostics[:most],
        "truncated": len(findings) > most,
    }
    compare(case["expected"]["response"], answer)


# -- through the server -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    registry = Registry()
    for case in cases():
        for name, function in functions(case).items():
            registry.add(name, function)
    with running(tmp_path_factory.mktemp("cases") / "asl.db", registry) as server:
        yield server.client()


@pytest.mark.parametrize("case", parameters(lambda _: True))
def test_through_the_server(case: Any, client: Any) -> None:
    ask = {
        "execution": express if case.get("sync") else execution,
        "create": create,
        "validate": validation,
        "test_state": state_test,
    }[case["kind"]]
    expected = case["expected"]
    try:
        ask(case, client)
    except client.exceptions.ClientError as error:
        told = error.response["Error"]
        assert "api_error" in expected, told
        compare(expected["api_error"], {"Code": told["Code"], "Message": told["Message"]})
    else:
        assert "api_error" not in expected, "the server has refused nothing"


def create(case: Any, client: Any) -> str:
    name = case["id"].replace("/", "-")
    kind = case.get("type", "STANDARD")
    arn: str = client.create_state_machine(name=name, definition=definition_text(case), roleArn=ROLE, type=kind)[
        "stateMachineArn"
    ]
    return arn


def execution(case: Any, client: Any) -> None:
    arn = client.start_execution(stateMachineArn=create(case, client), input=input_text(case))["executionArn"]
    described = ended(client, arn)
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    history = [event for page in pages for event in page["events"]]
    told = {key: described[key] for key in ("status", "error", "cause") if key in described}
    if "output" in described:
        told["output"] = json.loads(described["output"])
    comparison = compare_execution(case, told, plain(history))
    if "describe" in case["expected"]:
        compare(case["expected"]["describe"], plain(described), comparison)


def express(case: Any, client: Any) -> None:
    answer = client.start_sync_execution(stateMachineArn=create(case, client), input=input_text(case))
    compare(case["expected"]["response"], plain(answer))


def validation(case: Any, client: Any) -> None:
    answer = client.validate_state_machine_definition(definition=definition_text(case), **case["params"])
    compare(case["expected"]["response"], plain(answer))


def state_test(case: Any, client: Any) -> None:
    given = {"input": input_text(case)} if "input" in case else {}
    answer = client.test_state(definition=definition_text(case), **given, **case["params"])
    if "response" in case["expected"]:
        compare(case["expected"]["response"], plain(answer))


def plain(value: Any) -> Any:
    """An answer without what boto3 puts into it: its metadata and its moments."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


# -- comparing ----------------------------------------------------------------------------------------


def compare(expected: Any, told: Any, comparison: Comparison | None = None) -> None:
    try:
        (comparison or Comparison()).check(expected, told)
    except Mismatch as mismatch:
        pytest.fail(str(mismatch))


def compare_execution(case: Any, told: dict[str, Any], history: list[Any]) -> Comparison:
    """Hold the outcome, the history and the time that has passed against what is expected."""
    expected, comparison = case["expected"], Comparison()
    try:
        comparison.outcome(expected, told)
        if case.get("unordered_parallel"):
            comparison.check({"events": sorted_runs(expected["history"])}, {"events": unordered(history)})
        elif "history" in expected:
            comparison.check({"events": expected["history"]}, {"events": history})
    except Mismatch as mismatch:
        pytest.fail(str(mismatch))
    if "waited" in expected:
        first, last = (datetime.fromisoformat(history[at]["timestamp"]) for at in (0, -1))
        waited = (last - first).total_seconds()
        assert expected["waited"] <= waited < expected["waited"] + TOLERANCE_SECONDS
    return comparison
