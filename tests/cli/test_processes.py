"""The command as it is used: processes, pipes, signals, what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.project import PASS, ROOT, SUM, finished, machine, task, wait_for

if TYPE_CHECKING:
    from tests.cli.project import Project


def test_a_run_imports_only_what_it_needs(project: Project) -> None:
    """Each of these costs a cold start more than it may: see the figure that the project is held to."""
    path = project.define("m", SUM)
    script = (
        "import atexit, sys; from asl_engine.cli import main;"
        "parts = lambda name: '.'.join(name.split('.')[: 1 + name.startswith('asl_engine.')]);"
        "atexit.register(lambda: print(*sorted(map(parts, sys.modules)), file=sys.stderr));"
        f"main(['run', {path!r}, '-i', '{{\"n\": 1}}', '-q'])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == '{"n":3}\n'
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "typer" in loaded
    unwanted = {"rich", "pydantic", "boto3", "botocore", "jsonpath_ng", "anyio"}
    unwanted |= {"asl_engine.graph", "asl_engine.views", "asl_engine.testing"}
    assert not loaded & unwanted


def test_a_whole_number_needs_no_model(project: Project) -> None:
    project.ran(PASS)
    script = (
        "import atexit, sys; from asl_engine.cli import main;"
        "atexit.register(lambda: print('pydantic' in sys.modules, file=sys.stderr));"
        "main(['list', '--limit', '1', '--json'])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)
    assert len(json.loads(done.stdout)["executions"]) == 1
    assert done.stderr == "False\n"


@pytest.mark.parametrize("way", [["-m", "asl_engine"], [str(ROOT / "cli.py")]], ids=["-m asl_engine", "cli.py"])
def test_ways_in(project: Project, way: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if way[0] == "-m":
        environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, *way, "run", project.define("m", PASS), "-q"]
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{}\n", "")


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for one process on Windows")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_whose_task_never_returns(project: Project, number: int, code: int) -> None:
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate)})
    process = project.spawn("run", project.define("m", machine(C=task("count"))), "--name", "one", "-i", given)
    wait_for(calls.exists)
    process.send_signal(number)
    result = finished(process)
    assert (result.code, result.out) == (code, "")
    assert result.err == "interrupted: execution one is kept; go on with: asl resume one\n"
    gate.touch()
    again = project.process("resume", "one")
    assert (again.code, again.out) == (0, '{"passed":true}\n')
    assert calls.read_text() == "xx"  # the attempt that was interrupted, and the one that took its place


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for one process on Windows")
def test_who_follows_may_be_interrupted_and_who_waits_too(project: Project) -> None:
    path = project.define("m", machine(W={"Type": "Wait", "Seconds": 3600}))
    first = project.spawn("run", path, "--name", "one")
    leases = project.db.with_name("asl.db-leases")
    wait_for(lambda: leases.exists() and bool(project.asl("list", "--json").json["executions"]))
    second = project.spawn("run", path, "--name", "one")
    wait_for(lambda: len(list(leases.iterdir())) == 2)
    said = {
        second: "goes on in the other process; see: asl history one --follow",
        first: "is kept; go on with: asl resume one",
    }
    for process, goes_on in said.items():
        process.send_signal(signal.SIGINT)
        result = finished(process)
        assert (result.code, result.err) == (130, f"interrupted: execution one {goes_on}\n")
    assert "stands at  W (Wait): waiting until 2" in project.asl("show", "one").out
    position = project.asl("show", "one", "--json").json["position"][0]
    assert (position["phase"], list(position["open"])) == ("WAITING", ["due"])


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for one process on Windows")
def test_a_second_signal_ends_it_at_once(project: Project) -> None:
    """An async callable that blocks the event loop: the first signal cannot be heeded."""
    calls = project.root / "calls"
    (project.root / "tasks" / "blocking.py").write_text(
        "import time\nfrom pathlib import Path\n"
        f"async def block(event):\n    Path({str(calls)!r}).touch()\n    time.sleep(60)\n"
    )
    process = project.spawn("run", project.define("m", machine(B=task("block"))), "--name", "one")
    wait_for(calls.exists)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    assert finished(process).code == 130
    assert project.asl("show", "one", "--json").json["status"] == "RUNNING"


NEVER = "  in the state N, which calls the task never ("


def test_a_task_that_never_returns_does_not_keep_the_process(project: Project) -> None:
    result = project.process(
        "run", project.define("m", machine(N=task("never", TimeoutSeconds=1))), "--name", "one"
    )
    assert result.code == 1
    error, place, ended = result.err.splitlines()
    assert (error, place[: len(NEVER)]) == ("States.Timeout", NEVER)
    assert ended.startswith("FAILED  one  m  1.")


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently on Windows")
@pytest.mark.parametrize("size", [1, 100_000], ids=["little", "much"])
def test_nobody_reads_the_output(project: Project, size: int) -> None:
    read, write = os.pipe()
    os.close(read)
    given = project.root / "given.json"
    given.write_text(json.dumps("x" * size))
    process = project.spawn("run", project.define("m", PASS), "-i", "given.json", "-q", stdout=write)
    os.close(write)
    result = finished(process)
    assert (result.code, result.err) == (141, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")  # noqa: PTH110  a device, no path
def test_the_output_cannot_be_written(project: Project) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  a device, no path
        result = finished(project.spawn("run", project.define("m", PASS), "-q", stdout=full))
    assert result.code == 2
    assert result.err.startswith("asl: error: cannot write the output: No space left on device")


@pytest.mark.skipif(os.name == "nt", reason="there is no >&- on Windows")
def test_there_is_no_standard_output(project: Project) -> None:
    command = ["sh", "-c", f"exec {sys.executable} -m asl_engine run {project.define('m', PASS)} -q >&-"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=project.root, env=environment, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# A command that stands before its database for ever: another process has locked it.
LOCKED = """
import asyncio, sys
from pathlib import Path
from threading import Event, Thread
from asl_engine.cli import main
from asl_engine.store.sqlite import store as sqlite

async def held(*args, **kwargs):
    thread = Thread(target=Event().wait)
    thread.start()
    Path("waiting").touch()
    await asyncio.to_thread(thread.join)

setattr(sqlite.SqliteStore, PLACE, held)
main(sys.argv[1:])
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for one process on Windows")
@pytest.mark.parametrize(
    ("place", "command"),
    [
        ("open", ["run", "statemachines/m.json"]),
        ("create", ["run", "statemachines/m.json"]),
        ("open", ["resume", "x"]),
        ("open", ["resume", "--all", "--db", "asl.db"]),
        ("open", ["stop", "x"]),
    ],
)
def test_a_signal_while_the_database_is_waited_for(project: Project, place: str, command: list[str]) -> None:
    project.define("m", PASS)
    process = subprocess.Popen(
        [sys.executable, "-c", LOCKED.replace("PLACE", repr(place)), *command],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((project.root / "waiting").exists)
    process.send_signal(signal.SIGINT)
    result = finished(process)
    assert (result.code, result.err) == (130, "interrupted\n")


# -- detached -----------------------------------------------------------------------------------------


def test_detach(project: Project) -> None:
    """The parent returns while the task is still waiting; another command follows the run to its end."""
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate)})
    result = project.ran(machine(C=task("count"), D=task("double", Parameters={"n": 1})), "-i", given, "--detach")
    assert (result.code, result.out) == (0, "one\n")
    assert "running in the background; follow it with: asl history one --follow" in result.err
    assert project.asl("show", "one", "--json").json["status"] == "RUNNING"
    again = project.ran(
        json.loads((project.root / "statemachines" / "m.json").read_text()), "-i", given, "--detach"
    )
    assert again.out == "one\n"  # as with StartExecution: the same request, the same execution
    gate.touch()
    followed = project.asl("history", "one", "--follow", "--json")
    assert json.loads(followed.out.splitlines()[-1])["type"] == "ExecutionSucceeded"
    assert calls.read_text() == "x"
    log = project.root / ".asl" / "asl.db-logs" / "m.one.log"
    assert log.read_text() == "a word from double\n"


def test_a_log_in_which_nothing_stands_is_removed(project: Project) -> None:
    """A detached run's own; those of others, and what tasks hand to their processes, stay as they are."""
    said = "def say(event):\n    import os\n    return os.environ.get('ASL_DETACHED_LOG')\n"
    (project.root / "tasks" / "saying.py").write_text(said)
    logs = project.root / ".asl" / "asl.db-logs"
    logs.mkdir(parents=True)
    (logs / "m.zero.log").touch()
    assert project.ran(machine(S=task("say")), "--detach").code == 0
    followed = project.asl("history", "one", "--follow", "--json")
    assert json.loads(followed.out.splitlines()[-1])["executionSucceededEventDetails"]["output"] == "null"
    wait_for(lambda: not (logs / "m.one.log").exists())
    assert [file.name for file in logs.iterdir()] == ["m.zero.log"]


def test_detach_as_json(project: Project) -> None:
    options = ["--time", "skip", "--no-aws-limits", "--lambda", "--lambda-endpoint", "http://127.0.0.1:9"]
    result = project.ran(PASS, "--detach", "--json", *options)
    wait_for(lambda: bool(project.asl("show", "one", "--json").json["status"] == "SUCCEEDED"))
    shown = project.asl("show", "one", "--json").json
    assert result.json == {"executionArn": shown["executionArn"], "startDate": shown["startDate"]}
    assert result.err == ""


def test_detach_refuses_at_once(project: Project) -> None:
    project.ran(PASS, "-i", "1")
    result = project.ran(PASS, "-i", "1", "--detach")
    assert result.code == 2
    assert "has ended (SUCCEEDED): choose another --name" in result.err


def test_detach_takes_up_what_nobody_drives(project: Project) -> None:
    given = json.dumps({"signal": int(signal.SIGINT)})
    assert project.ran(machine(I=task("interrupt")), "-i", given).code == 130
    (project.root / "tasks" / "callables.py").write_text("def interrupt(event):\n    return 1\n")
    for name in [name for name in sys.modules if name.endswith(".callables")]:
        del sys.modules[name]
    again = project.asl("run", "statemachines/m.json", "--name", "one", "-i", given, "--detach", "-q")
    assert (again.out, again.err) == ("one\n", "")
    wait_for(lambda: bool(project.asl("show", "one", "--json").json["status"] == "SUCCEEDED"))


def test_detach_tells_why_the_process_could_not_start(project: Project) -> None:
    """Tasks that load here but not there: only the new process can find out."""
    (project.root / "tasks" / "shy.py").write_text(
        "import os\nif os.getppid() != PARENT:\n    raise OSError('not here')\n"
    )
    text = (project.root / "tasks" / "shy.py").read_text().replace("PARENT", str(os.getppid()))
    (project.root / "tasks" / "shy.py").write_text(text)
    result = project.ran(PASS, "--detach")
    assert result.code == 2
    assert "shy.py:3: cannot import the tasks: OSError: not here" in result.err
    assert result.err.count("asl: error: ") == 1


def test_detach_where_no_log_can_be_written(project: Project) -> None:
    project.ran(PASS)
    (project.root / ".asl" / "asl.db-logs").write_text("in the way")
    result = project.ran(PASS, "--detach", name="two")
    assert result.code == 2
    assert "cannot write" in result.err
