"""MockConfigFile.json, in the format of Step Functions Local: test cases, and the responses that they name.

"Testing with mocked service integrations" in the Developer Guide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import ProjectError
from asl_engine.findings import did_you_mean
from asl_engine.json_text import JsonSyntaxError, dumps, loads_strict
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from asl_engine.json_values import Json

__all__ = ["MockConfig", "MockFile", "MockedResponse", "parse_mocks"]

FIELDS = frozenset({"StateMachines", "MockedResponses"})
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


class MockedResponse(NamedTuple):
    """The answer to one invocation, or to several in a row: a result, or an error and a cause."""

    first: int
    last: int
    result: Payload | None
    error: str | None = None
    cause: str | None = None


class MockConfig(NamedTuple):
    """``cases`` are responses by machine, test case and state; ``responses`` by name."""

    source: str
    cases: Mapping[str, Mapping[str, Mapping[str, str]]]
    responses: Mapping[str, tuple[MockedResponse, ...]]

    def states(self, machine: str, case: str) -> Mapping[str, str]:
        """The mocked states of a test case.  Raises ``ProjectError`` if no test case has that name."""
        if machine not in self.cases:
            raise ProjectError(
                f"{self.source}: there is no state machine {machine!r} under StateMachines"
                f"{_known(machine, self.cases)}"
            )
        cases = self.cases[machine]
        if case not in cases:
            raise ProjectError(
                f"{self.source}: the state machine {machine!r} has no test case {case!r}{_known(case, cases)}"
            )
        return cases[case]

    def check(self, machine: str, case: str, types: Mapping[str, str]) -> None:
        """Hold a test case against the states of its machine, given by name with their types.

        Raises ``ProjectError`` that lists every state which there is not, or which is no Task state.
        """
        tasks = [name for name, kind in types.items() if kind == "Task"]
        place = f"{self.source}: StateMachines.{machine}.TestCases.{case}"
        problems = [
            f"{place}.{state}: there is no state {state!r} in the state machine{_known(state, tasks)}"
            if state not in types
            else f"{place}.{state}: this is a {types[state]} state; only Task states can be mocked"
            for state in self.states(machine, case)
            if types.get(state) != "Task"
        ]
        if problems:
            raise ProjectError("\n".join(problems))

    def mock(self, machine: str, case: str, state: str, invocation: int) -> MockedResponse | None:
        """The answer to the n-th invocation, from 0, of a state; None for a state that is not mocked.

        Raises ``ProjectError`` if the response does not cover that invocation.
        """
        name = self.states(machine, case).get(state)
        if name is None:
            return None
        for mock in self.responses[name]:
            if mock.first <= invocation <= mock.last:
                return mock
        raise ProjectError(
            f"{self.source}: MockedResponses.{name} says nothing of invocation {invocation} of {state!r}"
        )


def _known(given: str, names: Collection[str]) -> str:
    """What might be meant, and what there is."""
    return f"{did_you_mean(given, names)} (there are {', '.join(map(repr, names))})" if names else ""


class MockFile:
    """A file that is read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._config: MockConfig | None = None

    def read(self) -> MockConfig:
        """Raises ``ProjectError`` for a file that cannot be read, with everything that is wrong in it."""
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._config is None or stamp != self._stamp:
                self._config = parse_mocks(self.path.read_text(encoding="utf-8"), str(self.path))
                self._stamp = stamp
        except OSError as error:
            raise ProjectError(f"cannot read the mock configuration {self.path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ProjectError(f"{self.path}: this is not UTF-8") from None
        return self._config


def parse_mocks(text: str, source: str) -> MockConfig:
    """Raises ``ProjectError`` that lists everything that is wrong, each with its place."""
    try:
        value = loads_strict(text)
    except JsonSyntaxError as error:
        raise ProjectError(f"{source}:{error.line}:{error.column}: this is not JSON: {error.message}") from None
    problems = [*_problems(value)]
    if problems:
        raise ProjectError("\n".join(f"{source}: {problem}" for problem in problems))
    assert isinstance(value, dict)  # noqa: S101  it has no problems
    responses: dict[str, tuple[MockedResponse, ...]] = {}
    cases: dict[str, dict[str, dict[str, str]]] = {}
    for name, invocations in _table(value.get("MockedResponses")).items():
        responses[name] = tuple(_mock(key, answer) for key, answer in _table(invocations).items())
    for machine, described in _table(value.get("StateMachines")).items():
        cases[machine] = {
            case: {state: str(name) for state, name in _table(states).items()}
            for case, states in _table(_table(described).get("TestCases")).items()
        }
    return MockConfig(source, cases, responses)


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _mock(key: str, answer: Json) -> MockedResponse:
    first, last = _bounds(key)
    table = _table(answer)
    if "Return" in table:
        return MockedResponse(first, last, Payload(table["Return"]))
    thrown = _table(table.get("Throw"))
    return MockedResponse(first, last, None, str(thrown["Error"]), str(thrown["Cause"]))


def _bounds(key: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(key)
    assert match is not None, "a checked key"  # noqa: S101  for the type checker
    first = int(match[1])
    return first, first if match[2] is None else int(match[2])


def _problems(value: Json) -> Iterator[str]:
    if not isinstance(value, dict):
        yield "it has to be an object with StateMachines and MockedResponses"
        return
    yield from (
        f"{key}: there is no such field" for key in value if key not in {"StateMachines", "MockedResponses"}
    )
    responses = value.get("MockedResponses", {})
    yield from _in_responses(responses)
    machines = value.get("StateMachines", {})
    if not isinstance(machines, dict):
        yield "StateMachines: it has to be an object of state machines by name"
        return
    for machine, described in machines.items():
        yield from _in_machine(f"StateMachines.{machine}", described, _table(responses))


def _in_machine(place: str, described: Json, responses: dict[str, Json]) -> Iterator[str]:
    cases = described.get("TestCases") if isinstance(described, dict) else None
    if not isinstance(cases, dict) or set(_table(described)) != {"TestCases"}:
        yield f"{place}: it has to be an object with the one field TestCases, an object of test cases by name"
        return
    for case, states in cases.items():
        if not isinstance(states, dict):
            yield f"{place}.TestCases.{case}: it has to be an object of responses by state"
            continue
        for state, name in states.items():
            if not isinstance(name, str):
                yield f"{place}.TestCases.{case}.{state}: it has to be the name of a response, not {dumps(name)}"
            elif name not in responses:
                yield (
                    f"{place}.TestCases.{case}.{state}: there is no {name!r} under MockedResponses"
                    f"{_known(name, responses)}"
                )


def _in_responses(responses: Json) -> Iterator[str]:
    if not isinstance(responses, dict):
        yield "MockedResponses: it has to be an object of responses by name"
        return
    for name, invocations in responses.items():
        place = f"MockedResponses.{name}"
        if not isinstance(invocations, dict) or not invocations:
            yield f'{place}: it has to be an object of answers by invocation, such as {{"0": {{"Return": 1}}}}'
            continue
        taken: list[tuple[int, int, str]] = []
        for key, answer in invocations.items():
            yield from _in_answer(f"{place}.{key}", answer)
            if not _RANGE.fullmatch(key) or _bounds(key)[0] > _bounds(key)[1]:
                yield f'{place}.{key}: an invocation is a number from 0, "2", or a range of them, "0-3"'
                continue
            first, last = _bounds(key)
            for other, end, text in taken:
                if first <= end and other <= last:
                    yield f"{place}.{key}: invocation {max(first, other)} is in {text!r} too"
            taken.append((first, last, key))


def _in_answer(place: str, answer: Json) -> Iterator[str]:
    if not isinstance(answer, dict) or len(answer) != 1 or not set(answer) <= {"Return", "Throw"}:
        yield f"{place}: it has to have exactly one of Return and Throw"
        return
    thrown = answer.get("Throw", {"Error": "", "Cause": ""})
    fits = isinstance(thrown, dict) and set(thrown) == {"Error", "Cause"}
    if not fits or not all(isinstance(text, str) for text in _table(thrown).values()):
        yield f"{place}.Throw: it has to be an object with the texts Error and Cause"
