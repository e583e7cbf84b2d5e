"""Definitions whose values are not JSON fail their executions, and neither a request nor the server."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import PASS, created, ended, ran, running

if TYPE_CHECKING:
    from pathlib import Path

SPOIL = """
    UPDATE events SET kind = 'BranchSucceeded', data = NULL, payload = NULL
    WHERE seq = 2 AND execution = (SELECT execution FROM executions WHERE arn = ?)
"""
CAUSE = "specified for the field 'Output' returned an unsupported result type."


def by_jsonata(expression: str, *, wait: int | None = None) -> dict[str, Any]:
    last = {"A": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}
    if wait is None:
        return {"QueryLanguage": "JSONata", "StartAt": "A", "States": last}
    first = {"W": {"Type": "Wait", "Seconds": wait, "Next": "A"}}
    return {"QueryLanguage": "JSONata", "StartAt": "W", "States": first | last}


@pytest.mark.parametrize("expression", ["${'a': $sum}", "{'\\ud800': 1}"])
def test_every_way_to_run_it_says_so(client: Any, name: str, expression: str) -> None:
    definition = by_jsonata(expression)
    described = ran(client, definition, name=name)
    assert (described["status"], described["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert described["cause"].endswith(CAUSE)
    express = created(client, definition, name=f"{name}-express", type="EXPRESS")
    at_once = client.start_sync_execution(stateMachineArn=express)
    assert (at_once["status"], at_once["error"]) == ("FAILED", "States.QueryEvaluationError")
    tried = client.test_state(definition=json.dumps({"QueryLanguage": "JSONata", **definition["States"]["A"]}))
    assert (tried["status"], tried["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert tried["cause"].endswith(CAUSE)


def test_it_strands_nothing_behind_a_wait(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as server:
        client = server.client()
        machine = created(client, by_jsonata("${'a': $sum}", wait=1))
        arn = client.start_execution(stateMachineArn=machine)["executionArn"]
    with running(db, skip_time=False) as server:
        assert server.resumed == 1
        described = ended(server.client(), arn)
        assert (described["status"], described["error"]) == ("FAILED", "States.QueryEvaluationError")


def test_a_log_that_makes_no_sense_does_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as server:
        client = server.client()
        machine = created(client, by_jsonata("1", wait=1))
        arns = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)]
    with sqlite3.connect(db) as connection:
        connection.execute(SPOIL, (arns[0],))
    connection.close()
    with running(db, skip_time=False) as server:
        client = server.client()
        assert ended(client, arns[1])["status"] == "SUCCEEDED"
        assert ran(client, PASS, name="other")["status"] == "SUCCEEDED"
