"""Project tasks in processes of their own: the same answers, the same failures, the same context."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine import task
from asl_engine.errors import StatesError
from asl_engine.project.configuration import find_project
from asl_engine.project.setup import project_tasks
from asl_engine.resources.processes import exit_words
from asl_engine.resources.python.context import InvokeOptions
from asl_engine.resources.python.isolation import TaskOptions, options_of
from asl_engine.resources.python.tasks import python_resource
from tests.cli.project import wait_for
from tests.processes import has_ended
from tests.resources.calls import EXECUTION, a_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from asl_engine.resources import TaskCall
    from asl_engine.resources.python.registry import Registry

TASKS = """
import asyncio, os, stat, sys, threading
from contextlib import suppress
from asl_engine import StatesError, task

calls = 0


@task
def count(event, context):
    global calls
    calls += 1
    print("a word")
    return {"calls": calls, "event": event, "pid": os.getpid()}


@task
async def wait(event, context):
    context.heartbeat()
    threading.Thread(target=context.heartbeat).start()
    await asyncio.sleep(0)
    return {"loop": id(asyncio.get_running_loop()), "pid": os.getpid()}


@task("tellAll")
def tell_all(event, context):
    return {
        "key": context.idempotency_key, "attempt": context.attempt, "name": context.function_name,
        "execution": context.execution_arn, "state": context.state_name, "deadline": context.deadline,
        "request": context.aws_request_id, "arn": context.invoked_function_arn, "tenant": context.tenant_id,
        "custom": context.client_context and context.client_context.custom,
    }


@task
def fail(event):
    try:
        raise KeyError("a")
    except KeyError as error:
        raise ValueError("ü") from error


@task
def refuse(event):
    raise StatesError("Card.Declined", None)


@task
def unfit(event):
    return {"items": [1, {2}]}


@task
def leave(event):
    sys.exit(7)


@task
def die(event):
    os._exit(int(event))


@task
def fork_and_die(event):
    child = os.fork()
    if child == 0:
        threading.Event().wait()
    open(event["child"], "w").write(str(child))
    os._exit(5)


@task
def close_pipes(event):
    for number in range(3, 64):
        with suppress(OSError):
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                os.close(number)
    threading.Event().wait()


@task
def hang(event, context):
    context.heartbeat()
    threading.Event().wait()
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    import sys

    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "tasks.py").write_text(TASKS)
    (tmp_path / "asl.toml").write_text('isolation = "process"\ntasks = "apart"\n')
    found = project_tasks(find_project(tmp_path, {}))
    yield found
    assert found.isolation is not None
    found.isolation.close()
    for name in [name for name in sys.modules if name.split(".")[0] == "apart"]:
        del sys.modules[name]


def resource(registry: Registry, name: str, invoke_options: InvokeOptions | None = None) -> Any:
    function = registry.find(name)
    assert function is not None
    return python_resource(function, name, registry.isolation, invoke_options or InvokeOptions())


def answers(registry: Registry, name: str, *calls: TaskCall) -> list[Any]:
    async def main() -> list[Any]:
        return [(await resource(registry, name)(call)).value for call in calls]

    return asyncio.run(main())


def failure(registry: Registry, name: str, event: Any = None) -> StatesError:
    with pytest.raises(StatesError) as caught:
        answers(registry, name, a_call(name, event))
    return caught.value


def test_a_process_takes_one_call_after_the_other(registry: Registry, capfd: Any) -> None:
    first, second = answers(registry, "count", a_call("count", {"n": "ü\n"}), a_call("count", [2]))
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"] != os.getpid()
    assert (first["event"], second["event"]) == ({"n": "ü\n"}, [2])
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "a word\na word\n")


def test_an_async_task_keeps_its_event_loop_and_any_thread_may_beat(registry: Registry) -> None:
    beats: list[int] = []
    call = a_call("wait", {})._replace(heartbeat=lambda: beats.append(1))
    first, second = answers(registry, "wait", call, call)
    assert first == second
    assert len(beats) == 4


def test_calls_at_the_same_time_have_a_process_each(registry: Registry) -> None:
    async def main() -> list[Any]:
        calls = [resource(registry, "count")(a_call("count", number)) for number in range(6)]
        return [answer.value for answer in await asyncio.gather(*calls)]

    found = asyncio.run(main())
    assert [answer["event"] for answer in found] == [*range(6)]
    assert len({answer["pid"] for answer in found}) == 6
    again = answers(registry, "count", a_call("count", 6))
    assert again[0]["pid"] in {answer["pid"] for answer in found}  # some are kept


def test_the_context_is_the_same_there_as_here(registry: Registry) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:tell-all:3"
    call = a_call(arn, {})._replace(attempt=2, deadline=9_000)
    invoke_options = InvokeOptions({"custom": {"a": 1}}, "blue")

    async def main(isolated: bool) -> Any:
        function = registry.find("tell-all")
        assert function is not None
        isolation = registry.isolation if isolated else None
        return (await python_resource(function, "tell-all", isolation, invoke_options)(call)).value

    there, here = asyncio.run(main(True)), asyncio.run(main(False))
    assert there == here
    assert (there["key"], there["execution"], there["arn"]) == (call.key, EXECUTION, arn)
    assert (there["attempt"], there["deadline"], there["tenant"], there["custom"]) == (2, 9_000, "blue", {"a": 1})


@pytest.mark.parametrize("name", ["fail", "refuse", "unfit", "leave"])
def test_a_failure_is_the_same_there_as_here(registry: Registry, name: str) -> None:
    there = failure(registry, name)
    registry.isolation, isolation = None, registry.isolation
    here = failure(registry, name)
    registry.isolation = isolation
    assert (there.error, there.cause) == (here.error, here.cause)


@pytest.mark.parametrize(("name", "status"), [("die", 3), ("die", 0), ("close_pipes", -9)])
def test_a_task_that_ends_its_process_fails_alone(
    registry: Registry, name: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        found = failure(registry, name, status)
        assert found.error == "Runtime.ExitError"
        assert json.loads(found.cause or "")["errorMessage"].endswith(f" Error: {exit_words(status)}")
    assert f"{EXECUTION}: the task {name} of the state S ended its process: " in caplog.text
    assert answers(registry, "count", a_call("count", 1))[0]["calls"] == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_what_it_has_started_does_not_outlive_it(registry: Registry, tmp_path: Path) -> None:
    found = failure(registry, "fork_and_die", {"child": str(tmp_path / "child")})
    assert (found.cause or "").endswith(f'{exit_words(5)}"}}')
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: has_ended(child))


def test_a_process_that_ended_while_it_had_nothing_to_do_is_replaced(registry: Registry) -> None:
    (first,) = answers(registry, "count", a_call("count", 1))
    assert registry.isolation is not None
    (idle,) = registry.isolation._processes.idle
    os.kill(first["pid"], 9)
    assert idle._made is not None
    idle._made.wait()
    (second,) = answers(registry, "count", a_call("count", 1))
    assert second["pid"] != first["pid"]


def test_one_that_is_given_up_is_killed(registry: Registry) -> None:
    async def main() -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def beat() -> None:
            loop.call_soon_threadsafe(begun.set)

        call = a_call("hang", {})._replace(heartbeat=beat)
        task = asyncio.ensure_future(resource(registry, "hang")(call))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert registry.isolation is not None
    assert registry.isolation._processes.idle == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.write_text("def other(event): ..."), "there is no task callable 'count' any more"),
        (lambda file: file.write_text("1 / 0"), "tasks.py:1: cannot import the tasks: ZeroDivisionError"),
    ],
)
def test_files_that_are_not_what_they_were(
    registry: Registry, tmp_path: Path, change: Callable[[Path], Any], message: str
) -> None:
    change(tmp_path / "apart" / "tasks.py")
    found = failure(registry, "count")
    assert found.error == "Runtime.ImportModuleError"
    assert message in json.loads(found.cause or "")["errorMessage"]


@pytest.mark.parametrize(
    ("mode", "options", "deaths", "apart"),
    [
        ("none", TaskOptions(), 0, False),
        ("none", TaskOptions(), 1, True),  # the next would be the second, and the last
        ("none", TaskOptions(max_deaths=3), 1, False),
        ("none", TaskOptions(max_deaths=3), 2, True),
        ("none", TaskOptions(max_deaths=1), 0, True),
        ("none", TaskOptions(isolation="process"), 0, True),
        ("process", TaskOptions(), 0, True),
        ("process", TaskOptions(isolation="none"), 0, False),
        ("process", TaskOptions(isolation="none"), 1, True),
    ],
)
def test_who_has_a_process_of_its_own(
    tmp_path: Path, mode: str, options: TaskOptions, deaths: int, apart: bool
) -> None:
    (tmp_path / "asl.toml").write_text(f'isolation = "{mode}"\n')
    isolation = project_tasks(find_project(tmp_path, {})).isolation
    assert isolation is not None
    assert isolation.wants_apart("f", options, a_call("f", {})._replace(deaths=deaths)) is apart


def test_the_engines_of_a_process_share_what_they_know_of_culprits(registry: Registry, tmp_path: Path) -> None:
    """`asl resume --all` has an engine for each execution."""
    (tmp_path / "asl.toml").write_text('tasks = "apart"\n')
    one, other = (project_tasks(find_project(tmp_path, {})).isolation for _ in range(2))
    assert one is not None
    assert other is one
    call = a_call("die", 3)
    assert not other.wants_apart("die", TaskOptions(), call)

    async def main() -> None:
        with pytest.raises(StatesError):
            await one.call("die", call, InvokeOptions())

    asyncio.run(main())
    assert other.wants_apart("Die", TaskOptions(), call)  # a function's name in another form
    assert registry.isolation is not one  # that of other settings


def test_of_many_suspects_a_few_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    isolation = project_tasks(find_project(tmp_path, {})).isolation
    assert isolation is not None
    for number in range(30):
        assert isolation.wants_apart(f"f{number}", TaskOptions(), a_call("f", {})._replace(deaths=1))
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 11
    assert told[0] == f"{EXECUTION}: the process ended while the task f0 of the state S ran (1 of at most 2 times)"
    assert told[10] == "more tasks ran when the process ended: `asl show` tells of each execution"


def test_what_task_says() -> None:
    @task("one", isolation="process", max_deaths=4)
    def one(event: Any) -> Any:
        return event

    assert options_of(one) == TaskOptions("process", 4)
    assert options_of(lambda event: event) == TaskOptions()
    with pytest.raises(ValueError, match="isolation is one of 'none', 'process', not 'thread'"):
        task(isolation="thread")
    with pytest.raises(ValueError, match="max_deaths is at least 1, not 0"):
        task(max_deaths=0)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-6, "Runtime exited with error: signal: aborted"),
        (-63, "Runtime exited with error: signal: signal 63"),
    ],
)
def test_how_a_process_ended_in_the_words_of_lambda(status: int, words: str) -> None:
    assert exit_words(status) == words
