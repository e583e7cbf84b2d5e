"""``asl test-state``: one state by itself, with its work done or mocked, and what happens to the data."""

from __future__ import annotations

import asyncio
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from asl_engine.arn import names_activity, role_arn
from asl_engine.cli import options
from asl_engine.cli.ends import told_of_ends
from asl_engine.cli.output import clean, out, plain_lines, pretty_json
from asl_engine.core.machine import StateMachine
from asl_engine.engine.clock import clock_of
from asl_engine.engine.state_tests import datasets_of, run_trial, trial_identity
from asl_engine.errors import DefinitionError, InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.inspection.checks import NEEDS_MOCK, check_mock, check_request
from asl_engine.inspection.question import StateConfiguration, StateMock
from asl_engine.inspection.subject import load_subject
from asl_engine.inspection.trial import Trial
from asl_engine.inspection.verdict import HTTP, to_answer
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.language.document import DefinitionSource
from asl_engine.language.tree import all_states, tasks
from asl_engine.payload import Payload
from asl_engine.project.checking import check_tasks, task_faults
from asl_engine.project.definitions import NOTHING, Substituting, read_machine
from asl_engine.project.inputs import STDIN, read_input, read_text
from asl_engine.project.lookup import project_of
from asl_engine.project.setup import set_up
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from asl_engine.inspection.subject import Subject
    from asl_engine.inspection.verdict import Verdict
    from asl_engine.json_values import Json
    from asl_engine.project.configuration import Project
    from asl_engine.resources import Resource

__all__ = ["StateTestRequest", "command", "try_state"]

LEVELS = ("INFO", "DEBUG", "TRACE")
MODES = ("STRICT", "PRESENT", "NONE")


def command(
    *,
    definition: Annotated[
        str,
        typer.Argument(metavar="DEFINITION", help="A state, or a state machine; - for stdin."),
    ],
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="NAME", help="The state to test, if the definition is a state machine."),
    ] = None,
    given: options.Input = None,
    mock_result: Annotated[
        str | None,
        typer.Option("--mock-result", metavar="JSON", help="Use this as the result of the state's work."),
    ] = None,
    mock_error: Annotated[
        str | None,
        typer.Option("--mock-error", metavar="NAME", help="Make the state's work fail with this error."),
    ] = None,
    mock_cause: Annotated[
        str | None, typer.Option("--mock-cause", metavar="TEXT", help="The mocked error's cause.")
    ] = None,
    validation: Annotated[
        str,
        typer.Option(
            "--validation",
            metavar="STRICT|PRESENT|NONE",
            help="How strictly to check a mocked result against the service's model.",
        ),
    ] = "STRICT",
    retry_count: Annotated[
        int | None,
        typer.Option("--retry-count", metavar="N", min=0, help="How many retries have been made already."),
    ] = None,
    failed_iterations: Annotated[
        int | None,
        typer.Option(
            "--failed-iterations", metavar="N", min=0, help="How many iterations of the Map have failed."
        ),
    ] = None,
    failed_state: Annotated[
        str | None,
        typer.Option("--failed-state", metavar="NAME", help="The inner state that the mocked error comes from."),
    ] = None,
    reader_data: Annotated[
        str | None,
        typer.Option("--reader-data", metavar="FILE", help="The data that the Map's ItemReader has read."),
    ] = None,
    inspection: Annotated[
        str, typer.Option("--inspection", metavar="INFO|DEBUG|TRACE", help="How much of the data flow to show.")
    ] = "DEBUG",
    context: Annotated[
        str | None, typer.Option("--context", metavar="JSON", help="The context object, for a mocked state.")
    ] = None,
    variables: Annotated[
        str | None, typer.Option("--variables", metavar="JSON", help="The variables that the state can read.")
    ] = None,
    time: Annotated[str, typer.Option("--time", metavar="real|skip", help="skip: waits take no time.")] = "real",
    use_lambda: options.Lambda = False,
    lambda_endpoint: options.LambdaEndpoint = None,
    reveal_secrets: Annotated[
        bool, typer.Option("--reveal-secrets", help="Show what a connection adds to an HTTP Task's request.")
    ] = False,
    json: options.AsJson = False,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
) -> int:
    """Run a single state, with real or mocked work. Exit code 1 if it fails and nothing catches the error."""
    return try_state(
        StateTestRequest(
            definition=definition,
            state=state,
            input=given,
            mock_result=mock_result,
            mock_error=mock_error,
            mock_cause=mock_cause,
            validation=validation,
            retry_count=retry_count,
            failed_iterations=failed_iterations,
            failed_state=failed_state,
            reader_data=reader_data,
            inspection=inspection,
            context=context,
            variables=variables,
            time=time,
            use_lambda=use_lambda,
            lambda_endpoint=lambda_endpoint,
            reveal_secrets=reveal_secrets,
            json=json,
            substituting=Substituting(tuple(substitute or ()), substitutions),
        )
    )


class StateTestRequest(NamedTuple):
    """The command's arguments, as they were given."""

    definition: str
    state: str | None = None
    input: str | None = None
    mock_result: str | None = None
    mock_error: str | None = None
    mock_cause: str | None = None
    validation: str = "STRICT"
    retry_count: int | None = None
    failed_iterations: int | None = None
    failed_state: str | None = None
    reader_data: str | None = None
    inspection: str = "DEBUG"
    context: str | None = None
    variables: str | None = None
    time: str = "real"
    use_lambda: bool = False
    lambda_endpoint: str | None = None
    reveal_secrets: bool = False
    json: bool = False
    substituting: Substituting = NOTHING


def try_state(request: StateTestRequest) -> int:
    """Test the state and tell its verdict.  1 where it has failed, uncaught.  Raises ``AslError``."""
    level: Any = request.inspection
    if level not in LEVELS:
        raise InvalidInput(f"--inspection {level}: it is one of {', '.join(LEVELS)}")
    if request.validation not in MODES:
        raise InvalidInput(f"--validation {request.validation}: it is one of {', '.join(MODES)}")
    if request.time not in {"real", "skip"}:
        raise InvalidInput(f"--time {request.time}: it is real or skip")
    if request.definition == STDIN == request.input:
        raise InvalidInput("standard input can be read only once: give - for the definition or for --input")
    how = RunOptions(
        definition=Path(request.definition).absolute(),
        use_lambda=request.use_lambda,
        endpoint=request.lambda_endpoint,
        time=request.time,
    )
    given = read_machine(request.definition, request.substituting, project_of(how.definition), local=True)
    project, source = given.project, given.source
    subject = load_subject(source.text, _state_name(source.text, request.state), source.name)
    _check_tasks(source, subject, request.state)
    trial, resources = _trial(request, subject, how, project)
    with (
        redirect_stdout(sys.stderr),
        told_of_ends("the test has no verdict"),
    ):  # what the task prints is no part of the verdict
        asyncio.run(run_trial(trial, resources, clock_of(how.time), reveal_secrets=request.reveal_secrets))
    verdict = trial.verdict()
    if request.json:
        out(pretty_json(to_answer(verdict, level)))
    else:
        _tell(subject, verdict, level)
    return 1 if verdict.status == "FAILED" else 0


def _check_tasks(source: DefinitionSource, subject: Subject, name: str | None) -> None:
    """Raises ``DefinitionError`` for tasks that CreateStateMachine would refuse, wherever they are."""
    resources = [task.source["Resource"] for task in tasks(subject.definition)]
    if name is not None:
        check_tasks(source, resources)
        return
    faults = task_faults(DefinitionSource(dumps(subject.definition), source.name), resources)
    if faults:  # their lines are those of the machine that was made for the state
        raise DefinitionError([one._replace(line=None, column=None) for one in faults], source.name)


def _state_name(text: str, given: str | None) -> str | None:
    """Raises ``InvalidInput`` where a whole machine is given and no state of it is named."""
    try:
        names = [state.name for state in all_states(loads(text))]
    except JsonSyntaxError:  # whoever loads the definition says where
        return given
    if given is None and names:
        raise InvalidInput(f"which state is to be tested? Give --state: there are {', '.join(names)}")
    if given is not None and given not in names:
        there_are = f"there are {', '.join(names)}" if names else "the definition is a single state: leave it out"
        raise InvalidInput(f"--state {given}: there is no such state{did_you_mean(given, names)}; {there_are}")
    return given


def _check_work(subject: Subject, mock: StateMock | None) -> None:
    """Raises ``InvalidInput`` for a state whose work is not done here, where nothing stands for it."""
    if mock is not None:
        return
    name, resource = subject.state.name, subject.source.get("Resource", "")
    if subject.type in {"Map", "Parallel"}:
        kind = f"a {subject.type} state"
    elif subject.type == "Task" and (names_activity(resource) or resource.endswith(NEEDS_MOCK)):
        kind = f"a task that ends when another party answers ({resource})"
    else:
        return
    raise InvalidInput(
        f"{name} is {kind}, which cannot be tested without a mock: "
        "give its result with --mock-result JSON, or an error with --mock-error NAME"
    )


def _trial(
    request: StateTestRequest, subject: Subject, how: RunOptions, project: Project
) -> tuple[Trial, dict[str, Resource]]:
    mock = _mock(request)
    configuration = StateConfiguration(
        request.retry_count, request.failed_state, request.failed_iterations, _reader_data(request.reader_data)
    )
    context = _object("--context", request.context)
    mode: Any = request.validation
    check_request(mock, configuration, context=context is not None, reveal_secrets=request.reveal_secrets)
    role = role_arn(project.region, project.account)
    _check_work(subject, mock)
    check_mock(subject, mock, configuration, role)
    if mock is not None and mock.result is not None and subject.type == "Task":
        from asl_engine.resources.mocks.results import check_result

        check_result(subject.source["Resource"], mock.result.value, mode)
    resources: dict[str, Resource] = {}
    if mock is None and subject.type == "Task":
        resource: str = subject.source["Resource"]
        machine = StateMachine("", "", subject.state.name, {}, None, (resource,))
        resources = set_up(how, project, machine).resources
    trial = Trial(
        subject,
        trial_identity(project.region, project.account, clock_of(how.time).now(), role),
        read_input(request.input, how.limits),
        _object("--variables", request.variables),
        context,
        mock,
        configuration,
        datasets=datasets_of(configuration.map_item_reader_data),
    )
    return trial, resources


def _reader_data(path: str | None) -> str | None:
    return None if path is None else read_text(path, "what the ItemReader has read")


def _mock(request: StateTestRequest) -> StateMock | None:
    if request.mock_cause is not None and request.mock_error is None:
        raise InvalidInput("--mock-cause: give the error's name too, with --mock-error")
    if request.mock_result is None:
        return None if request.mock_error is None else StateMock(None, request.mock_error, request.mock_cause)
    if request.mock_error is not None:
        raise InvalidInput("give --mock-result or --mock-error, not both")
    return StateMock(Payload(_json("--mock-result", request.mock_result), request.mock_result))


def _json(option: str, text: str) -> Json:
    try:
        return loads(text)
    except JsonSyntaxError as error:
        from asl_engine.language.json_mistakes import explained

        raise InvalidInput(
            f"{option}:{error.line}:{error.column}: it is not JSON: {explained(error, text)}"
        ) from None


def _object(option: str, text: str | None) -> dict[str, Json] | None:
    value = None if text is None else _json(option, text)
    if value is None or isinstance(value, dict):
        return value
    raise InvalidInput(f"{option}: it has to be a JSON object")


def _tell(subject: Subject, verdict: Verdict, level: Any) -> None:
    """The stages of the data in their order, then what has become of the state."""
    answer = to_answer(verdict, level)
    details = answer.get("inspectionData", {})
    failure = details.pop("errorDetails", {})
    for name in sorted(HTTP & details.keys()):
        details |= {f"{name}.{member}": text for member, text in details.pop(name).items()}
    rows = [(name, str(value)) for name, value in details.items()]
    rows += [(name, str(value)) for name, value in failure.items()]
    rows += [(name, str(answer[name])) for name in ("error", "cause", "output") if name in answer]
    leads = f"  ->  {clean(verdict.next)}" if verdict.next is not None else ""
    first, *others = rows or [("", "")]
    out(f"{verdict.status}  {clean(subject.state.name)} ({subject.type}){leads}")
    if rows:
        for line in plain_lines(first, [tuple(map(clean, row)) for row in others]):
            out(line)
