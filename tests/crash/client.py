"""A client of the server, which no kill takes away: what it was told, and what it does next."""

from __future__ import annotations

import json
import select
import time
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tests.crash.laws import TOO_LATE, Ack, effects
from tests.crash.workflows import ACTIVITY, EXECUTION, INPUT, machine_arn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.crash.lives import Life
    from tests.crash.workflows import Workflow

    Tell = Callable[[str, Ack], None]

__all__ = ["MENDED", "Client", "Gone", "Server", "Unavailable", "Unexpected", "nobody"]

ROLE: Final = "arn:aws:iam::123456789012:role/states"
PATIENCE_SECONDS: Final = 30.0
ROUND_SECONDS: Final = 0.002
STOPPED: Final = "two"  # the execution that is stopped
MENDED: Final = "outside/mended"
ERRORS: Final = (OSError, HTTPException)


class Gone(Exception):
    """The server is."""


class Unavailable(Exception):
    """The server says that it cannot, for now."""


class Unexpected(Exception):
    """An answer that no client would understand."""


class Server:
    """A life of `asl serve`, and the connections to it.  Raises ``Gone`` once it is dead."""

    def __init__(self, life: Life) -> None:
        self.life = life
        limit = time.monotonic() + PATIENCE_SECONDS
        while (said := life.said(1.0)) is not None and b"\n" not in said:
            if time.monotonic() > limit:
                raise Gone
        if said is None:
            raise Gone
        url = urlsplit(life.output.splitlines()[0].partition("=")[2])
        self._address = (url.hostname or "", url.port or 0)
        self._connection: HTTPConnection | None = None
        self._polling: HTTPConnection | None = None

    def connect(self) -> HTTPConnection:
        return HTTPConnection(*self._address, timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        for connection in (self._connection, self._polling):
            if connection is not None:
                connection.close()

    def call(self, operation: str, **body: Any) -> tuple[int, Any]:
        """Status and body of an answer."""
        try:
            if self._connection is None:
                self._connection = self.connect()
            _ask(self._connection, operation, body)
            status, answer = _answer(self._connection)
        except ERRORS as error:
            raise Gone from error
        if status >= 500:
            raise Unavailable(f"{operation}: {status} {answer}")
        return status, answer

    def poll(self) -> str | None:
        """The token of an activity's task, once there is one."""
        try:
            if self._polling is None:
                self._polling = self.connect()
                _ask(self._polling, "GetActivityTask", {"activityArn": ACTIVITY})
            if not select.select([self._polling.sock], [], [], 0)[0]:
                return None
            polling, self._polling = self._polling, None
            status, body = _answer(polling)
            polling.close()
        except ERRORS as error:
            raise Gone from error
        if status != 200:
            raise Unavailable(f"GetActivityTask: {status} {body}")
        token: str | None = body.get("taskToken")
        return token


def _ask(connection: HTTPConnection, operation: str, body: Any) -> None:
    head = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AWSStepFunctions.{operation}"}
    connection.request("POST", "/", json.dumps(body), head)


def _answer(connection: HTTPConnection) -> tuple[int, Any]:
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else None


def nobody(_what: str, _ack: Ack) -> None:
    """Nobody hears of it."""


class Client:
    """Brings a workflow to its end, whichever server it finds.

    ``acks`` is what it was told, ``sent`` what it has asked for and may not have been answered: it knows
    nothing else.  ``tell`` hears of each as it happens.
    """

    def __init__(self, folder: Path, workflow: Workflow, tell: Tell = nobody) -> None:
        self.acks: list[Ack] = []
        self.sent: list[Ack] = []
        self._folder = folder
        self._workflow = workflow
        self.tell = tell

    def acknowledged(self, ack: Ack) -> None:
        self.tell("ack", ack)
        self.acks.append(ack)

    def mend(self, redrive: Ack) -> None:
        """What has failed is mended before it is redriven."""
        self.tell("mended", redrive)
        (self._folder / MENDED).touch()

    def _send(self, server: Server, ack: Ack, refusals: tuple[str, ...] = (), **body: Any) -> None:
        """Make a call, if it has not been acknowledged.

        ``refusals`` are what it is answered where it was made before and the answer went down with the server.
        """
        if ack in self.acks:
            return
        before = ack in self.sent
        if not before:
            self.tell("sent", ack)
            self.sent.append(ack)
        status, answer = server.call(ack.call, **body)
        if status == 200:
            self.acknowledged(ack)
        elif before and answer["__type"].rpartition("#")[2] in refusals:
            self.acks.append(ack)  # as far as this client goes; nobody has promised it
            self.tell("ack", ack)
        else:
            raise Unexpected(f"{ack}: {status} {answer}")

    def go_on(self, server: Server) -> bool:
        """One round; whether everything has ended."""
        for name in reversed([*self._workflow.machines]):
            definition = json.dumps(self._workflow.machines[name])
            ack = Ack("CreateStateMachine", machine_arn(name))
            self._send(server, ack, name=name, definition=definition, roleArn=ROLE)
        if self._workflow.outside:
            self._send(server, Ack("CreateActivity", ACTIVITY), name="paint")
        self._start(server, EXECUTION, self._workflow.main)
        if self._workflow.outside:
            self._start(server, STOPPED, "waiting")
            self._send(server, Ack("StopExecution", STOPPED), executionArn=execution_arn(STOPPED, "waiting"))
            self._answer_tasks(server)
        return self._has_ended(server)

    def _start(self, server: Server, name: str, machine: str) -> None:
        body = {"stateMachineArn": machine_arn(machine), "name": name, "input": INPUT}
        self._send(server, Ack("StartExecution", name), ("ExecutionAlreadyExists",), **body)

    def _answer_tasks(self, server: Server) -> None:
        token = server.poll()
        if token is not None:
            self.acknowledged(Ack("GetActivityTask", token))
        over = ("TaskTimedOut",)
        for ack in [ack for ack in self.acks if ack.call == "GetActivityTask"]:
            done = Ack("SendTaskSuccess", ack.about)
            if done not in self.sent:
                server.call("SendTaskHeartbeat", taskToken=ack.about)
            self._try(server, done, over, taskToken=ack.about, output='"blue"')
        asked: dict[str, list[str]] = {}
        for effect in effects(self._folder):
            if "token" in effect and effect["token"] not in asked.setdefault(effect["state"], []):
                asked[effect["state"]].append(effect["token"])
        for token in asked.get("Ask", []):
            self._send(server, Ack("SendTaskSuccess", token), over, taskToken=token, output='"yes"')
        for number, token in enumerate(asked.get("Doubt", [])):
            if number == 0:
                self._send(
                    server, Ack("SendTaskFailure", token), over, taskToken=token, error="Doubtful", cause="no"
                )
            else:
                self._send(server, Ack("SendTaskSuccess", token), over, taskToken=token, output='"now"')

    def _try(self, server: Server, ack: Ack, refusals: tuple[str, ...], **body: Any) -> None:
        """For an activity: its worker may be told that it was too slow, which is nobody's fault."""
        lost = Ack(TOO_LATE, ack.about)
        if lost in self.acks:
            return
        try:
            self._send(server, ack, (), **body)
        except Unexpected as refused:
            if not any(refusal in str(refused) for refusal in refusals):
                raise
            self.acknowledged(lost)

    def _has_ended(self, server: Server) -> bool:
        arn = execution_arn(EXECUTION, self._workflow.main)
        status, shown = server.call("DescribeExecution", executionArn=arn)
        if status != 200:
            raise Unexpected(f"DescribeExecution: {status} {shown}")
        if shown["status"] == "RUNNING":
            return False
        redriven = sum(ack.call == "RedriveExecution" for ack in self.acks)
        told = Ack("DescribeExecution", EXECUTION, shown["status"])
        if shown["status"] == "FAILED" and redriven < self._workflow.redrives:
            again = Ack("RedriveExecution", EXECUTION, str(redriven + 1))
            self.mend(again)
            self._send(server, again, ("ExecutionNotRedrivable",), executionArn=arn)
            return False
        if told not in self.acks:
            self.acknowledged(told)
        return True


def execution_arn(name: str, machine: str) -> str:
    return f"{machine_arn(machine).replace(':stateMachine:', ':execution:')}:{name}"
