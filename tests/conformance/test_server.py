"""Results recorded from AWS, held against the server, strictly: every case passes, but for the known gaps.

The recorded cases and their runner lie beside the project and are no part of it; where they are absent,
this test skips.  ``known_gaps.json`` names the cases that fail, each with the reason; one that passes
by now has to leave it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asl_engine.resources.lambda_.service import lambda_resource
from tests.server.harness import running

SHARED = Path(__file__).parents[3] / "shared" / "conformance"
CASES = SHARED / "aws_cases_dev.json"
GAPS = Path(__file__).with_name("known_gaps.json")
SUPPORTED = {"execution", "create", "validate", "test_state"}
MAX_SECONDS = 300
# The cases name moments of the future as seen from the days when they were recorded, so those days are now.
RECORDED = 1_767_225_600_000  # 2026-01-01
# What this one differs in is measured, and may happen to be what was recorded.
MEASURED = {"express/test_express_sync.py::TestExpressSync::test_retry"}


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")


def run_cases(tmp_path: Path) -> list[Any]:
    """What the runner says of every case whose kind the server supports."""
    recorded = json.loads(CASES.read_text(encoding="utf-8"))
    recorded["cases"] = [case for case in recorded["cases"] if case["kind"] in SUPPORTED]
    cases, results = tmp_path / "cases.json", tmp_path / "results.json"
    cases.write_text(json.dumps(recorded), encoding="utf-8")
    port = a_free_port()
    remote = lambda_resource(f"http://127.0.0.1:{port}", "us-east-1")
    with running(tmp_path / "asl.db", skip_time=True, remote=remote, begin=RECORDED) as server:
        options = ["--level", "history", "--strict", "--quiet", "--timeout", "20", "--out", str(results)]
        subprocess.run(
            [
                sys.executable,
                str(SHARED / "run_cases.py"),
                str(cases),
                *options,
                "--endpoint",
                f"http://{server.host}:{server.port}",
                "--router-port",
                str(port),
            ],
            check=False,
            timeout=MAX_SECONDS,
            capture_output=True,
        )
    found: list[Any] = json.loads(results.read_text(encoding="utf-8"))["results"]
    return found


@pytest.mark.usefixtures("_credentials")
def test_every_case_passes_but_the_known_gaps(tmp_path: Path) -> None:
    if not CASES.exists():
        pytest.skip("the recorded cases are not beside the project")
    gaps: dict[str, str] = json.loads(GAPS.read_text(encoding="utf-8"))
    results = run_cases(tmp_path)
    failed = {one["id"]: one for one in results if one["outcome"] != "passed"}
    new = [
        f"{name}: {one['path']}: expected {one['want']}, got {one['got']}"
        for name, one in failed.items()
        if name not in gaps
    ]
    assert not new, "\n".join(new)
    closed = {one["id"] for one in results} & gaps.keys() - failed.keys() - MEASURED
    assert not closed, f"these pass now, take them out of {GAPS.name}: {sorted(closed)}"
    assert all(reason for reason in gaps.values())
