"""The worker that docs/activities.md shows, at work."""

from __future__ import annotations

import json
import re
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from asl_engine.server.operations import activities
from tests.server.harness import PATIENCE_SECONDS, Server, created, ended

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "activities.md"


def shown(language: str, number: int) -> str:
    """A block of the page."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return str(blocks[number])


def test_the_worker_of_the_page_works(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "POLL_SECONDS", 0.2)
    namespace: dict[str, Any] = {}
    exec(shown("python", 0), namespace)  # noqa: S102  our own page
    client, worker_client, stop, beaten = server.client(), server.client(), Event(), Event()
    worker_client.meta.events.register("after-call.sfn.SendTaskHeartbeat", lambda **_: beaten.set())
    activity = client.create_activity(name="paint")["activityArn"]
    machine = created(client, json.loads(shown("json", 0)))

    def paint(given: dict[str, Any]) -> str:
        assert beaten.wait(PATIENCE_SECONDS)
        return f"{given['colour']} wall"

    arguments = (worker_client, activity, paint, stop, 0.01)
    worker = Thread(target=namespace["work"], args=arguments)
    worker.start()
    try:
        good = client.start_execution(stateMachineArn=machine, input='{"colour": "blue"}')["executionArn"]
        bad = client.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
        assert ended(client, good)["output"] == '"blue wall"'
        failed = ended(client, bad)
        assert (failed["error"], failed["cause"]) == ("KeyError", "'colour'")
    finally:
        stop.set()
        worker.join(PATIENCE_SECONDS)
    assert not worker.is_alive()
