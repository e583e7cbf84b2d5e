"""An execution under test that a target runs: it is watched through its history.

The history is followed by the interpreter, as that of an execution that is brought home, so everything that is
asked of a run can be asked of this one.  Where it does not lead to the same events, the test fails with the place.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from asl_engine.arn import execution_arn, is_express
from asl_engine.cloud.answers import history_of
from asl_engine.cloud.client import AwsError, error_code, error_message, explained
from asl_engine.cloud.deploy.changes import pages
from asl_engine.core import events as ev
from asl_engine.core.execution import OpenMapRun, OpenTask, OpenTimer, Phase
from asl_engine.engine.durations import in_words
from asl_engine.errors import ExecutionNotRedrivable, Parameter, StatesError
from asl_engine.json_text import dumps
from asl_engine.payload import Payload
from asl_engine.projections.descriptions import history_event
from asl_engine.projections.moments import iso
from asl_engine.projections.told import identity_of, milliseconds, told_history
from asl_engine.resources import PENDING, TaskCall
from asl_engine.states.distributed_map import processor_of
from asl_engine.testing.deployment import deployed
from asl_engine.testing.hiding import hidden
from asl_engine.testing.lacking import NotOnTarget
from asl_engine.testing.observers import ObservedDefinition, tell
from asl_engine.testing.waiting import NEXT_ATTEMPT, Awaited
from asl_engine.testing.workflow_run import WorkflowRun
from asl_engine.visits.following import follow
from asl_engine.visits.reading import Lane, Visit, all_visits, read_visits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.api import Prepared
    from asl_engine.core.execution import Execution, Status
    from asl_engine.json_values import Json
    from asl_engine.project.stand_ins import CalledTask
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.testing.lab_tasks import LabTasks
    from asl_engine.testing.targets import RunTarget

__all__ = ["TargetRun"]

__tracebackhide__ = hidden

FIRST_PAUSE: Final = 0.02  # seconds between two looks, at an endpoint
AWS_PAUSE: Final = 0.5
MAX_PAUSE: Final = 2.0
PAGE: Final = 1000


class TargetClock:
    """The time of the target, which nobody can move."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now

    @property
    def now(self) -> datetime:
        """When the last event happened."""
        return datetime.fromtimestamp(self._now() / 1000, UTC)

    def advance(self, duration: object) -> NoReturn:
        raise NotOnTarget(f"clock.advance({duration!r}): time is not the test's on a target")

    def set(self, to: object) -> NoReturn:
        raise NotOnTarget(f"clock.set({to!r}): time is not the test's on a target")


async def _no_sleep(milliseconds: int) -> None:
    raise NotOnTarget(f"sleep: {in_words(milliseconds)} are to pass, and time is not the test's on a target")


class _Seen(NamedTuple):
    """What is known of the execution: ``events`` are AWS's, ``log`` what they come to."""

    events: list[dict[str, Any]]
    execution: Execution
    log: list[ev.Event]


class TargetTask:
    """A task that waits at a station for the test, as ``WaitingTask``."""

    def __init__(self, state: str, token: str, given: Any, send: Callable[..., None]) -> None:
        self.state = state
        self.token = token
        self.input: Any = given
        self._send = send

    def __repr__(self) -> str:
        return f"<task of {self.state!r}>"

    @property
    def attempt(self) -> NoReturn:
        raise NotOnTarget(f"the task of {self.state} does not say its attempt on a target")

    def take(self, worker: str | None = None) -> TargetTask:
        """Nothing is left to do: the test's process took it when it was scheduled."""
        del worker
        return self

    def succeed(self, output: Json) -> None:
        self._send(self, "send_task_success", output=dumps(output))

    def fail(self, error: str | None = None, cause: str | None = None) -> None:
        told = {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
        self._send(self, "send_task_failure", **told)

    def heartbeat(self) -> None:
        self._send(self, "send_task_heartbeat")


class TargetRun(WorkflowRun):
    """The state machine is made for this run, and deleted when it is closed."""

    def __init__(
        self,
        start: Prepared,
        tasks: LabTasks,
        target: RunTarget,
        stationed: Mapping[str, CalledTask],
        test_id: str | None,
    ) -> None:
        self.name, self.machine_name, self.definition = start.name, start.machine_name, start.machine.text
        self._start = start
        self._tasks = tasks
        self._target = target
        self._stationed = stationed
        self._test_id = test_id
        self._states = target.aws.states
        tasks.sleep = _no_sleep
        self._clock = TargetClock(lambda: self._seen.log[-1].at)
        self._left: list[TargetTask] = []
        self._lock = Lock()
        self._serving: set[str] = set()  # the states whose stations are being answered
        self._received: Counter[str] = Counter()  # tasks, by their states
        self._visits: tuple[int, list[Visit]] = (-1, [])
        self._told_of = 0
        self._waits_told: set[int] = set()
        self._is_closed = False
        self._skips_time = target.skips_time  # asked before anything waits
        stations = target.stations.take(len(stationed))
        self._stations = dict(zip(stationed, stations, strict=True))
        self.activities = {state: station.arn for state, station in self._stations.items()}
        try:
            self._machine = deployed(start.machine, self.activities, start.how.limits)
            self.machine_arn = target.create(start.machine_name, self._machine.text)
        except BaseException:
            target.stations.give_back(stations)
            raise
        try:
            for state, station in self._stations.items():
                station.serve = partial(self._serve, state)
            self._began = time.monotonic()
            with explained(f"start an execution of {self.machine_arn}"):
                self.arn: str = self._states.start_execution(
                    stateMachineArn=self.machine_arn, name=start.name, input=start.input.text
                )["executionArn"]
            self._pass(to_end=False)
        except BaseException:
            self.close()
            raise

    # -- what it did ------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        return self._seen.execution.status

    @property
    def output(self) -> Any:
        output = self._seen.execution.output
        return None if output is None or self.status != "SUCCEEDED" else output.value

    @property
    def error(self) -> str | None:
        return self._seen.execution.error

    @property
    def cause(self) -> str | None:
        return self._seen.execution.cause

    @property
    def redrives(self) -> int:
        return self._seen.execution.redrive_count

    @property
    def history(self) -> list[HistoryEvent]:
        """As the target tells it: a task that the test answers is an activity's there."""
        return [
            history_event({**event, "timestamp": milliseconds(event["timestamp"])}, iso)
            for event in self._seen.events
        ]

    @property
    def names(self) -> list[str]:
        who = self._seen.execution.identity
        return [who.arn, who.machine_arn, who.role_arn, who.machine_name, *self.activities.values()]

    @property
    def clock(self) -> TargetClock:
        return self._clock

    def _read(self) -> list[Visit]:
        seen = self._seen
        if self._visits[0] != len(seen.log):
            inner = {
                event.seq: self._children(event.arn) for event in seen.log if isinstance(event, ev.MapRunStarted)
            }
            self._visits = (len(seen.log), read_visits(seen.log, inner))
        return self._visits[1]

    def _children(self, map_run: str) -> list[Lane]:
        """The children of a Map Run.  Of Express children no history is kept."""
        with explained(f"list the executions of {map_run}"):
            listed = [
                one
                for page in pages(partial(self._states.list_executions, mapRunArn=map_run, maxResults=PAGE))
                for one in page["executions"]
            ]
        lanes = []
        for number, one in enumerate(sorted(listed, key=lambda one: (one["startDate"], one["name"]))):
            began = milliseconds(one["startDate"])
            ended = None if one.get("stopDate") is None else milliseconds(one["stopDate"])
            visits: list[Visit] = []
            if not is_express(one["executionArn"]):
                visits = read_visits(self._look_at(one["executionArn"]).log, {})
            lanes.append(Lane("execution", number, 0, visits, began, ended, one["status"]))
        return lanes

    # -- what it waits for ------------------------------------------------------------------------------

    @property
    def waits_for(self) -> list[Awaited]:
        works = self._seen.execution.open.values() if self.status == "RUNNING" else ()
        return [
            Awaited(work.frame.state, self._what(work), work.due)
            for work in works
            if isinstance(work, OpenTask | OpenTimer)
        ]

    def _what(self, work: OpenTask | OpenTimer) -> str:
        if isinstance(work, OpenTimer):
            return NEXT_ATTEMPT if work.frame.phase is Phase.BACKOFF else "the time"
        return "an answer of the worker" if self.tasks(work.frame.state) else "its task, which runs"

    def tasks(self, state: str) -> list[Any]:
        with self._lock:
            return [task for task in self._left if task.state == state]

    # -- what happens to it -----------------------------------------------------------------------------

    def finish(self) -> TargetRun:
        if self.status == "RUNNING":
            self._pass(to_end=True)
        if self.status == "RUNNING":
            raise self._still_waiting()
        return self

    def stop(self, error: str | None = None, cause: str | None = None) -> TargetRun:
        if self.status == "RUNNING":
            told = {name: value for name, value in (("error", error), ("cause", cause)) if value is not None}
            with explained(f"stop {self.arn}"):
                self._states.stop_execution(executionArn=self.arn, **told)
            self._left.clear()
            self._pass(to_end=True)
        return self

    def redrive(self) -> TargetRun:
        try:
            with explained(f"redrive {self.arn}"):
                self._states.redrive_execution(executionArn=self.arn)
        except AwsError as error:
            if error_code(error) != "ExecutionNotRedrivable" or error.__cause__ is None:
                raise
            reason = error_message(error.__cause__).rpartition(" as: ")[2]
            raise ExecutionNotRedrivable(self.arn, reason) from None
        self._began = time.monotonic()
        self._pass(to_end=False)
        return self

    def close(self) -> None:
        """Stop what has not ended, and delete the state machine.  Raises ``AwsError``."""
        if self._is_closed:
            return
        self._is_closed = True
        self._target.stations.give_back([*self._stations.values()])
        try:
            if hasattr(self, "arn"):
                with explained(f"stop {self.arn}"):
                    if self._states.describe_execution(executionArn=self.arn)["status"] == "RUNNING":
                        self._states.stop_execution(executionArn=self.arn)
        finally:
            self._target.delete(self.machine_arn)

    # -- watching ---------------------------------------------------------------------------------------

    def _pass(self, *, to_end: bool) -> None:
        """Look until it has ended or waits for the test; without ``to_end``, for time to pass is enough."""
        pause, sleep = AWS_PAUSE if self._target.aws.is_aws else FIRST_PAUSE, Event()
        while True:
            self._seen = self._look_at(self.arn)
            if self._tasks.refused:
                raise self._tasks.refused[0]
            for station in self._stations.values():
                if station.failure is not None:
                    raise station.failure
            if self.status != "RUNNING":
                self._tell_observers()
                return
            if self._waits(to_end=to_end):
                return
            self._check_patience()
            sleep.wait(pause)
            pause = min(pause * 1.5, MAX_PAUSE)

    def _look_at(self, arn: str) -> _Seen:
        """What its history says, which may be behind what DescribeExecution would."""
        with explained(f"look at {arn}"):
            described = self._states.describe_execution(executionArn=arn)
        events = history_of(self._target.aws, arn)
        told = told_history(events, arn, has_ended=False)
        identity = identity_of(described, told[0])
        machine = processor_of(self._machine, identity.machine_name)
        followed = follow(machine, identity, told, self._start.how.limits)
        return _Seen(events, followed.execution, [self._as_written(event) for event in followed.log])

    def _as_written(self, event: ev.Event) -> ev.Event:
        """The event, with the resource that the test's own definition has."""
        if isinstance(event, ev.TaskScheduled):
            for state, arn in self.activities.items():
                if event.resource == arn:
                    return event._replace(resource=self._stationed[state].resource)
        return event

    def _waits(self, *, to_end: bool) -> bool:
        """Whether nothing goes on there before the test does something."""
        works = [*self._seen.execution.open.values()]
        if not works:
            return False
        if not all(self._is_at_the_test(work) for work in works if isinstance(work, OpenTask)):
            return False
        passes = any(isinstance(work, OpenTimer) for work in works) and (to_end or self._skips_time)
        in_children = any(isinstance(work, OpenMapRun) for work in works) and not self._left
        return not passes and not in_children

    def _is_at_the_test(self, work: OpenTask) -> bool:
        """Whether the test has the task and is to answer it.  A token of one that has timed out is dropped."""
        state = work.frame.state
        visits = [visit for visit in all_visits(read_visits(self._seen.log, {})) if visit.name == state]
        started = sum(attempt.started is not None for visit in visits for attempt in visit.attempts)
        scheduled = sum(
            isinstance(one, OpenTask) and one.frame.state == state for one in self._seen.execution.open.values()
        )
        with self._lock:
            mine = [task for task in self._left if task.state == state]
            for task in mine[: max(0, len(mine) - scheduled)]:
                self._left.remove(task)
            idle = state not in self._serving and self._received[state] >= started
            return work.started and idle and len(mine) >= scheduled

    def _check_patience(self) -> None:
        """Raises ``NotOnTarget`` before a wait that takes longer than the target's patience."""
        if self._skips_time:
            return
        patience = self._target.patience
        gone = round((time.monotonic() - self._began) * 1000)
        for work in self._seen.execution.open.values():
            if not isinstance(work, OpenTimer) or work.due is None:
                continue
            left = work.due - round(time.time() * 1000)
            began = next((event.at for event in self._seen.log if event.seq == work.key), work.due)
            what = f"{work.frame.state} waits for {in_words(work.due - began)} there"
            if gone + left > patience:
                raise NotOnTarget(
                    f"{what}, and time is not skipped; a run may take ", Parameter("patience", in_words(patience))
                )
            if work.key not in self._waits_told:
                self._waits_told.add(work.key)
                self._target.tell(f"{self._test_id or self.name}: {what}")
        if gone > patience:
            raise self._still_waiting()

    def _tell_observers(self) -> None:
        seen, path = self._seen, self._start.how.definition
        if len(seen.log) == self._told_of:
            return
        self._told_of = len(seen.log)
        known = None if path == Path() else path
        who = seen.execution.identity
        tell(ObservedDefinition(self.machine_name, known, self.definition, who), seen.log, self._test_id)

    # -- answering --------------------------------------------------------------------------------------

    def _serve(self, state: str, token: str, text: str) -> None:
        """Answer a task, in the thread of its station."""
        with self._lock:
            self._serving.add(state)
            self._received[state] += 1
        try:
            self._answer(state, token, text)
        except Exception as error:  # noqa: BLE001  the test hears of it, and the station goes on
            self._tasks.refused.append(error)
        finally:
            with self._lock:
                self._serving.discard(state)

    def _answer(self, state: str, token: str, text: str) -> None:
        given = Payload.of_text(text)
        project = self._start.project
        # The task may come before StartExecution has told the ARN; what a name is short for is the project's.
        here = execution_arn(project.region, project.account, self.machine_name, self.name)
        call = TaskCall(
            resource=self._stationed[state].resource,
            input=given,
            key=f"{here}:{sha256(token.encode()).hexdigest()}",
            attempt=0,
            deadline=None,
            execution=here,
            state=state,
            heartbeat=lambda: self._report("send_task_heartbeat", taskToken=token),
        )
        try:
            output = asyncio.run(self._output(call))
        except StatesError as error:
            told = {"error": error.error, "cause": error.cause}
            present = {name: value for name, value in told.items() if value is not None}
            self._report("send_task_failure", taskToken=token, **present)
            return
        except Exception as error:  # noqa: BLE001  the test hears of it, and not the station
            self._tasks.refused.append(error)
            self._report("send_task_failure", taskToken=token, error="States.Runtime", cause=str(error))
            return
        if isinstance(output, Payload):
            self._report("send_task_success", taskToken=token, output=output.text)
            return
        with self._lock:
            self._left.append(TargetTask(state, token, given.value, self._send))

    async def _output(self, call: TaskCall) -> Payload | Any:
        answer = await self._tasks.find(call)
        return PENDING if answer is None else await answer(call)

    def _report(self, operation: str, **told: str) -> None:
        """Report, unless the task is over: it has timed out, or its execution has ended."""
        try:
            with explained(f"report a task of {self.name}"):
                getattr(self._states, operation)(**told)
        except AwsError as error:
            if error_code(error) not in {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}:
                self._tasks.refused.append(error)

    def _send(self, task: TargetTask, operation: str, **told: str) -> None:
        """What the test answers."""
        with explained(f"answer the task of {task.state}"):
            getattr(self._states, operation)(taskToken=task.token, **told)
        if operation != "send_task_heartbeat":
            with self._lock:
                self._left.remove(task)
        self._pass(to_end=False)
