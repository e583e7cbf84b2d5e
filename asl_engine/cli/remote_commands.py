"""The commands of ``asl remote``, and their options."""

from typing import Annotated

import typer

from asl_engine.cli.parsing import Command, Group

__all__ = ["remote"]

remote = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
)

Execution = Annotated[
    str,
    typer.Argument(metavar="EXECUTION", help="An execution: the beginning of its name, its name or its ARN."),
]
Machine = Annotated[
    str | None, typer.Option("--machine", metavar="NAME", help="Of this state machine only: a name or an ARN.")
]
Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="The AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="The profile of the AWS SDK.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, in the shapes of the AWS API.")]
Wait = Annotated[bool, typer.Option("--wait", help="See the execution to its end; the exit code is its own.")]


@remote.callback(invoke_without_command=True)
def group(context: typer.Context) -> int:
    """Start, see and operate executions on AWS, or wherever AWS_ENDPOINT_URL_SFN leads."""
    if context.invoked_subcommand is None:
        from asl_engine.cli.output import out

        out(context.get_help())
    return 0


@remote.command(cls=Command)
def run(
    *,
    machine: Annotated[
        str,
        typer.Argument(metavar="MACHINE", help="A state machine: its name, NAME:ALIAS, NAME:VERSION or its ARN."),
    ],
    given: Annotated[
        str | None,
        typer.Option(
            "--input", "-i", metavar="FILE|-|JSON", help="The input: a file, - for stdin, or JSON. Default: {}"
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The execution's name.")] = None,
    wait: Wait = False,
    region: Region = None,
    profile: Profile = None,
    json: AsJson = False,
) -> int:
    """Start an execution: its ARN, or with --wait its output, goes to stdout."""
    from asl_engine.cli.commands.remote import Where
    from asl_engine.cli.commands.remote import run as work

    return work(machine, given, name, wait=wait, as_json=json, where=Where(region, profile))


@remote.command(cls=Command)
def history(
    *,
    execution: Execution,
    machine: Machine = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Write new events until the execution ends.")
    ] = False,
    reverse: Annotated[bool, typer.Option("--reverse", help="Newest first.")] = False,
    no_data: Annotated[bool, typer.Option("--no-data", help="Leave inputs and outputs out.")] = False,
    region: Region = None,
    profile: Profile = None,
    json: AsJson = False,
) -> int:
    """Show the events of an execution."""
    from asl_engine.cli.commands.remote import Where
    from asl_engine.cli.commands.remote import history as work

    return work(
        execution,
        machine,
        as_json=json,
        follow=follow,
        reverse=reverse,
        data=not no_data,
        where=Where(region, profile),
    )


@remote.command("list", cls=Command)
def list_(
    *,
    machine: Machine = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="With this status only, such as RUNNING.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many.")] = 100,
    region: Region = None,
    profile: Profile = None,
    json: AsJson = False,
) -> int:
    """List executions, the newest first."""
    from asl_engine.cli.commands.remote import Where, list_executions

    return list_executions(machine, status, limit, as_json=json, where=Where(region, profile))


@remote.command(cls=Command)
def stop(
    *,
    execution: Execution,
    machine: Machine = None,
    error: Annotated[str | None, typer.Option("--error", metavar="NAME", help="The error name to record.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", metavar="TEXT", help="The cause to record.")] = None,
    region: Region = None,
    profile: Profile = None,
    json: AsJson = False,
) -> int:
    """Abort an execution."""
    from asl_engine.cli.commands.remote import Where
    from asl_engine.cli.commands.remote import stop as work

    return work(execution, machine, error, cause, as_json=json, where=Where(region, profile))


@remote.command(cls=Command)
def redrive(
    *,
    execution: Execution,
    machine: Machine = None,
    wait: Wait = False,
    region: Region = None,
    profile: Profile = None,
    json: AsJson = False,
) -> int:
    """Go on with an execution that has failed, from the state it did not leave."""
    from asl_engine.cli.commands.remote import Where
    from asl_engine.cli.commands.remote import redrive as work

    return work(execution, machine, wait=wait, as_json=json, where=Where(region, profile))
