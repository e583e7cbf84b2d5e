"""The activities of a session: the places of a target where tasks wait for the test's answers.

Each has a thread that polls it, and serves one state of one run at a time.  They are kept from run to run: a poll
that nobody answers lasts for a minute.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from asl_engine.cloud.client import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.cloud.client import Aws

__all__ = ["Station", "Stations"]

POLL_TIMEOUT: Final = 75  # seconds: GetActivityTask answers after 60, the service model says
PAUSE: Final = 0.5  # seconds before a poll that has failed is tried again
MAX_FAILURES: Final = 3  # in a row: a run does not fail for one answer that is lost
WORKER: Final = "asl-test"


class Station:
    """An activity.  ``serve`` is given the token and the input of each task, in a thread."""

    def __init__(self, arn: str, client: Any) -> None:
        self.arn = arn
        self.serve: Callable[[str, str], None] | None = None
        self.failure: Exception | None = None
        self._client = client
        self._closing = threading.Event()
        threading.Thread(target=self._poll, name=arn, daemon=True).start()

    def close(self) -> None:
        """Answer nothing any more.  The poll that is open ends by itself."""
        self._closing.set()
        self.serve = None

    def _poll(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                with explained(f"poll for tasks of {self.arn}"):
                    task = self._client.get_activity_task(activityArn=self.arn, workerName=WORKER)
            except Exception as error:  # noqa: BLE001  whoever waits for an answer hears of it
                failures += 1
                self.failure = error if failures >= MAX_FAILURES else None
                self._closing.wait(PAUSE)
                continue
            serve = self.serve
            failures, self.failure = 0, None
            if task.get("taskToken") and serve is not None:
                serve(task["taskToken"], task["input"])


class Stations:
    """The activities, made as runs need them.  Raises ``AwsError``."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._prefix = f"asl-test-{uuid4().hex[:12]}"
        self._all: list[Station] = []
        self._free: list[Station] = []

    def take(self, number: int) -> list[Station]:
        """So many that nobody else has."""
        while len(self._free) < number:
            name = f"{self._prefix}-{len(self._all)}"
            with explained(f"make the activity {name}"):
                arn = self._aws.states.create_activity(name=name)["activityArn"]
            polls = self._aws.client("stepfunctions", read_timeout=POLL_TIMEOUT, retries={"total_max_attempts": 1})
            self._all.append(Station(arn, polls))
            self._free.append(self._all[-1])
        taken, self._free = self._free[:number], self._free[number:]
        return taken

    def give_back(self, stations: list[Station]) -> None:
        for station in stations:
            station.serve = None
        self._free += stations

    def close(self) -> None:
        """Delete the activities."""
        stations, self._all, self._free = self._all, [], []
        for station in stations:
            station.close()
        for station in stations:
            with explained(f"delete the activity {station.arn}"):
                self._aws.states.delete_activity(activityArn=station.arn)
