"""A server with a console, as a process of its own, and the browser that looks at it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import boto3
from botocore.config import Config

from tests.console.browser.demo import create_machines, write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHROMIUM", "Site", "chromium", "sites"]

ROOT: Final = Path(__file__).parents[3]
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PATIENCE_SECONDS: Final = 30


def chromium() -> str | None:
    """Where a Chromium is installed."""
    return next((path for path in map(shutil.which, CHROMIUM) if path), None)


class Site:
    """A server in a project with the machines of the demonstration."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._arguments = arguments
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()
        self.client = self._client()
        self.machines = create_machines(self.client)

    def start(self) -> None:
        """Start, again on the same port where there was one before."""
        command = [sys.executable, "-m", "asl_engine", "serve", "--port", str(self.port), *self._arguments]
        self._process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_environment(),
        )
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        assert "http://" in first, first
        self.port = int(first.rsplit(":", 1)[1])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        self._process.communicate(timeout=PATIENCE_SECONDS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _client(self) -> Any:
        return boto3.client(
            "stepfunctions",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="demo",
            aws_secret_access_key="not-a-secret",  # noqa: S106  nobody checks it
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        )

    def page(self, kind: str, arn: str = "", query: str = "") -> str:
        """The address of a page of the console."""
        return f"{self.url}/console/{kind}{'/' + quote(arn, safe='') if arn else ''}{query}"

    def begin(self, machine: str, text: str, name: str) -> str:
        """Start a run; its ARN."""
        arn: str = self.client.start_execution(stateMachineArn=self.machines[machine], input=text, name=name)[
            "executionArn"
        ]
        return arn

    def sample(self, name: str) -> str:
        return (self.folder / "inputs" / f"{name}.json").read_text("utf-8")


@contextlib.contextmanager
def sites(folder: Path, *arguments: str) -> Iterator[Site]:
    """A site until the block is left."""
    write_project(folder)
    site = Site(folder, *arguments)
    try:
        yield site
    finally:
        site.stop()


def _environment() -> dict[str, str]:
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASL_", "AWS_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
