"""The commands and their options.  What they do is in the modules beside; each imports its own.

To add a command: write a function here that takes its options and hands them on, and a module for its
work, which returns the exit code.
"""

from typing import Annotated

import typer

from asl_engine.cli.aws_commands import add_commands
from asl_engine.cli.parsing import Command, Group
from asl_engine.cli.test_state_command import add_test_state

__all__ = ["app"]

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,  # rich takes longer to import than most commands to run
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _complete_execution(incomplete: str) -> list[str]:
    from asl_engine.cli.completion import complete_execution

    return complete_execution(incomplete)


Execution = Annotated[
    str,
    typer.Argument(
        metavar="EXECUTION",
        help="An execution: the beginning of its name, its name or its ARN.",
        autocompletion=_complete_execution,
    ),
]
Db = Annotated[
    str | None,
    typer.Option("--db", metavar="PATH", help="The database. Default: ASL_DB, or .asl/asl.db in the project."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, in the shapes of the AWS API.")]
Substitute = Annotated[
    list[str] | None,
    typer.Option("--substitute", metavar="NAME=VALUE", help="Replace ${NAME} in the definition. Repeatable."),
]
Substitutions = Annotated[
    str | None,
    typer.Option("--substitutions", metavar="FILE", help="A JSON or YAML file of names and values to replace."),
]
Endpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        metavar="SERVICE=URL",
        help="Call an AWS service there. Default: the AWS SDK's own. Repeatable.",
    ),
]
Time = Annotated[
    str,
    typer.Option(
        "--time",
        metavar="real|skip|scale=N",
        help="skip: do not sit through waits and retry intervals. scale=0.1: make a tenth of every second.",
    ),
]
Limit = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="NAME=N|none", help="Set a limit of AWS otherwise, or off. Repeatable."),
]
Url = Annotated[str | None, typer.Option(metavar="URL", hidden=True)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no status line.")]


def _version(wanted: bool) -> None:
    if wanted:
        from asl_engine import __version__
        from asl_engine.cli.output import out

        out(f"asl {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def asl(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> int:
    """Run Amazon States Language workflows on your own machine."""
    del version
    if context.invoked_subcommand is None:
        from asl_engine.cli.output import out

        out(context.get_help())
    return 0


@app.command(cls=Command)
def run(
    *,
    definition: Annotated[
        str, typer.Argument(metavar="DEFINITION", help="The state machine: a JSON or YAML file.")
    ],
    given: Annotated[
        str | None,
        typer.Option(
            "--input", "-i", metavar="FILE|-|JSON", help="The input: a file, - for stdin, or JSON. Default: {}"
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The execution's name. A running execution of that name and input is taken up. Default: a UUID",
        ),
    ] = None,
    db: Db = None,
    time: Time = "real",
    detach: Annotated[bool, typer.Option("--detach", help="Run in the background; print the id at once.")] = False,
    use_lambda: Annotated[
        bool, typer.Option("--lambda", help="Call AWS Lambda for functions without a local callable.")
    ] = False,
    lambda_endpoint: Annotated[
        str | None, typer.Option("--lambda-endpoint", metavar="URL", help="Call Lambda there. Implies --lambda.")
    ] = None,
    endpoint: Endpoints = None,
    limit: Limit = None,
    mock: Annotated[
        str | None,
        typer.Option("--mock", metavar="FILE#CASE", help="Run a test case of a mock configuration file."),
    ] = None,
    no_aws_limits: Annotated[
        bool, typer.Option("--no-aws-limits", help="None of AWS's limits on sizes, lengths and times.")
    ] = False,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run a state machine: its output goes to stdout, everything else to stderr.

    Exit codes: 0 succeeded, 1 failed, 2 refused, 3 timed out, 4 aborted, 130 interrupted (and resumable).
    """
    from asl_engine.cli.commands.run import run as work
    from asl_engine.cli.start import Request
    from asl_engine.project.definitions import Substituting

    return work(
        Request(
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
        )
    )


@app.command(cls=Command)
def resume(
    *,
    execution: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXECUTION]",
            help="An execution: the beginning of its name, its name or its ARN.",
            autocompletion=_complete_execution,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every open execution that no process drives.")] = False,
    time: Annotated[
        str | None,
        typer.Option("--time", metavar="real|skip|scale=N", help="Let time pass otherwise from now on."),
    ] = None,
    db: Db = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go on with an execution whose process was interrupted or killed."""
    from asl_engine.cli.commands.resume import resume as work

    return work(execution, every=every, time=time, db=db, as_json=json, quiet=quiet)


@app.command(cls=Command)
def redrive(execution: Execution, db: Db = None, json: AsJson = False, quiet: Quiet = False) -> int:
    """Go on with an execution that failed, timed out or was aborted, from the state it did not leave."""
    from asl_engine.cli.commands.resume import redrive as work

    return work(execution, db=db, as_json=json, quiet=quiet)


@app.command(cls=Command)
def stop(
    execution: Execution,
    error: Annotated[str | None, typer.Option("--error", metavar="NAME", help="The error name to record.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", metavar="TEXT", help="The cause to record.")] = None,
    db: Db = None,
    json: AsJson = False,
) -> int:
    """Abort an execution, whichever process drives it."""
    from asl_engine.cli.commands.executions import stop as work

    return work(execution, error, cause, db=db, as_json=json)


@app.command(cls=Command)
def history(
    *,
    execution: Execution,
    db: Db = None,
    json: AsJson = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Write new events until the execution ends.")
    ] = False,
    reverse: Annotated[bool, typer.Option("--reverse", help="Newest first.")] = False,
    no_data: Annotated[bool, typer.Option("--no-data", help="With --json: leave inputs and outputs out.")] = False,
) -> int:
    """Show the events of an execution, as GetExecutionHistory lists them."""
    from asl_engine.cli.commands.history import history as work

    return work(execution, db=db, as_json=json, follow=follow, reverse=reverse, data=not no_data)


@app.command("list", cls=Command)
def list_(
    machine: Annotated[
        str | None, typer.Option("--machine", metavar="NAME", help="Of this state machine only.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="With this status only, such as RUNNING.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many.")] = 100,
    db: Db = None,
    json: AsJson = False,
) -> int:
    """List executions, the newest first."""
    from asl_engine.cli.commands.executions import list_executions as work

    return work(machine, status, limit, db=db, as_json=json)


@app.command(cls=Command)
def show(execution: Execution, db: Db = None, json: AsJson = False) -> int:
    """Show one execution: its status, input and output, and where it stands."""
    from asl_engine.cli.commands.executions import show as work

    return work(execution, db=db, as_json=json)


@app.command(cls=Command)
def replay(
    execution: Execution,
    at: Annotated[
        int | None, typer.Option("--at", metavar="N", help="Show the execution as it stood after history event N.")
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option("--definition", metavar="FILE", help="Find the first event that this one would change."),
    ] = None,
    db: Db = None,
    json: AsJson = False,
) -> int:
    """Decide a recorded execution again, without calling any task. Exit code 1 if it comes out different."""
    from asl_engine.cli.commands.replay import replay as work

    return work(execution, at, definition, db=db, as_json=json)


@app.command(cls=Command)
def validate(
    *,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Definitions; - for stdin.")],
    form: Annotated[
        str, typer.Option("--format", metavar="human|json|sarif", help="How to write the findings.")
    ] = "human",
    json: AsJson = False,
    no_lint: Annotated[
        bool, typer.Option("--no-lint", help="Errors only: nothing that is valid but doubtful.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 2 for warnings too.")] = False,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
) -> int:
    """Report everything that is wrong with definitions, or doubtful. Exit code 2 if anything is wrong."""
    from asl_engine.cli.commands.validate import validate as work
    from asl_engine.project.definitions import Substituting

    return work(
        files,
        form="json" if json else form,
        lint=not no_lint,
        strict=strict,
        substituting=Substituting(tuple(substitute or ()), substitutions),
    )


add_test_state(app)


@app.command(cls=Command)
def tasks(json: AsJson = False) -> int:
    """List the task callables of this directory's project, and where they were looked for."""
    from asl_engine.cli.commands.tasks import tasks as work

    return work(as_json=json)


@app.command(cls=Command)
def serve(
    *,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", help="0: any that is free.")] = 8083,
    db: Db = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            metavar="real|skip|scale=N",
            help="skip: do not sit through waits and retry intervals. Default: WAIT_TIME_SCALE, or real.",
        ),
    ] = None,
    use_lambda: Annotated[
        bool, typer.Option("--lambda", help="Call AWS Lambda for functions without a local callable.")
    ] = False,
    lambda_endpoint: Annotated[
        str | None, typer.Option("--lambda-endpoint", metavar="URL", help="Call Lambda there. Implies --lambda.")
    ] = None,
    endpoint: Endpoints = None,
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
    unsafe_bind: Annotated[
        bool, typer.Option("--unsafe-bind", help="Listen where other machines can reach it; there is no password.")
    ] = False,
    limit: Limit = None,
    no_aws_limits: Annotated[
        bool, typer.Option("--no-aws-limits", help="None of AWS's limits on sizes, lengths and times.")
    ] = False,
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
    from asl_engine.cli.commands.serve import Serving
    from asl_engine.cli.commands.serve import serve as work

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
    return work(
        Serving(
            host=host,
            port=port,
            db=db,
            time=time,
            use_lambda=use_lambda,
            lambda_endpoint=lambda_endpoint,
            unsafe_bind=unsafe_bind,
            limits=limit or (),
            aws_limits=not no_aws_limits,
            log_executions=log_executions,
            status_events=status_events,
            mock_config=mock_config,
            endpoints=(
                *(f"{name}={url}" for name, url in local.items() if url is not None),
                *(endpoint or ()),
            ),
        )
    )


add_commands(app)
