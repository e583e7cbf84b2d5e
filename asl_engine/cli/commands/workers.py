"""``asl workers``: the project's callables as activity workers, in one process or in many."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from asl_engine.arn import Arn, is_activity, last_part, names_activity
from asl_engine.cli import options
from asl_engine.cli.ends import end_at_once, told_of_ends
from asl_engine.cli.output import clean, err
from asl_engine.cloud.client import AwsError, connect, explained
from asl_engine.cloud.deploy.changes import pages
from asl_engine.cloud.workers import ActivityWork, WorkerPool
from asl_engine.errors import InvalidInput, ProjectError
from asl_engine.findings import did_you_mean
from asl_engine.json_text import loads
from asl_engine.language.document import load_source
from asl_engine.language.tree import tasks
from asl_engine.project.definitions import NOTHING, Substituting, read_definition
from asl_engine.project.lookup import project_of
from asl_engine.project.tasks import imported_tasks
from asl_engine.resources.python.tasks import python_resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.cloud.client import Aws
    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry

__all__ = ["Workers", "command", "workers"]

CHILD = "ASL_WORKER_OF"  # in the environment of a supervisor's processes: its process id
DEFAULT_HEARTBEAT = 20.0  # seconds, where no definition says how often one is expected
MAX_PROCESSES = 256
RESTART_SECONDS = 1.0


def command(
    *,
    definition: Annotated[
        str | None,
        typer.Argument(metavar="[DEFINITION]", help="Do the tasks of all activities that this definition names."),
    ] = None,
    activity: Annotated[
        list[str] | None,
        typer.Option("--activity", metavar="ARN=CALLABLE", help="Do the tasks of this activity too. Repeatable."),
    ] = None,
    processes: Annotated[
        int, typer.Option("--processes", metavar="N", help="The number of processes. Default: 1")
    ] = 1,
    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency",
            metavar="N",
            help="The number of tasks of each activity at a time, in each process. Default: 1",
        ),
    ] = 1,
    heartbeat: Annotated[
        float | None,
        typer.Option(
            "--heartbeat",
            metavar="SECONDS",
            help="The interval of heartbeats. Default: a third of HeartbeatSeconds, or 20",
        ),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Create the activities that do not exist.")] = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
) -> int:
    """Do the tasks of activities with the project's callables, until interrupted."""
    return workers(
        Workers(
            definition=definition,
            activities=tuple(activity or ()),
            processes=processes,
            concurrency=concurrency,
            heartbeat=heartbeat,
            create=create,
            region=region,
            profile=profile,
            endpoint=endpoint_url,
            substituting=Substituting(tuple(substitute or ()), substitutions),
        )
    )


class Workers(NamedTuple):
    """The arguments of the command."""

    definition: str | None = None
    activities: tuple[str, ...] = ()
    processes: int = 1
    concurrency: int = 1
    heartbeat: float | None = None
    create: bool = False
    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    substituting: Substituting = NOTHING

    def arguments(self, jobs: Sequence[ActivityWork], region: str) -> list[str]:
        """The arguments of one of several processes, with everything that has been looked up."""
        told = [part for job in jobs for part in ("--activity", f"{job.activity}={job.name}")]
        told += ["--heartbeat", str(min(job.heartbeat for job in jobs)), "--concurrency", str(self.concurrency)]
        for option, value in (
            ("--region", region),
            ("--profile", self.profile),
            ("--endpoint-url", self.endpoint),
        ):
            told += [] if value is None else [option, value]
        return ["workers", *told]


class Wanted(NamedTuple):
    """An activity by ARN or name, the callable's name, and the shortest HeartbeatSeconds of its tasks."""

    activity: str
    callable: str
    heartbeat: int | None = None


def workers(given: Workers) -> int:
    """Work until a signal comes.  Returns the exit code."""
    if given.definition is None and not given.activities:
        raise InvalidInput("give a definition, or --activity ARN=CALLABLE: there is nothing to work for")
    if not 1 <= given.processes <= MAX_PROCESSES:
        raise InvalidInput(f"--processes {given.processes}: from 1 to {MAX_PROCESSES}")
    if given.concurrency < 1:
        raise InvalidInput(f"--concurrency {given.concurrency}: it is at least 1")
    if given.heartbeat is not None and given.heartbeat <= 0:
        raise InvalidInput(f"--heartbeat {given.heartbeat}: it is a number of seconds")
    start = Path.cwd() if given.definition is None else Path(given.definition).absolute()
    aws = connect(given.region, given.profile, endpoint=given.endpoint, start=start)
    jobs = _jobs(given, aws, project_of(start))
    if given.processes > 1 and CHILD not in os.environ:
        return _supervise(given, aws, jobs)
    with told_of_ends("what it worked on times out, and may be tried again"):
        return asyncio.run(_work(given, aws, jobs))


# -- what to work for -----------------------------------------------------------------------------------


def _jobs(given: Workers, aws: Aws, project: Project) -> list[ActivityWork]:
    """A job for each activity.  Raises one ``ProjectError`` that lists all missing callables."""
    wanted = [*_of_definition(given), *map(_of_argument, given.activities)]
    if not wanted:
        raise InvalidInput(f"{given.definition}: no task of it is done by an activity")
    registry = imported_tasks(project)
    missing = [one.callable for one in wanted if registry.find(one.callable) is None]
    if missing:
        raise ProjectError(_no_callable(missing, registry))
    known = _Activities(aws, create=given.create)
    return [_job(one, registry, known.arn(one.activity), given.heartbeat) for one in wanted]


def _no_callable(missing: list[str], registry: Registry) -> str:
    lines = [f"there is no task callable {name!r}{did_you_mean(name, registry)}" for name in missing]
    return "\n".join([*lines, f"task callables found: {', '.join(registry) or 'none'}"])


def _job(one: Wanted, registry: Registry, arn: str, heartbeat: float | None) -> ActivityWork:
    function = registry.find(one.callable)
    assert function is not None  # noqa: S101  those that are missing were refused before
    # Three heartbeats for each expected one: one may be late, one may be lost.
    expected = DEFAULT_HEARTBEAT if one.heartbeat is None else one.heartbeat / 3
    return ActivityWork(arn, one.callable, python_resource(function, one.callable), heartbeat or expected)


def _of_argument(argument: str) -> Wanted:
    """``ARN=callable``, ``NAME=callable``, or either alone: the callable then has the activity's name."""
    activity, _, name = argument.partition("=")
    return Wanted(activity, name or last_part(activity))


def _of_definition(given: Workers) -> Iterator[Wanted]:
    """The activities that a definition's tasks name."""
    if given.definition is None:
        return
    source = read_definition(given.definition, given.substituting)
    load_source(source)
    found: dict[str, int | None] = {}
    for task in tasks(loads(source.text)):
        resource, heartbeat = task.source["Resource"], task.source.get("HeartbeatSeconds")
        if names_activity(resource):
            seconds = [one for one in (found.get(resource), heartbeat) if isinstance(one, int)]
            found[resource] = min(seconds, default=None)
    for resource, heartbeat in found.items():
        yield Wanted(resource, last_part(resource), heartbeat)


class _Activities:
    """The activities of the account, listed when the first name or placeholder has to be resolved."""

    def __init__(self, aws: Aws, *, create: bool) -> None:
        self._aws = aws
        self._create = create
        self._by_name: dict[str, str] | None = None

    def arn(self, text: str) -> str:
        """The ARN of an activity, given as one, as one with placeholders, or as a name."""
        whole = is_activity(text) and Arn.of(text).account.isdigit()
        name = last_part(text)
        if whole and not self._create:
            return text
        if self._by_name is None:
            self._by_name = dict(self._listed())
        if name not in self._by_name and self._create:
            with explained(f"create the activity {name}"):
                self._by_name[name] = self._aws.states.create_activity(name=name)["activityArn"]
        if name not in self._by_name:
            hint = did_you_mean(name, self._by_name)
            raise AwsError(f"there is no activity {name!r} in {self._aws.area}{hint}; --create makes it")
        return self._by_name[name]

    def _listed(self) -> Iterator[tuple[str, str]]:
        with explained("list the activities"):
            for page in pages(partial(self._aws.states.list_activities, maxResults=1000)):
                for one in page["activities"]:
                    yield one["name"], one["activityArn"]


# -- one process ----------------------------------------------------------------------------------------


async def _work(given: Workers, aws: Aws, jobs: list[ActivityWork]) -> int:
    name = f"{socket.gethostname()}:{os.getpid()}"
    pool = WorkerPool(
        aws, jobs, concurrency=given.concurrency, worker=name, tell=lambda line: err(f"{name}: {clean(line)}")
    )
    if CHILD not in os.environ:
        shown = ", ".join(job.activity for job in jobs)
        err(f"working at {aws.url} for {shown} as {name}; {given.concurrency} tasks at a time each")
    loop = asyncio.get_running_loop()
    stopping = _Stopping(pool, name)
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.asked))
        else:
            loop.add_signal_handler(number, stopping.asked)
    if CHILD in os.environ:
        threading.Thread(target=_orphaned, args=(loop, stopping), daemon=True).start()
    with redirect_stdout(sys.stderr):
        await pool.run()
    if CHILD not in os.environ:
        err(f"stopped; {pool.done} tasks done")
    return 0


class _Stopping:
    """The first signal asks to stop, the second ends the process on the spot."""

    def __init__(self, pool: WorkerPool, name: str) -> None:
        self._pool = pool
        self._name = name
        self._asked = False

    def asked(self) -> None:
        if self._asked:
            end_at_once(128 + signal.SIGTERM)
        self._asked = True
        err(f"{self._name}: stopping: finishing tasks and polls, for up to a minute; once more to stop at once")
        self._pool.stop()

    def once(self) -> None:
        if not self._asked:
            self.asked()


def _orphaned(loop: asyncio.AbstractEventLoop, stopping: _Stopping) -> None:
    """Stop when the supervisor is gone: the standard input is a pipe from it, and is closed then."""
    while os.read(0, 1):  # not through sys.stdin, whose lock Python asks for when it exits
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(stopping.once)


# -- many processes -------------------------------------------------------------------------------------


def _supervise(given: Workers, aws: Aws, jobs: list[ActivityWork]) -> int:
    """Keep the processes running: a dead one is replaced; its tasks time out and are retried."""
    asked = threading.Event()
    arguments = given.arguments(jobs, aws.region)
    children: list[subprocess.Popen[bytes]] = []

    def forward(*_: Any) -> None:
        again = asked.is_set()
        asked.set()
        for child in children:
            child.kill() if again else child.terminate()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    children.extend(_spawn(arguments) for _ in range(given.processes))
    shown = ", ".join(job.activity for job in jobs)
    ids = ", ".join(str(child.pid) for child in children)
    many = f"{given.processes} processes ({ids}); {given.concurrency} tasks at a time each"
    err(f"working at {aws.url} for {shown} in {many}")
    code = 0
    while any(child.poll() is None for child in children) or not asked.is_set():
        for index, child in enumerate(children):
            ended = child.poll()
            if ended is None or asked.is_set():
                continue
            if ended == InvalidInput.exit_code:  # it has said why, and the next one would fail too
                code = ended
                forward()
                break
            err(f"process {child.pid} ended ({_how(ended)}): another one takes its place")
            time.sleep(RESTART_SECONDS * random.random())
            children[index] = _spawn(arguments)
        time.sleep(0.05)
    err("stopped")
    return code


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _spawn(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  this very command
        [sys.executable, "-m", "asl_engine", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=os.environ | {CHILD: str(os.getpid())},
        start_new_session=True,  # Ctrl-C reaches the supervisor alone, which passes it on
    )
