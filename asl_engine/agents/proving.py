"""The tools that find out about definitions and executions: validate, test_state, replay, pin, coverage, cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal

from asl_engine.agents.mocks import Mocks, Real, check_mocked, prepare, stand_ins
from asl_engine.agents.replies import ToolFailure, cut, diagnostics, same, step
from asl_engine.arn import role_arn
from asl_engine.costing.cost import cost_json, cost_of
from asl_engine.costing.gathering import function_table, logs_of, run_definition
from asl_engine.costing.models import Pricing
from asl_engine.costing.prices import price_table
from asl_engine.engine.clock import SKIP, clock_of
from asl_engine.engine.state_tests import datasets_of, run_trial, trial_identity
from asl_engine.errors import DefinitionError
from asl_engine.findings import did_you_mean
from asl_engine.inspection.checks import check_mock, check_request
from asl_engine.inspection.question import StateConfiguration, StateMock
from asl_engine.inspection.subject import load_subject
from asl_engine.inspection.trial import Trial
from asl_engine.inspection.verdict import to_answer
from asl_engine.json_text import loads
from asl_engine.lab.pinning import identifier
from asl_engine.lab.pins import pin
from asl_engine.lab.recalling import recall
from asl_engine.lab.replaying import Recorded, replay_again, replay_json
from asl_engine.language.document import check_source, load_source, located
from asl_engine.language.lint.rules import lint
from asl_engine.language.tree import all_states
from asl_engine.payload import Payload
from asl_engine.project.checking import load_definition, task_faults
from asl_engine.project.limits import limits_of
from asl_engine.testing.coverage_report import report_json
from asl_engine.testing.recorded_coverage import recorded_coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.agents.home import AgentProject, GivenDefinition
    from asl_engine.costing.cost import Cost
    from asl_engine.findings import Finding
    from asl_engine.lab.recalling import Recalled
    from asl_engine.language.document import DefinitionSource
    from asl_engine.store.records import Record
    from asl_engine.testing.executions import ExecutionLog
    from asl_engine.testing.recorded_coverage import RecordedCoverage

__all__ = ["ProvingTools"]

MAX_FINDINGS: Final = 40
MAX_EXPLORING: Final = 120.0  # seconds
Inspection = Literal["INFO", "DEBUG", "TRACE"]


class ProvingTools:
    """Nothing of them calls anything real, or changes anything."""

    def __init__(self, home: AgentProject) -> None:
        self._home = home

    def validate(
        self, definition: str | dict[str, Any], substitutions: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Report everything that is wrong with a definition, and what is doubtful, each with its place.

        definition: a file of the project, a state machine's name, or the definition itself, as an object or text.
        """
        try:
            found = self._home.read(definition, substitutions)
        except DefinitionError as error:  # YAML that cannot be read
            return {"result": "FAIL", "diagnostics": diagnostics(error.findings)}
        findings = _findings(found)
        failed = any(one.severity == "ERROR" for one in findings)
        hint = (
            step("validate", "after mending it", definition=found.path or "...")
            if failed
            else step("run", "run it with mocks", definition=same(definition), input={})
        )
        return {"result": "FAIL" if failed else "OK", "diagnostics": diagnostics(findings), "next": hint}

    def test_state(
        self,
        definition: str | dict[str, Any],
        *,
        state: str | None = None,
        input: Any = None,  # noqa: A002  TestState's own term
        result: Any = None,
        error: str | None = None,
        cause: str | None = None,
        variables: dict[str, Any] | None = None,
        inspection: Inspection = "DEBUG",
    ) -> dict[str, Any]:
        """Try one state by itself, as TestState does, with each stage of its data flow.

        state: which of the definition's states; none where the definition is a single state. A Task, Map or
        Parallel state needs a mock of its work: result, or error with cause. inspection: INFO, DEBUG or TRACE.
        """
        found = self._home.read(definition)
        name = _state_name(found.source.text, state)
        subject = load_subject(found.source.text, name, found.source.name)
        if error is not None and result is not None:
            raise ToolFailure("give a result or an error as the mock, not both")
        mock = None if result is None else StateMock(Payload(result))
        if error is not None:
            mock = StateMock(None, error, cause)
        if mock is None and subject.type in {"Task", "Map", "Parallel"}:
            raise ToolFailure(
                f"{subject.state.name} is a {subject.type} state, and nothing real is called: mock its work",
                next=step(
                    "test_state", "with a result", definition=same(definition), state=state, input=input, result={}
                ),
            )
        configuration = StateConfiguration()
        check_request(mock, configuration, context=False, reveal_secrets=False)
        project = self._home.project
        role = role_arn(project.region, project.account)
        check_mock(subject, mock, configuration, role)
        clock = clock_of(SKIP, 0)
        trial = Trial(
            subject,
            trial_identity(project.region, project.account, clock.now(), role),
            Payload({} if input is None else input),
            variables,
            None,
            mock,
            configuration,
            datasets=datasets_of(None),
        )
        asyncio.run(run_trial(trial, {}, clock))
        answer = to_answer(trial.verdict(), inspection)
        for member in ("output", "cause"):
            if isinstance(answer.get(member), str):
                answer[member] = cut(
                    answer[member], step("test_state", "narrow the data", definition=same(definition))
                )
        return answer | {"next": step("run", "run the whole machine", definition=same(definition), input=input)}

    def explore(
        self,
        definition: str | dict[str, Any],
        *,
        input: Any = None,  # noqa: A002  StartExecution's own term
        errors: list[str] | None = None,
        seconds: float = 10.0,
        limit: int = 1000,
        tests: bool = False,
    ) -> dict[str, Any]:
        """Try every error and every rule of a definition, all tasks mocked, and report what comes of it.

        Errors that nothing catches, catchers and rules that can never be taken, loops without an end. input: the
        one to begin with. errors: further ones to try, NAME or STATE:NAME. It stops after so many seconds, or runs
        (limit). tests: with the text of a pytest file of the inputs and mocks that were found.
        """
        from asl_engine.exploring.exploration import explore
        from asl_engine.exploring.walking import Budget

        if not seconds > 0 or limit < 1:
            raise ToolFailure(f"seconds {seconds:g}, limit {limit}: both have to be more than nothing")
        found = self._home.read(definition)
        load_definition(found.source, limits_of(self._home.project))
        given = {} if input is None else input
        budget = Budget(min(seconds, MAX_EXPLORING), limit)
        explored = explore(found.source, given, budget=budget, errors=errors or (), project=self._home.root)
        answer = explored.to_json()
        listed = answer["findings"]
        answer["findings"] = listed[:MAX_FINDINGS]
        if len(listed) > MAX_FINDINGS:
            answer["findingsLeftOut"] = len(listed) - MAX_FINDINGS
        if tests:
            document: Any = loads(found.source.text)
            answer["tests"] = explored.tests(found.path or document, {})
        hint = step("run", "play one of them", definition=same(definition), input=given)
        if not tests:
            hint = step(
                "explore", "have them as a pytest file", definition=same(definition), input=given, tests=True
            )
        return answer | {"next": hint}

    def replay(self, execution: str, definition: str | dict[str, Any] | None = None) -> dict[str, Any]:
        """Decide a past execution again without calling anything: by the recorded definition, or by an edited one.

        DIFFERENT tells the first event that an edited definition would change.
        """
        edited = None if definition is None else load_source(self._home.read(definition).source)
        recorded = asyncio.run(self._recorded(execution))
        difference = replay_again(recorded, edited)
        answer = replay_json(recorded, difference)
        name = recorded.record.identity.name
        rest = step("history", "see all events", execution=name, view="events", data=True)
        for event in () if difference is None else answer["difference"].values():
            for key, value in (event or {}).items():
                event[key] = cut(value, rest) if isinstance(value, str) else value
        hint = (
            step("pin", "keep it as a test", execution=name)
            if difference is None
            else step("fork", "go on with the edited definition", execution=name, definition=same(definition))
        )
        return answer | {"next": hint}

    async def _recorded(self, execution: str) -> Recorded:
        async with self._home.store() as store:
            record = await self._home.find(store, execution)
            events = await store.events(record.identity.arn)
            return Recorded(record, await store.definition(record.definition), events)

    def pin(self, execution: str, mock_all: bool = False) -> dict[str, Any]:
        """The text of a pytest file that reproduces a past execution, mocks and all. Nothing is written.

        The task that failed is left to the project's own function, so that the test passes once it is mended;
        mock_all mocks it too.
        """
        past, definition = asyncio.run(self._pinned(execution))
        name = past.record.identity.name
        test = pin(past, definition, mock_all=mock_all)
        return {
            "execution": name,
            "file": f"tests/test_{identifier(name)}.py",
            "text": test,
            "next": step("replay", "see whether an edited definition changes it", execution=name),
        }

    async def _pinned(self, execution: str) -> tuple[Recalled, str]:
        async with self._home.store() as store:
            record = await self._home.find(store, execution)
            return await recall(store, record), await store.definition(record.definition)

    def coverage(self, definition: str | None = None, machine: str | None = None) -> dict[str, Any]:
        """Which states, transitions, rules, retries and catchers past executions took, and which never were."""
        source = None if definition is None else self._home.read(definition).source
        found = asyncio.run(self._coverage(source, machine))
        gaps = [
            {"place": point.place, "kind": point.kind, "definition": one.name}
            for one in found.coverage
            for point in one.points
            if not one.taken_by(point)
        ]
        report = report_json(found.coverage)
        totals = {key: value for key, value in report.items() if not isinstance(value, list)}
        hint = None
        if gaps:
            hint = step("run", f"take {gaps[0]['place']}", definition=gaps[0]["definition"], input={})
        return {**totals, "never": gaps, "leftOut": found.earlier, **({"next": hint} if hint else {})}

    async def _coverage(self, source: DefinitionSource | None, machine: str | None) -> RecordedCoverage:
        async with self._home.store() as store:
            return await recorded_coverage(store, source, machine)

    def cost(
        self,
        *,
        execution: str | None = None,
        definition: str | dict[str, Any] | None = None,
        input: Any = None,  # noqa: A002  StartExecution's own term
        mocks: Mocks | None = None,
        real: Real = "none",
        executions: int = 1_000_000,
        functions: dict[str, str] | None = None,
        prices: dict[str, float] | None = None,
        free_tier: bool = True,
    ) -> dict[str, Any]:
        """What a run costs on AWS as Standard, Express and a durable function, and which quotas it heads for.

        Of a past execution; or of a definition, which is run for it, with mocks and real as for run (AWS is never
        called). executions: how many there are in a month. functions: how long each takes and its memory,
        {"pay": "300ms,512", "*": "100ms"}. prices: in US dollars, by the table's names, {"durable-written": 0.25}.
        """
        if (execution is None) == (definition is None):
            raise ToolFailure("give a past execution, or a definition with an input and mocks")
        if executions < 1:
            raise ToolFailure(f"executions {executions}: it is at least 1")
        table = price_table().with_given(f"{name}={usd}" for name, usd in (prices or {}).items())
        pricing = Pricing(table, executions, free_tier=free_tier)
        given = [f"{name}={figures}" for name, figures in (functions or {}).items()]
        if execution is not None:
            priced = self._of_execution(execution, given, pricing)
        else:
            assert definition is not None  # noqa: S101  checked above
            found, answers = self._home.read(definition), stand_ins(mocks)
            asked = {"definition": same(definition), "input": input, "mocks": mocks}
            check_mocked(prepare(self._home, found.definition, answers, real).left, "cost", asked)
            priced = self._of_definition(found, input, answers, given, pricing)
        answer = cost_json(priced)
        del answer["prices"]  # they are a resource of their own
        ahead = [one["told"] for one in answer["quotas"] if "reachedAtStep" in one]
        hint = step("list", "other executions to compare with")
        if execution is not None:
            hint = step("graph", "see the path that it took", execution=priced.execution)
        return answer | {"pricesOf": str(table.date), **({"ahead": ahead} if ahead else {}), "next": hint}

    def _of_execution(self, execution: str, given: list[str], pricing: Pricing) -> Cost:
        async def load() -> tuple[Record, list[ExecutionLog]]:
            async with self._home.store() as store:
                record = await self._home.find(store, execution)
                return record, await logs_of(store, record)

        record, logs = asyncio.run(load())
        functions = function_table(
            self._home.project, given, logs, measured=True, local=not record.options.imported
        )
        return cost_of(logs, record.status, functions, pricing, record.options.limits)

    def _of_definition(
        self,
        found: GivenDefinition,
        given_input: Any,
        answers: Mapping[str, Callable[..., Any]],
        given: list[str],
        pricing: Pricing,
    ) -> Cost:
        ran = run_definition(
            found.definition,
            {} if given_input is None else given_input,
            answers,
            project=str(self._home.root),
        )
        functions = function_table(self._home.project, given, ran.logs, measured=False)
        priced = cost_of(ran.logs, ran.status, functions, pricing, limits_of(self._home.project))
        return priced if ran.note is None else priced._replace(notes=[ran.note, *priced.notes])


def _findings(found: GivenDefinition) -> list[Finding]:
    """What is wrong; and only where nothing is, what is doubtful."""
    source = found.source
    machine, findings = check_source(source, unfilled="WARNING")
    if machine is None:
        return findings
    told = {(one.code, one.location) for one in findings}
    doubts = [one for one in lint(machine) if (one.code, one.location) not in told]
    return located(source, [*findings, *task_faults(source, machine.resources), *doubts])


def _state_name(text: str, given: str | None) -> str | None:
    names = [state.name for state in all_states(loads(text))]
    if given is None and names:
        raise ToolFailure("which state is to be tried? Give state", exists=names)
    if given is not None and given not in names:
        raise ToolFailure(f"there is no state {given!r}{did_you_mean(given, names)}", exists=names)
    return given
