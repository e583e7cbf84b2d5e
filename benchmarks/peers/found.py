"""Which peers there are on this machine, and how each is measured."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from benchmarks.endpoint import rate
from benchmarks.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.workloads import Workload

__all__ = ["Peer", "Served", "found"]

Rates = dict[str, "float | str"]
START_SECONDS: Final = 30
LOCAL: Final = Path(__file__).parent / "local_stepfunctions.mjs"
NO_FIGURE: Final = "not measured"


class Peer(Protocol):
    """``measure`` gives the rate of each workload, or says why there is none."""

    @property
    def name(self) -> str: ...

    def measure(self, workloads: Sequence[Workload], seconds: float) -> Rates: ...


class Served:
    """An engine that answers the Step Functions API on a port of this machine."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self._port = port

    def measure(self, workloads: Sequence[Workload], seconds: float) -> Rates:
        return {one.name: asyncio.run(rate(self._port, one, seconds)) for one in workloads}


class Moto:
    """moto's server, with its own interpreter switched on."""

    name = "moto"

    def measure(self, workloads: Sequence[Workload], seconds: float) -> Rates:
        with moto_server() as port:
            return Served(self.name, port).measure(workloads, seconds)


@contextmanager
def moto_server() -> Iterator[int]:
    """The port of a server that has just answered its first request."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        configure(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def configure(port: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/moto-api/config",
        data=json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(request, timeout=START_SECONDS).close()  # noqa: S310  it is our own
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end:
                raise SystemExit("moto does not start") from None
            time.sleep(0.1)
        else:
            return


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class LocalStepFunctions:
    """aws-local-stepfunctions: JavaScript, in its own process, without HTTP and without a database."""

    name = "aws-local-stepfunctions"

    def __init__(self, node: str, modules: Path) -> None:
        self._command = [node, str(LOCAL), str(modules)]

    def measure(self, workloads: Sequence[Workload], seconds: float) -> Rates:
        without_client = [one for one in workloads if not one.by_boto3]
        given = [
            {
                "definition": one.definition,
                "input": one.input,
                "output": one.output,
                "atOnce": one.at_once,
                "seconds": seconds,
            }
            for one in without_client
        ]
        rates = lines_of(self._command, json.dumps(given))
        return {
            one.name: found * one.units if isinstance(found, float | int) else found
            for one, found in zip(without_client, rates, strict=True)
        }


class DurableSteps:
    """DBOS: Python functions, in their own process, without HTTP."""

    name = "dbos"

    def measure(self, workloads: Sequence[Workload], seconds: float) -> Rates:
        orders = [one for one in workloads if one.name.startswith("order") and not one.by_boto3]
        numbers = [str(one.at_once) for one in orders]
        command = [sys.executable, "-m", "benchmarks.peers.durable_steps", str(seconds), *numbers]
        return dict(zip([one.name for one in orders], lines_of(command), strict=True))


def lines_of(command: list[str], given: str = "") -> list[Any]:
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def found(endpoints: Sequence[str], modules: Path | None, node: str | None = None) -> list[Peer]:
    """Those that are installed, and those that answer at ``NAME=URL``."""
    peers: list[Peer] = []
    if find_spec("moto") is not None and find_spec("flask") is not None:
        peers.append(Moto())
    for text in endpoints:
        name, _, url = text.partition("=")
        port = urlsplit(url).port
        if not name or port is None:
            raise SystemExit(f"--peer {text}: it is NAME=URL, with a port of this machine")
        peers.append(Served(name, port))
    if find_spec("dbos") is not None:
        peers.append(DurableSteps())
    node = node or shutil.which("node")
    if node is not None and modules is not None and (modules / LocalStepFunctions.name).is_dir():
        peers.append(LocalStepFunctions(node, modules))
    return peers
