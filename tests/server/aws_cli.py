"""The AWS CLI, kept running: it takes longer to start than to ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.harness import Server

# Reads lists of arguments, a JSON array on a line, and answers with the exit code and what was printed.
LOOP = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = create_clidriver().main(json.loads(line))
        except SystemExit as refusal:  # of arguments
            code = refusal.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


class AwsCli:
    """``aws stepfunctions`` with arguments."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.asked: set[str] = set()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.asked.add(arguments[0])
        print(json.dumps(["stepfunctions", *arguments]), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the CLI has ended with {self._process.wait()} at {arguments}"
        code, out, err = json.loads(line)
        return code, out, err

    def __call__(self, *arguments: str) -> Any:
        """The answer to a command that succeeds."""
        code, out, err = self.run(*arguments)
        assert code == 0, err
        return json.loads(out) if out else None

    def refused(self, *arguments: str) -> str:
        """The code of the error that a command is answered with."""
        code, out, err = self.run(*arguments)
        assert (code, out) == (254, "") or code == 255, (code, out, err)
        return err.partition("(")[2].partition(")")[0]


@contextmanager
def aws_cli(server: Server) -> Iterator[AwsCli]:
    """The CLI as a shell has it after what ``asl serve`` says was exported."""
    settings = {
        "AWS_ENDPOINT_URL_SFN": f"http://{server.host}:{server.port}",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-c", LOOP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=kept | settings,
    )
    try:
        yield AwsCli(process)
    finally:
        process.communicate(timeout=30)
