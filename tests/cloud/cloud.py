"""AWS on this machine, as far as a deployment needs it: Step Functions is our own server, Lambda runs what was
deployed, and moto's server is everything else."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.cloud.deploy.bundle import build
from asl_engine.cloud.deploy.settings import read_settings
from asl_engine.project.configuration import find_project
from asl_engine.resources.lambda_.service import lambda_resource
from tests.cloud.account import REGION, Account, moto_server, use
from tests.cloud.lambda_service import LambdaService, lambda_service
from tests.server.harness import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class DeployedFunctions(dict[str, tuple[str, bytes, dict[str, str]]]):
    """The functions of an account, looked up when they are invoked; the code is this folder's project's."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account

    def __missing__(self, arn: str) -> tuple[str, bytes, dict[str, str]]:
        name, _, version = arn.partition(":function:")[2].partition(":")
        client = self._account.client("lambda")
        shown = client.get_function_configuration(FunctionName=name, Qualifier=version)
        project = find_project(Path.cwd(), os.environ)
        bundle = build(project, read_settings(project))
        assert shown["CodeSha256"] == bundle.sha256
        self[arn] = (shown["Handler"], bundle.content, shown.get("Environment", {}).get("Variables", {}))
        return self[arn]


@contextmanager
def cloud(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The account, for this process and for those that it starts."""
    folder.mkdir()
    with moto_server(folder) as url, lambda_service(folder / "lambda") as service:
        account = Account(url)
        use(account, monkeypatch)
        assert isinstance(service, LambdaService)
        service.functions = DeployedFunctions(account)
        remote = lambda_resource(service.url, REGION)
        with running(folder / "asl.db", remote=remote) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://{server.host}:{server.port}")
            yield account
