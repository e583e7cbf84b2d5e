"""``asl serve``: the Step Functions API on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TextIO

import typer

from asl_engine.arn import parse_arn
from asl_engine.cli import options
from asl_engine.cli.access import allowed_hosts, given_secrets, known_secrets
from asl_engine.cli.beside import Developing, companions, console_settings, hearing, told_by
from asl_engine.cli.dev_extras import check_needed
from asl_engine.cli.ends import told_of_ends
from asl_engine.cli.engine_log import begin_logging
from asl_engine.cli.output import counted, err, flush, out
from asl_engine.cli.signals import Signals, at_the_wheel
from asl_engine.cli.tracing import traced
from asl_engine.engine.clock import REAL, checked_time, clock_of, scaled
from asl_engine.errors import ProjectError
from asl_engine.events.alert_rules import read_alerts, with_alerts
from asl_engine.events.declared import read_declared
from asl_engine.mappings.settings import project_mappings
from asl_engine.project.ages import checked_age
from asl_engine.project.limits import limits_of
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.project.setup import project_tasks, remote_lambda, services_of
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from asl_engine.console.settings import ConsoleSettings
    from asl_engine.emulation.mount import Emulation
    from asl_engine.limits import Limits
    from asl_engine.project.configuration import Project
    from asl_engine.resources.mocks.configuration import MockFile
    from asl_engine.resources.python.registry import Registry
    from asl_engine.server.journal import Journal
    from asl_engine.server.lines import Lines
    from asl_engine.server.serve import Listening
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["Serving", "command", "serve"]

NEEDED = ("httptools", "starlette", "uvicorn")
STDOUT = "-"
FEW = 3  # executions that are told by their names
TIME_SCALE = "WAIT_TIME_SCALE"
Url = Annotated[str | None, typer.Option(metavar="URL", hidden=True)]


def command(
    *,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: options.Port = 8083,
    db: options.Db = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            metavar="real|skip|scale=N",
            help="skip: do not sit through waits and retry intervals. Default: WAIT_TIME_SCALE, or real.",
        ),
    ] = None,
    use_lambda: options.Lambda = False,
    lambda_endpoint: options.LambdaEndpoint = None,
    endpoint: options.Endpoints = None,
    batch_endpoint: Url = None,
    dynamodb_endpoint: Url = None,
    ecs_endpoint: Url = None,
    glue_endpoint: Url = None,
    sagemaker_endpoint: Url = None,
    sns_endpoint: Url = None,
    sqs_endpoint: Url = None,
    step_functions_endpoint: Url = None,
    mock_config: Annotated[
        str | None,
        typer.Option("--mock-config", metavar="FILE", help="Mocked responses. Default: SFN_MOCK_CONFIG"),
    ] = None,
    credentials: Annotated[
        str | None,
        typer.Option(
            "--credentials",
            metavar="FILE",
            help="Access keys to sign requests with, as in ~/.aws/credentials. Where other machines reach the "
            "server, the default is a file beside the database, made if there is none.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="Answer to this host name too, as host.docker.internal or a service of Compose. Repeatable.",
        ),
    ] = None,
    limit: options.Limits = None,
    no_aws_limits: options.AwsLimitsOff = False,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="AGE",
            help="Delete executions that ended so long ago, such as 90d. Default: the project's keep, or never.",
        ),
    ] = None,
    no_console: Annotated[bool, typer.Option("--no-console", help="Leave the pages at /console away.")] = False,
    metrics: options.Metrics = False,
    emulation: options.Emulation = None,
    log_format: options.LogFormat = None,
    traces: options.Traces = False,
    log_executions: Annotated[
        str | None,
        typer.Option(
            "--log-executions",
            metavar="FILE|-",
            help="Add what state machines log to CloudWatch Logs to this file, or write it to stdout.",
        ),
    ] = None,
    status_events: Annotated[
        str | None,
        typer.Option(
            "--status-events",
            metavar="FILE|-",
            help="Add what EventBridge hears of executions to this file, or write it to stdout.",
        ),
    ] = None,
) -> int:
    """Answer the Step Functions API, until interrupted; what runs then goes on with the next start."""
    local = {  # the options of Step Functions Local
        "batch": batch_endpoint,
        "dynamodb": dynamodb_endpoint,
        "ecs": ecs_endpoint,
        "glue": glue_endpoint,
        "sagemaker": sagemaker_endpoint,
        "sns": sns_endpoint,
        "sqs": sqs_endpoint,
        "stepfunctions": step_functions_endpoint,
    }
    return serve(
        Serving(
            host=host,
            port=port,
            db=db,
            time=time,
            use_lambda=use_lambda,
            lambda_endpoint=lambda_endpoint,
            credentials=credentials,
            allow_hosts=allow_host or (),
            limits=limit or (),
            aws_limits=not no_aws_limits,
            keep=keep,
            console=not no_console,
            metrics=metrics,
            emulation=emulation,
            log_format=log_format,
            traces=traces,
            log_executions=log_executions,
            status_events=status_events,
            mock_config=mock_config,
            endpoints=(
                *(f"{name}={url}" for name, url in local.items() if url is not None),
                *(endpoint or ()),
            ),
        )
    )


class Serving(NamedTuple):
    """The command's arguments, as they were given."""

    host: str = "127.0.0.1"
    port: int = 8083
    db: str | None = None
    time: str | None = None
    use_lambda: bool = False
    lambda_endpoint: str | None = None
    credentials: str | None = None
    allow_hosts: Sequence[str] = ()
    limits: Sequence[str] = ()
    aws_limits: bool = True
    keep: str | None = None
    console: bool = True
    metrics: bool = False
    emulation: bool | None = None
    log_format: str | None = None
    traces: bool = False
    log_executions: str | None = None
    status_events: str | None = None
    endpoints: tuple[str, ...] = ()
    mock_config: str | None = None
    develops: bool = False  # the server has the project's state machines, and follows its files
    http_port: int | None = None  # of the project's HTTP APIs, where it develops


def serve(given: Serving) -> int:
    """Answer until a signal comes.  Returns the exit code: 0."""
    if given.develops:
        check_needed(emulation=given.emulation)
    elif not all(map(find_spec, NEEDED)):
        raise ProjectError('asl serve needs httptools, starlette and uvicorn: pip install "asl-engine[server]"')
    if not begin_logging(given.log_format):
        logging.basicConfig(stream=sys.stderr, format="asl: %(levelname)s: %(message)s", level=logging.WARNING)
    time = _time(given.time)
    secrets = given_secrets(given.credentials)
    if given.keep is not None:
        checked_age(given.keep, "--keep")
    project = project_of(Path.cwd())
    how = RunOptions(
        definition=Path.cwd(),
        use_lambda=given.use_lambda,
        endpoint=given.lambda_endpoint,
        time=time,
        limits=limits_of(project, given.limits, aws_limits=given.aws_limits),
        endpoints=given.endpoints,
    )
    db = project.db if given.db is None else database(given.db)
    ends = told_of_ends("what runs is kept, and goes on when the server is started again")
    with ends, asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        return runner.run(_serve(given, how, project._replace(db=db), allowed_hosts(given, project), secrets))


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes uvloop's event loop, if the extra ``speed`` is installed; None for asyncio's own."""
    if find_spec("uvloop") is None:
        return None
    made: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return made


def _time(given: str | None) -> str:
    """--time, or what Step Functions Local's own variable says."""
    if given is not None:
        return checked_time(given)
    factor = os.environ.get(TIME_SCALE)
    return REAL if factor is None else scaled(factor, f"{TIME_SCALE}=")


async def _serve(
    given: Serving, how: RunOptions, project: Project, hosts: frozenset[str] | None, secrets: dict[str, str]
) -> int:
    from asl_engine.emulation.mount import chosen_emulation, emulated_services
    from asl_engine.emulation.settings import declared_buses
    from asl_engine.server.protocol.request import Caller
    from asl_engine.server.serve import Listening, allow_many_connections, bind, serve

    allow_many_connections()
    source = project
    if given.develops:
        from asl_engine.dev.starting import whole_project

        project, declared = whole_project(project)
    else:
        declared = read_declared(project.events, str(project.source), declared_buses(project))
        declared = with_alerts(declared, project.alerts, str(project.source))
    alerts = read_alerts(project.alerts, str(project.source))
    mappings = project_mappings(project)
    mocks = _mocks(given.mock_config or os.environ.get("SFN_MOCK_CONFIG"))
    stdout = sys.stdout  # tasks may not write there
    name = "asl dev" if given.develops else "asl serve"

    say, hear = told_by(name, project.root, develops=given.develops)
    # Whoever reads JSON lines from stdout wants nothing else there.
    exports = sys.stderr if STDOUT in (given.log_executions, given.status_events) else stdout
    with ExitStack() as stack:
        listener = stack.enter_context(bind(given.host, given.port))
        known = known_secrets(given, secrets, project.db)
        # Before the tasks are imported: what their modules make of boto3 has these surroundings, too.
        emulation = stack.enter_context(
            chosen_emulation(
                project,
                how,
                given.emulation,
                develops=given.develops,
                own=Listening(*listener.getsockname()[:2]).url("127.0.0.1"),
                secrets=known,
                say=say,
            )
        )
        registry = project_tasks(project)
        remote = remote_lambda(how, project)
        emulated = None if emulation is None else emulation.endpoints
        services = services_of(how, project, emulated=emulated, hear=hearing(given.develops))
        journal = stack.enter_context(_journal(given, how.limits, stdout))
        async with opened(project.db, create=True) as store, traced(given.traces) as tracing:
            console = console_settings(project, known) if given.console else None
            development = []
            if given.develops:
                developing = Developing(source, how, registry, services, emulation, given.http_port)
                development.append(developing.companion())
            with at_the_wheel() as signals:
                await serve(
                    store,
                    listener,
                    registry,
                    default=Caller(project.region, project.account),
                    clock=clock_of(how.time),
                    limits=how.limits,
                    stop=_signalled(signals, store),
                    remote=remote,
                    services=services,
                    mocks=mocks,
                    buckets=project.buckets,
                    declared=declared,
                    mappings=mappings,
                    say=say,
                    hear=hear,
                    hosts=hosts,
                    secrets=known,
                    observer=None if journal is None else journal.observe,
                    tracing=tracing,
                    companions=[
                        *companions(console, metrics=given.metrics, alerts=alerts),
                        *emulated_services(emulation, say),
                        *development,
                    ],
                    upkeep=_upkeep(store, given.keep or project.keep),
                    ready=lambda started: _announce(
                        started, registry, project, exports, console, name=name, emulation=emulation
                    ),
                    resumed=partial(_tell_resumed, name),
                )
    _tell_stopped()
    return 0


def _tell_stopped() -> None:
    err("stopped; what was running goes on with the next start")


def _upkeep(store: SqliteStore, keep: str | None) -> Callable[[int], Awaitable[None]] | None:
    """What deletes the executions that ended so long ago, None to keep them all."""
    if keep is None:
        return None
    age = checked_age(keep, "keep")

    async def delete(now: int) -> None:
        from asl_engine.store.sqlite.pruning import Pruning, prune

        done = await prune(store, Pruning(now - age))
        if done.executions:
            err(f"asl serve: deleted {counted(done.executions, 'execution')} that ended more than {keep} ago")

    return delete


@contextmanager
def _journal(given: Serving, limits: Limits, stdout: TextIO) -> Iterator[Journal | None]:
    """Where executions are told of, None without --log-executions and --status-events.

    Raises ``ProjectError`` where a file cannot be written.
    """
    from asl_engine.server.journal import Journal
    from asl_engine.server.lines import open_lines

    with ExitStack() as stack:
        opened: dict[str | None, Lines | None] = {None: None}
        for name in (given.log_executions, given.status_events):
            if name is not None and name not in opened:
                lines = opened[name] = open_lines(name, stdout)
                stack.callback(lines.close)
        records, statuses = opened[given.log_executions], opened[given.status_events]
        yield None if records is statuses is None else Journal(records, statuses, limits)


def _mocks(path: str | None) -> MockFile | None:
    """The mock configuration, which has to be sound when the server starts."""
    if not path:
        return None
    from asl_engine.resources.mocks.configuration import MockFile

    file = MockFile(Path(path).absolute())
    file.read()
    return file


async def _signalled(signals: Signals, store: SqliteStore) -> None:
    await asyncio.shield(signals.received)
    signals.hurry(store, 0, _tell_stopped)


def _announce(
    started: Listening,
    registry: Registry,
    project: Project,
    exports: TextIO,
    console: ConsoleSettings | None,
    *,
    name: str,
    emulation: Emulation | None,
) -> None:
    """``exports`` gets what to type into the shell of a client; ``name`` is that of the command."""
    url = started.url("localhost")
    with redirect_stdout(exports):
        if emulation is None:
            out(f"export AWS_ENDPOINT_URL_SFN={url}")
            out("export AWS_DISABLE_HOST_PREFIX_INJECTION=true")
            out(f"export AWS_ENDPOINT_URL_EVENTBRIDGE={url}")
        else:
            for variable, text in emulation.variables.items():
                out(f"export {variable}={text}")
        flush()
    told = [counted(len(registry), "task callable")] if len(registry) or not project.declared else []
    if project.declared:
        told.append(f"{counted(len(project.declared), 'function')} of templates")
    err(f"{name}: listening on {url}, database {project.db}, {', '.join(told)}")
    if emulation is not None and emulation.emulator is not None:
        err(f"{name}: AWS's other services are emulated at {emulation.emulator.url}, in memory")
    if console is not None:
        token = f"#token={console.token}" if console.token else ""
        err(f"{name}: console at {url}/console{token}")


def _tell_resumed(name: str, arns: Sequence[str]) -> None:
    """``name`` is that of the command."""
    if arns:
        told = ", ".join(_shown_execution(arn) for arn in arns[:FEW])
        more = f", and {len(arns) - FEW:,} more" if len(arns) > FEW else ""
        err(f"{name}: {counted(len(arns), 'execution')} resumed: {told}{more}")


def _shown_execution(arn: str) -> str:
    """As commands take it: MACHINE/NAME."""
    found = parse_arn(arn)
    return arn if found is None else "/".join(found.parts[1:])
