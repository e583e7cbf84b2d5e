"""The page that Prometheus reads, beside the API: who may read it, and that its documentation is complete."""

from __future__ import annotations

import re
from base64 import b64encode
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from asl_engine.practice.metrics_page import MetricsPage
from tests.server.harness import PASS, created, ended, running

if TYPE_CHECKING:
    from tests.server.harness import Server

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
SECRET = "Zm9vYmFyYmF6"  # noqa: S105  of nobody


def asked(server: Server, method: str = "GET", path: str = "/metrics", **headers: str) -> tuple[int, str]:
    connection = HTTPConnection(server.host, server.port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


def test_it_counts_what_the_server_runs(tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", companions=[MetricsPage]) as server:
        client = server.client()
        machine = created(client, PASS, "orders")
        for _ in range(3):
            ended(client, client.start_execution(stateMachineArn=machine)["executionArn"])
        status, text = asked(server)
        assert status == 200
        assert 'asl_executions_ended_total{state_machine="orders",status="SUCCEEDED"} 3.0' in text.splitlines()
        documented = re.findall(r"^\| `(asl_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        there = {
            f"{family.name}_total" if family.type == "counter" else family.name
            for family in text_string_to_metric_families(text)
            if not family.name.endswith("_created")  # when each was first counted: prometheus-client adds it
        }
        assert sorted(documented) == sorted(there)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/metrics", {}, 200),
        ("GET", "/metrics/more", {}, 404),
        ("GET", "/metricsandmore", {}, 404),
        ("POST", "/metrics", {}, 405),
        ("GET", "/metrics", {"Origin": "http://example.com"}, 403),
        ("GET", "/metrics", {"Host": "example.com"}, 403),
    ],
)
def test_no_page_reads_it(tmp_path: Path, method: str, path: str, headers: dict[str, str], status: int) -> None:
    with running(tmp_path / "asl.db", companions=[MetricsPage]) as server:
        assert asked(server, method, path, **headers)[0] == status


def test_where_requests_are_signed_it_wants_a_key(tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", companions=[MetricsPage], secrets={"AKIDLOCAL": SECRET}) as server:
        assert asked(server)[0] == 401
        for wrong in (f"AKIDLOCAL:{SECRET}x", f"AKIDOTHER:{SECRET}", "AKIDLOCAL", "é:é"):
            assert asked(server, Authorization=basic(wrong))[0] == 401
        for broken in ("Basic", "Basic ...", f"Bearer {SECRET}", "Basic gICA"):
            assert asked(server, Authorization=broken)[0] == 401
        assert asked(server, Authorization=basic(f"AKIDLOCAL:{SECRET}"))[0] == 200
