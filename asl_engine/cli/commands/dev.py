"""``asl dev``: a whole project on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from asl_engine.cli import options

__all__ = ["command"]


def command(
    *,
    port: options.Port = 8083,
    http_port: Annotated[
        int | None,
        typer.Option(
            "--http-port",
            metavar="PORT",
            help="Where the project's HTTP APIs answer. Default: 3000, or the next port that is free.",
        ),
    ] = None,
    db: options.Db = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="real|skip|scale=N", help="skip: do not sit through waits and retry intervals."
        ),
    ] = None,
    use_lambda: options.Lambda = False,
    lambda_endpoint: options.LambdaEndpoint = None,
    endpoint: options.Endpoints = None,
    metrics: options.Metrics = False,
    emulation: options.Emulation = None,
    log_format: options.LogFormat = None,
    traces: options.Traces = False,
) -> int:
    """Run a whole project: machines, functions, HTTP APIs and event buses, as its files say while they change.

    What runs goes on with the definition that it began with.
    """
    from asl_engine.cli.commands.serve import Serving, serve

    return serve(
        Serving(
            port=port,
            http_port=http_port,
            db=db,
            time=time,
            use_lambda=use_lambda,
            lambda_endpoint=lambda_endpoint,
            endpoints=tuple(endpoint or ()),
            metrics=metrics,
            emulation=emulation,
            log_format=log_format,
            traces=traces,
            develops=True,
        )
    )
