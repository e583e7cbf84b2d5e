"""The options and arguments that several commands take.  One that a single command takes stands with it."""

from typing import Annotated

import typer

__all__ = [
    "Alias",
    "AnyExecution",
    "AsJson",
    "AwsLimitsOff",
    "Cause",
    "Db",
    "Definition",
    "Emulation",
    "Endpoints",
    "Error",
    "Execution",
    "Faults",
    "Follow",
    "Input",
    "Lambda",
    "LambdaEndpoint",
    "Limits",
    "LogFormat",
    "MachineName",
    "MachineType",
    "Metrics",
    "Mock",
    "MostListed",
    "Port",
    "Profile",
    "Quiet",
    "Region",
    "RemoteExecution",
    "RemoteMachine",
    "Reverse",
    "Role",
    "Seed",
    "Status",
    "Substitute",
    "Substitutions",
    "Time",
    "Traces",
    "Wait",
    "WithFunctions",
    "complete_execution",
]


def complete_execution(incomplete: str) -> list[str]:
    """The names that a shell offers where an execution is to be named."""
    from asl_engine.cli.completion import complete_execution as names

    return names(incomplete)


# -- everywhere ---------------------------------------------------------------------------------------

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, in the shapes of the AWS API.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no status line.")]
Input = Annotated[
    str | None,
    typer.Option(
        "--input", "-i", metavar="FILE|-|JSON", help="The input: a file, - for stdin, or JSON. Default: {}"
    ),
]
Substitute = Annotated[
    list[str] | None,
    typer.Option("--substitute", metavar="NAME=VALUE", help="Replace ${NAME} in the definition. Repeatable."),
]
Substitutions = Annotated[
    str | None,
    typer.Option("--substitutions", metavar="FILE", help="A JSON or YAML file of names and values to replace."),
]

# -- executions ---------------------------------------------------------------------------------------

Execution = Annotated[
    str,
    typer.Argument(
        metavar="EXECUTION",
        help="An execution: the beginning of its name, its name or its ARN.",
        autocompletion=complete_execution,
    ),
]
AnyExecution = Annotated[
    str | None,
    typer.Argument(
        metavar="[EXECUTION]",
        help="An execution: the beginning of its name, its name or its ARN.",
        autocompletion=complete_execution,
    ),
]
Db = Annotated[
    str | None,
    typer.Option("--db", metavar="PATH", help="The database. Default: ASL_DB, or .asl/asl.db in the project."),
]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Write new events as they come, until the execution ends.")
]
Reverse = Annotated[bool, typer.Option("--reverse", help="Show the newest first.")]
Status = Annotated[
    str | None, typer.Option("--status", metavar="STATUS", help="Only those with this status, such as RUNNING.")
]
MostListed = Annotated[int, typer.Option("--limit", metavar="N", help="How many to list at most.")]
Error = Annotated[str | None, typer.Option("--error", metavar="NAME", help="The error name to record.")]
Cause = Annotated[str | None, typer.Option("--cause", metavar="TEXT", help="The cause to record.")]

# -- what executes ------------------------------------------------------------------------------------

Time = Annotated[
    str,
    typer.Option(
        "--time",
        metavar="real|skip|scale=N",
        help="How time passes. skip: waits and retries take no time. scale=0.1: a second takes a tenth of one.",
    ),
]
Lambda = Annotated[bool, typer.Option("--lambda", help="Call AWS Lambda for functions without a local callable.")]
LambdaEndpoint = Annotated[
    str | None, typer.Option("--lambda-endpoint", metavar="URL", help="Call Lambda there. Implies --lambda.")
]
Mock = Annotated[
    str | None,
    typer.Option("--mock", metavar="FILE#CASE", help="Run a test case of a mock configuration file."),
]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="STATE:ERROR[@N][%P]",
        help="Let a task go wrong: STATE:ERROR, STATE:delay=40s; @2 or @1-3 names its calls, %20 a percentage of "
        "them. Repeatable.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Decides which calls a percentage hits. Default: a random one."),
]
Port = Annotated[int, typer.Option("--port", metavar="PORT", help="0: any that is free.")]
Emulation = Annotated[
    bool | None,
    typer.Option(
        "--emulation/--no-emulation",
        help="Emulate the AWS services that have no endpoint: queues, tables, topics. Default: the project's "
        "emulation; asl dev does where moto is installed.",
    ),
]
LogFormat = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="text|json",
        help="json: log lines are JSON, with the keys of Powertools. Default: AWS_LAMBDA_LOG_FORMAT, or text",
    ),
]
Metrics = Annotated[bool, typer.Option("--metrics", help="Answer Prometheus at /metrics.")]
Traces = Annotated[
    bool,
    typer.Option("--traces", help="Send traces of OpenTelemetry, to where its own variables say."),
]
Endpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        metavar="SERVICE=URL",
        help="Call an AWS service there. Default: the AWS SDK's own. Repeatable.",
    ),
]
Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--limit", metavar="NAME=N|none", help="Change one of AWS's limits, or switch it off. Repeatable."
    ),
]
AwsLimitsOff = Annotated[
    bool, typer.Option("--no-aws-limits", help="Switch off AWS's limits on sizes, lengths and times.")
]

# -- AWS ----------------------------------------------------------------------------------------------

EndpointUrl = Annotated[
    str | None, typer.Option("--endpoint-url", metavar="URL", help="Where Step Functions is, as for the AWS CLI.")
]
Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="The AWS region.")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="The profile of the AWS SDK.")]
Definition = Annotated[
    str,
    typer.Argument(
        metavar="DEFINITION", help="The state machine: a JSON or YAML file, or TEMPLATE#MACHINE; - for stdin."
    ),
]
MachineName = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The state machine's name. Default: the file's.")
]
Role = Annotated[
    str | None, typer.Option("--role", metavar="ARN", help="The machine's role. Default: one made for it.")
]
MachineType = Annotated[
    str | None, typer.Option("--type", metavar="TYPE", help="STANDARD or EXPRESS. Default: STANDARD")
]
Alias = Annotated[
    str | None, typer.Option("--alias", metavar="NAME", help="The alias to move to the new version.")
]
WithFunctions = Annotated[
    bool, typer.Option("--with-functions", help="Deploy the project's task callables as Lambda functions.")
]
RemoteExecution = Annotated[
    str,
    typer.Argument(metavar="EXECUTION", help="An execution: the beginning of its name, its name or its ARN."),
]
RemoteMachine = Annotated[
    str | None,
    typer.Option("--machine", metavar="NAME", help="Only those of this state machine: a name or an ARN."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the execution to end, and exit with its code.")]
