"""The commands that have to do with AWS, and their options.  What they do is in the modules beside."""

from typing import Annotated

import typer

from asl_engine.cli.parsing import Command
from asl_engine.cli.remote_commands import remote

__all__ = ["add_commands"]

Definition = Annotated[
    str, typer.Argument(metavar="DEFINITION", help="The state machine: a JSON or YAML file; - for stdin.")
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The state machine's name. Default: the file's.")
]
Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="The AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="The profile of the AWS SDK.")]
Role = Annotated[
    str | None, typer.Option("--role", metavar="ARN", help="The machine's role. Default: one made for it.")
]
Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="STANDARD or EXPRESS. Default: STANDARD")]
Alias = Annotated[
    str | None, typer.Option("--alias", metavar="NAME", help="The alias to move to the new version.")
]
WithFunctions = Annotated[
    bool, typer.Option("--with-functions", help="Deploy the project's task callables as Lambda functions.")
]
Substitute = Annotated[
    list[str] | None,
    typer.Option("--substitute", metavar="NAME=VALUE", help="Replace ${NAME} in the definition. Repeatable."),
]
Substitutions = Annotated[
    str | None,
    typer.Option("--substitutions", metavar="FILE", help="A JSON or YAML file of names and values to replace."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, in the shapes of the AWS API.")]


def add_commands(app: typer.Typer) -> None:
    """Add them, in the order in which the help lists them."""
    app.command(cls=Command)(deploy)
    app.command(cls=Command)(export)
    app.add_typer(remote, name="remote")
    app.command(cls=Command)(workers)


def deploy(
    *,
    definition: Definition,
    name: Name = None,
    region: Region = None,
    profile: Profile = None,
    role: Role = None,
    type_: Type = None,
    with_functions: WithFunctions = False,
    alias: Alias = None,
    weight: Annotated[
        int | None,
        typer.Option(
            "--weight", metavar="N", help="Only N per cent of the alias's executions to the new version."
        ),
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Move the whole alias to the newer of its versions.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Move the whole alias to the version before.")
    ] = False,
    alarm: Annotated[
        list[str] | None,
        typer.Option("--alarm", metavar="NAME", help="Move the alias back if this CloudWatch alarm goes off."),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option("--check", metavar="COMMAND", help="Move the alias back if this command fails."),
    ] = None,
    watch: Annotated[
        int, typer.Option("--watch", metavar="SECONDS", help="How long to look at the alarms. Default: 60")
    ] = 60,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Delete everything that deployments of this machine have made.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --destroy: do not ask.")] = False,
    json: AsJson = False,
) -> int:
    """Deploy a state machine to AWS Step Functions, or bring what is deployed up to date.

    Exit codes: 0 deployed, or nothing to change; 1 the alias was moved back; 2 refused.
    """
    from asl_engine.cli.commands.deploy import Deployment, deploy_command
    from asl_engine.project.definitions import Substituting

    return deploy_command(
        Deployment(
            definition=definition,
            name=name,
            region=region,
            profile=profile,
            role=role,
            type=type_,
            with_functions=with_functions,
            alias=alias,
            weight=weight,
            promote=promote,
            rollback=rollback,
            alarms=tuple(alarm or ()),
            check=check,
            watch=watch,
            dry_run=dry_run,
            destroy=destroy,
            yes=yes,
            json=json,
            substituting=Substituting(tuple(substitute or ()), substitutions),
        )
    )


def export(
    *,
    definition: Definition,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="sam, cloudformation or terraform. Default: sam")
    ] = "sam",
    folder: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write the files. Default: export")
    ] = "export",
    name: Name = None,
    role: Role = None,
    type_: Type = None,
    with_functions: WithFunctions = False,
    alias: Alias = None,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
) -> int:
    """Write what `asl deploy` would deploy as files of SAM, CloudFormation or Terraform."""
    from asl_engine.cli.commands.deploy import Deployment
    from asl_engine.cli.commands.export import export_command
    from asl_engine.project.definitions import Substituting

    given = Deployment(
        definition=definition,
        name=name,
        role=role,
        type=type_,
        with_functions=with_functions,
        alias=alias,
        substituting=Substituting(tuple(substitute or ()), substitutions),
    )
    return export_command(given, form, folder)


def workers(
    *,
    definition: Annotated[
        str | None,
        typer.Argument(metavar="[DEFINITION]", help="Work for all activities that this definition's tasks name."),
    ] = None,
    activity: Annotated[
        list[str] | None,
        typer.Option("--activity", metavar="ARN=CALLABLE", help="Work for this activity too. Repeatable."),
    ] = None,
    processes: Annotated[int, typer.Option("--processes", metavar="N", help="So many processes. Default: 1")] = 1,
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", help="So many tasks of each activity at a time in each.")
    ] = 1,
    heartbeat: Annotated[
        float | None,
        typer.Option(
            "--heartbeat", metavar="SECONDS", help="How often. Default: a third of HeartbeatSeconds, or 20"
        ),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Create the activities that do not exist.")] = False,
    region: Region = None,
    profile: Profile = None,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
) -> int:
    """Do the tasks of activities with the project's callables, until interrupted."""
    from asl_engine.cli.commands.workers import Workers
    from asl_engine.cli.commands.workers import workers as work
    from asl_engine.project.definitions import Substituting

    return work(
        Workers(
            definition=definition,
            activities=tuple(activity or ()),
            processes=processes,
            concurrency=concurrency,
            heartbeat=heartbeat,
            create=create,
            region=region,
            profile=profile,
            substituting=Substituting(tuple(substitute or ()), substitutions),
        )
    )
