"""The command ``asl test-state``, and its options."""

from typing import Annotated

import typer

from asl_engine.cli.parsing import Command

__all__ = ["add_test_state"]

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, in the shapes of the AWS API.")]
Substitute = Annotated[
    list[str] | None,
    typer.Option("--substitute", metavar="NAME=VALUE", help="Replace ${NAME} in the definition. Repeatable."),
]
Substitutions = Annotated[
    str | None,
    typer.Option("--substitutions", metavar="FILE", help="A JSON or YAML file of names and values to replace."),
]


def add_test_state(app: typer.Typer) -> None:
    """Add the command to the program's."""
    app.command("test-state", cls=Command)(try_state)


def try_state(
    *,
    definition: Annotated[
        str,
        typer.Argument(metavar="DEFINITION", help="A state, or a state machine; - for stdin."),
    ],
    state: Annotated[
        str | None, typer.Option("--state", metavar="NAME", help="Which state of the state machine.")
    ] = None,
    given: Annotated[
        str | None,
        typer.Option(
            "--input", "-i", metavar="FILE|-|JSON", help="The input: a file, - for stdin, or JSON. Default: {}"
        ),
    ] = None,
    mock_result: Annotated[
        str | None, typer.Option("--mock-result", metavar="JSON", help="Let this stand for the state's work.")
    ] = None,
    mock_error: Annotated[
        str | None, typer.Option("--mock-error", metavar="NAME", help="Let the state's work fail with this error.")
    ] = None,
    mock_cause: Annotated[
        str | None, typer.Option("--mock-cause", metavar="TEXT", help="The mocked error's cause.")
    ] = None,
    validation: Annotated[
        str,
        typer.Option(
            "--validation",
            metavar="STRICT|PRESENT|NONE",
            help="How to hold a mocked result against the service's model.",
        ),
    ] = "STRICT",
    retry_count: Annotated[
        int | None,
        typer.Option("--retry-count", metavar="N", min=0, help="So many retries are over already."),
    ] = None,
    failed_iterations: Annotated[
        int | None,
        typer.Option("--failed-iterations", metavar="N", min=0, help="So many iterations of the Map have failed."),
    ] = None,
    failed_state: Annotated[
        str | None,
        typer.Option("--failed-state", metavar="NAME", help="The state within that the mocked error comes from."),
    ] = None,
    reader_data: Annotated[
        str | None,
        typer.Option("--reader-data", metavar="FILE", help="What the Map's ItemReader is to have read."),
    ] = None,
    inspection: Annotated[
        str, typer.Option("--inspection", metavar="INFO|DEBUG|TRACE", help="How much of the data flow to show.")
    ] = "DEBUG",
    context: Annotated[
        str | None, typer.Option("--context", metavar="JSON", help="The context object, for a mocked state.")
    ] = None,
    variables: Annotated[
        str | None, typer.Option("--variables", metavar="JSON", help="The variables that the state finds.")
    ] = None,
    time: Annotated[
        str, typer.Option("--time", metavar="real|skip", help="skip: do not sit through a wait.")
    ] = "real",
    use_lambda: Annotated[
        bool, typer.Option("--lambda", help="Call AWS Lambda for functions without a local callable.")
    ] = False,
    lambda_endpoint: Annotated[
        str | None, typer.Option("--lambda-endpoint", metavar="URL", help="Call Lambda there. Implies --lambda.")
    ] = None,
    reveal_secrets: Annotated[
        bool, typer.Option("--reveal-secrets", help="Show what a connection adds to an HTTP Task's request.")
    ] = False,
    json: AsJson = False,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
) -> int:
    """Run one state by itself, its work done or mocked. Exit code 1 if it fails and nothing catches it."""
    from asl_engine.cli.commands.state_test import Request
    from asl_engine.cli.commands.state_test import try_state as work
    from asl_engine.project.definitions import Substituting

    return work(
        Request(
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
