"""A server in this process, on a port of its own, and boto3 clients that talk to it."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from asl_engine.console.mount import Console
from asl_engine.engine.clock import SkippingClock, SystemClock
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.resources.python.registry import Registry
from asl_engine.server.protocol.request import Caller
from asl_engine.server.serve import Listening, bind, serve
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from asl_engine.console.settings import ConsoleSettings
    from asl_engine.engine.host import Tracing
    from asl_engine.engine.run import Observer
    from asl_engine.events.declared import DeclaredRule
    from asl_engine.resources.lambda_.service import LambdaService
    from asl_engine.resources.mocks.configuration import MockFile
    from asl_engine.resources.services import Services
    from asl_engine.server.companion import Companion
    from asl_engine.server.protocol.http import Admission
    from asl_engine.server.service import Operations, Service

ROLE = "arn:aws:iam::123456789012:role/states"
PASS = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad", "Cause": "so be it"}}}
TARGET = "AWSStepFunctions."
PATIENCE_SECONDS = 30


class Server(NamedTuple):
    host: str
    port: int
    resumed: int

    def client(self, region: str = "us-east-1", key: str = "test") -> Any:
        """Sends whatever it is given: refusing is the server's part."""
        config = Config(inject_host_prefix=False, parameter_validation=False, retries={"total_max_attempts": 1})
        return boto3.client(
            "stepfunctions",
            endpoint_url=f"http://{self.host}:{self.port}",
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="not-a-secret",  # noqa: S106  nobody checks it
            config=config,
        )

    def post(self, operation: str, body: bytes | str, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of a request that no SDK would send; a header that is "" is left out."""
        connection = HTTPConnection(self.host, self.port, timeout=PATIENCE_SECONDS)
        sent = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET + operation}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request("POST", "/", body, {name: value for name, value in sent.items() if value})
            answer = connection.getresponse()
            text = answer.read()
            return (
                answer.status,
                {name.lower(): value for name, value in answer.getheaders()},
                json.loads(text) if text else None,
            )
        finally:
            connection.close()


@contextmanager
def running(
    db: Path,
    registry: Registry | None = None,
    *,
    port: int = 0,
    skip_time: bool = True,
    remote: LambdaService | None = None,
    observer: Observer | None = None,
    tracing: Tracing | None = None,
    limits: Limits = AWS_LIMITS,
    mocks: MockFile | None = None,
    begin: int | None = None,
    resumes: bool = True,
    secrets: Mapping[str, str] | None = None,
    console: ConsoleSettings | None = None,
    companions: Sequence[Callable[[Service, Operations, Admission], Companion]] = (),
    services: Services | None = None,
    declared: tuple[list[str], list[DeclaredRule]] = ([], []),
) -> Iterator[Server]:
    """A server on a database, until the block is left; ``port`` 0 is any that is free.

    ``begin`` is when its clock starts, where time is skipped; in milliseconds since the epoch.
    ``secrets`` are those of the access keys that it knows; None: it asks for no signature.
    ``console`` is what the console is told, None for a server without one.
    ``services`` are what tasks may call, ``declared`` the buses and rules that there are.
    ``resumes``: what was interrupted goes on before the block begins; else nobody waits for that.
    """
    ready, stopping = threading.Event(), threading.Event()
    seen: list[Listening] = []
    numbers: list[int] = []
    failures: list[BaseException] = []

    def announce(started: Listening) -> None:
        seen.append(started)
        if not resumes:
            ready.set()

    def count(resumed: Sequence[str]) -> None:
        numbers.append(len(resumed))
        ready.set()

    async def main() -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        threading.Thread(
            target=lambda: (stopping.wait(), loop.call_soon_threadsafe(stopped.set)), daemon=True
        ).start()
        store = await SqliteStore.open(db, synchronous="OFF")
        try:
            with bind("127.0.0.1", port) as listener:
                await serve(
                    store,
                    listener,
                    registry or Registry(),
                    default=Caller("us-east-1", "123456789012"),
                    clock=SkippingClock(begin) if skip_time else SystemClock(),
                    limits=limits,
                    stop=stopped.wait(),
                    remote=remote,
                    observer=observer,
                    tracing=tracing,
                    mocks=mocks,
                    secrets=secrets,
                    services=services,
                    declared=declared,
                    companions=[*companions, *([] if console is None else [partial(Console, settings=console)])],
                    ready=announce,
                    resumed=count,
                )
        finally:
            await store.close()

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001  the test has to hear of it
            failures.append(error)
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(PATIENCE_SECONDS)
        assert not failures, failures
        yield Server(*seen[0], *numbers or (0,))
    finally:
        stopping.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert not failures, failures


def created(client: Any, definition: Any = None, name: str = "m", **more: Any) -> str:
    """The ARN of a new state machine."""
    text = json.dumps(PASS if definition is None else definition)
    arn: str = client.create_state_machine(name=name, definition=text, roleArn=ROLE, **more)["stateMachineArn"]
    return arn


def ended(client: Any, arn: str) -> Any:
    """The execution when it has ended."""
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        shown = client.describe_execution(executionArn=arn)
        if shown["status"] != "RUNNING":
            return shown
        pause.wait(0.01)
    raise AssertionError(f"{arn} is still running")


def ran(client: Any, definition: Any, given: str = "{}", **more: Any) -> Any:
    """A new machine's execution when it has ended."""
    machine = created(client, definition, **more)
    return ended(client, client.start_execution(stateMachineArn=machine, input=given)["executionArn"])


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """Code and message of the error that a call is answered with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    assert response["ResponseMetadata"]["RequestId"]
    return response["Error"]["Code"], response["Error"]["Message"]
