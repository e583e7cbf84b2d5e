"""The emulation of a project, kept by an event loop in a thread, as a server keeps it."""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from asl_engine.emulation.mount import EmulatedServices, chosen_emulation
from asl_engine.project.configuration import find_project
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asl_engine.emulation.mount import Emulation
    from asl_engine.templates.declarations import DeclaredResource

OWN = "http://127.0.0.1:9"  # nobody is there
HOME = ("eu-west-1", "111122223333")


class Emulated(NamedTuple):
    """``said`` are the lines that were told."""

    emulation: Emulation
    said: list[str]
    loop: asyncio.AbstractEventLoop

    def declare(self, *resources: DeclaredResource) -> None:
        """These are declared while it runs."""
        self.loop.call_soon_threadsafe(self.emulation.declare, resources)

    def client(self, service: str, **more: Any) -> Any:
        """boto3's client as a function would make it: everything is in the environment."""
        return boto3.Session().client(service, **more)

    @property
    def process(self) -> int:
        """The id of moto's process."""
        assert self.emulation.emulator is not None
        assert self.emulation.emulator._process is not None
        return self.emulation.emulator._process.pid


def configured(root: Path, emulation: str) -> Path:
    """A project with this ``emulation``, in TOML."""
    (root / ".asl").mkdir(parents=True, exist_ok=True)
    (root / "asl.toml").write_text(f'region = "{HOME[0]}"\naccount = "{HOME[1]}"\n{emulation}', encoding="utf-8")
    return root


@contextmanager
def emulated(root: Path, *options: str, service: Any = None, own: str = OWN) -> Iterator[Emulated]:
    """The emulation of the project in ``root``, until the block is left."""
    said: list[str] = []
    chosen = chosen_emulation(
        find_project(root, {}),
        RunOptions(root, endpoints=options),
        None,
        develops=True,
        own=own,
        secrets=None,
        say=said.append,
    )
    with chosen as emulation:
        assert emulation is not None
        companion = EmulatedServices(service, {}, None, emulation=emulation, say=said.append)  # type: ignore[arg-type]
        stopping, failures = threading.Event(), []
        loops: queue.Queue[asyncio.AbstractEventLoop] = queue.Queue()

        async def main() -> None:
            loops.put(asyncio.get_running_loop())
            running = asyncio.ensure_future(companion.run())
            await asyncio.get_running_loop().run_in_executor(None, stopping.wait)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

        def work() -> None:
            try:
                asyncio.run(main())
            except BaseException as error:  # noqa: BLE001  the test has to hear of it
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield Emulated(emulation, said, loops.get())
        finally:
            stopping.set()
            thread.join()
        assert not failures, failures
