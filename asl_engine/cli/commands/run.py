"""``asl run``: start an execution, or take up the running one of that name, and see it to its end."""

from __future__ import annotations

import asyncio
import atexit
import os
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.engine_log import begin_logging
from asl_engine.cli.output import err
from asl_engine.cli.report import report, report_interruption
from asl_engine.cli.signals import AT_ONCE, Interrupted, Signals, at_the_wheel, drive, progress_for
from asl_engine.cli.start import RunRequest, Start, check_same, prepare
from asl_engine.cli.tracing import traced
from asl_engine.errors import ExecutionAlreadyExists
from asl_engine.lab.whereabouts import failed_at
from asl_engine.project.definitions import Substituting
from asl_engine.project.lookup import opened

if TYPE_CHECKING:
    from asl_engine.cli.progress import Progress
    from asl_engine.core.execution import Execution
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["command", "run"]


def command(
    *,
    definition: Annotated[
        str,
        typer.Argument(metavar="DEFINITION", help="The state machine: a JSON or YAML file, or TEMPLATE#MACHINE."),
    ],
    given: options.Input = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The execution's name. If one of this name and input is running, wait for that. Default: a UUID",
        ),
    ] = None,
    db: options.Db = None,
    time: options.Time = "real",
    detach: Annotated[
        bool, typer.Option("--detach", help="Run in the background, and print the execution's name at once.")
    ] = False,
    use_lambda: options.Lambda = False,
    lambda_endpoint: options.LambdaEndpoint = None,
    endpoint: options.Endpoints = None,
    limit: options.Limits = None,
    mock: options.Mock = None,
    fault: options.Faults = None,
    seed: options.Seed = None,
    no_aws_limits: options.AwsLimitsOff = False,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
    json: options.AsJson = False,
    quiet: options.Quiet = False,
    log_format: options.LogFormat = None,
    traces: options.Traces = False,
) -> int:
    """Run a state machine. Its output goes to stdout, everything else to stderr.

    Exit codes: 0 succeeded, 1 failed, 2 refused, 3 timed out, 4 aborted, 130 interrupted (and resumable).
    """
    return run(
        RunRequest(
            definition=definition,
            input=given,
            name=name,
            db=db,
            time=time,
            detach=detach,
            use_lambda=use_lambda,
            lambda_endpoint=lambda_endpoint,
            json=json,
            quiet=quiet,
            limits=limit or (),
            aws_limits=not no_aws_limits,
            substituting=Substituting(tuple(substitute or ()), substitutions),
            endpoints=tuple(endpoint or ()),
            mock=mock,
            faults=tuple(fault or ()),
            seed=seed,
            log_format=log_format,
            traces=traces,
        )
    )


def run(request: RunRequest) -> int:
    """Run an execution to its end.  Returns the exit code."""
    # Not for the processes that tasks start: theirs is another stderr.
    if (log := os.environ.pop("ASL_DETACHED_LOG", None)) is not None:
        atexit.register(_tidy, log)
    lines = begin_logging(request.log_format)
    start = prepare(request)
    how = start.setup.how
    if how.seed is not None and request.seed is None and not request.quiet:
        err(f"seed {how.seed}: the faults happen again with --seed {how.seed}")
    if request.detach:
        from asl_engine.cli.detach import detach

        return detach(request, start)
    return asyncio.run(_run(request, start, None if lines else progress_for(quiet=request.quiet or request.json)))


def _tidy(log: str) -> None:
    from pathlib import Path

    from asl_engine.cli.detach import remove_unless_written

    remove_unless_written(Path(log))


async def _run(request: RunRequest, start: Start, progress: Progress | None) -> int:
    db = start.setup.project.db
    try:
        with at_the_wheel(AT_ONCE) as signals:
            async with opened(db, create=True) as store, traced(request.traces) as tracing:
                start = start._replace(setup=start.setup._replace(tracing=tracing))
                execution = await _execute(store, start, signals, progress, named=request.name is not None)
                place = await failed_at(store, execution)
    except Interrupted as interrupted:
        report_interruption(start.name, db, followed=interrupted.followed)
        return interrupted.exit_code
    registry = start.setup.registry
    return report(execution, db, as_json=request.json, quiet=request.quiet, place=place, registry=registry)


async def _execute(
    store: SqliteStore, start: Start, signals: Signals, progress: Progress | None, *, named: bool
) -> Execution:
    """Start the execution; or, as StartExecution does, take up the running one of that name and input."""
    record = await store.record(start.arn) if named else None
    if record is None:
        try:
            return await drive(store, start.setup, start.begin, signals, progress=progress)
        except ExecutionAlreadyExists:  # another process was quicker
            record = await store.record(start.arn)
            if record is None:
                raise
    await check_same(store, record, start)
    from asl_engine.cli.commands.resume import join

    return await join(store, record, signals, progress, start.setup.tracing)
