"""A workflow in a folder of its own, brought to its end through however many lives it takes."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.crash.client import Client, Gone, Server, Unavailable, Unexpected
from tests.crash.laws import ACKNOWLEDGED, GETS_ON, Ack, Witness
from tests.crash.lives import UNHARMED, Doom, Life, begin
from tests.crash.workflows import EXECUTION, INPUT, SCALE

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.crash.recorded import Recorded
    from tests.crash.workflows import Workflow

__all__ = ["Play", "lay_out"]

PROJECT: Final = Path(__file__).with_name("project")
EXIT_CODES: Final = {"SUCCEEDED": 0, "FAILED": 1, "TIMED_OUT": 3}
ENDS_SECONDS: Final = 20.0  # a server whose execution has not ended by then leaves it lying
PAUSE_SECONDS: Final = 0.004
MAX_LIVES: Final = 40


def lay_out(folder: Path, workflow: Workflow) -> None:
    """Make the project anew: its tasks, its data, the definitions, and what is outside of it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "asl.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"max-deaths = {workflow.max_deaths}\n")
    (folder / "outside").mkdir()
    (folder / "statemachines").mkdir()
    for name, definition in workflow.machines.items():
        (folder / "statemachines" / f"{name}.json").write_text(json.dumps(definition), encoding="utf-8")


class Lived(NamedTuple):
    """How a life ended: an exit code or the negative of a signal."""

    doom: Doom
    code: int


class Play:
    """Call ``go_on`` until it returns; ``lived`` tells of the lives so far.

    ``count`` is called in each life, as ``begin``'s ``tell``; ``begin`` begins one.
    """

    def __init__(
        self,
        folder: Path,
        workflow: Workflow,
        mode: str,
        rng: random.Random,
        *,
        count: Callable[[int, int], None] | None = None,
        begin: Callable[..., Life] = begin,
    ) -> None:
        self.workflow = workflow
        self.mode = mode
        self.witness = Witness(folder)
        self.client = Client(folder, workflow)
        self.lived: list[Lived] = []
        self.folder = folder
        self._rng = rng
        self._count = count
        self._begin = begin

    def go_on(self, dooms: Iterator[Doom]) -> None:
        """Live on until the end, as the dooms have it, and unharmed when there are no more."""
        live = self._run if self.mode == "run" else self._serve
        for _ in range(MAX_LIVES):
            recorded = self.witness.look(self.client.acks)
            if not live(recorded, next(dooms, UNHARMED)):
                return
        self.witness.expect(GETS_ON, holds=False, told=f"no end after {MAX_LIVES} lives: {self.lived[-3:]}")

    def one_life(self, doom: Doom) -> bool:
        """Whether it was not over."""
        live = self._run if self.mode == "run" else self._serve
        return live(self.witness.look(self.client.acks), doom)

    @property
    def kills(self) -> int:
        return sum(life.code == -signal.SIGKILL for life in self.lived)

    # -- asl run ------------------------------------------------------------------------------------

    def _run(self, recorded: Recorded, doom: Doom) -> bool:
        arguments = self._command(recorded)
        if arguments is None:
            return False
        life = self._begin(self.folder, arguments, doom, self._count)
        code = life.end()
        self.lived.append(Lived(doom, code))
        if code == -signal.SIGKILL and doom.kills:
            return True
        if "--all" not in arguments and code in EXIT_CODES.values():
            status = next(status for status, expected in EXIT_CODES.items() if expected == code)
            self.client.acknowledged(Ack(f"asl {arguments[0]}", EXECUTION, status))
        after = self.witness.look(self.client.acks)
        log = after.named(EXECUTION)
        status = "none" if log is None else log.status
        if doom.fault is None or code in EXIT_CODES.values():
            # A command that has ended says so of an execution which has ended, and only then.
            expected = EXIT_CODES.get(status)
            if arguments[:2] == ["resume", "--all"] and expected:
                expected = 1
            told = f"`asl {' '.join(arguments[:2])}` exits with {code}, {EXECUTION} is {status}: {self._errors()}"
            self.witness.expect(GETS_ON, code == expected, told)
            return code == expected
        self.witness.expect(
            GETS_ON, code == 2 and "asl: error" in self._errors(), f"exit code {code}: {self._errors()}"
        )
        return True

    def _command(self, recorded: Recorded) -> list[str] | None:
        """What somebody would type now."""
        main = self.workflow.main
        run = [
            "run",
            f"statemachines/{main}.json",
            "--input",
            INPUT,
            "--name",
            EXECUTION,
            "--time",
            SCALE,
            "--quiet",
        ]
        log = recorded.named(EXECUTION)
        if log is None:
            return run
        if log.status == "RUNNING":
            return self._rng.choice([["resume", EXECUTION, "--quiet"], ["resume", "--all", "--quiet"], run])
        if log.status == "FAILED" and log.redrive_count < self.workflow.redrives:
            self.client.mend(Ack("asl redrive", EXECUTION))
            return ["redrive", EXECUTION, "--quiet"]
        return None

    def _errors(self) -> str:
        return (self.folder / "outside" / "stderr").read_text("utf-8")[-600:]

    # -- asl serve ----------------------------------------------------------------------------------

    def _serve(self, recorded: Recorded, doom: Doom) -> bool:
        del recorded
        life = self._begin(self.folder, ["serve", "--port", "0", "--time", SCALE], doom, self._count)
        try:
            ended = self._be_client_of(life, doom)
        except Gone:
            ended = False
        except (Unavailable, Unexpected) as answer:
            self.witness.expect(ACKNOWLEDGED, holds=False, told=f"unexpected: {answer} {self._errors()}")
            life.stop()
            self.lived.append(Lived(doom, life.end()))
            return False
        code = life.stop() if ended else life.end()
        self.lived.append(Lived(doom, code))
        if code == -signal.SIGKILL and doom.kills:
            return not ended  # or it was killed between its last answer and the signal
        gave_up = doom.fault is not None and code == 2 and "asl: error" in self._errors()
        told = f"the server exits with {code}, {doom}: {self._errors()}"
        self.witness.expect(GETS_ON, (ended and code == 0) or gave_up, told)
        return not ended

    def _be_client_of(self, life: Life, doom: Doom) -> bool:
        """Whether all has come to its end.  Raises ``Gone``."""
        server = Server(life)
        limit = time.monotonic() + ENDS_SECONDS
        try:
            while time.monotonic() < limit:
                try:
                    if self.client.go_on(server):
                        return True
                except Unavailable:
                    if doom.fault is None:
                        raise
                time.sleep(PAUSE_SECONDS)
        finally:
            server.close()
        self.witness.expect(GETS_ON, holds=False, told=f"an execution lies there for {ENDS_SECONDS} s, {doom}")
        life.stop()
        return False
