"""A run stops where it waits; then the test moves time, or answers for somebody outside."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from asl_engine.errors import InvalidInput
from asl_engine.testing import Workflow, returns, waits
from asl_engine.testing.workflow_run import StillWaiting
from tests.testing.machines import ASK, EACH, FUNCTION, MESSAGE, PACK, RETRY, machine, task

NAP = machine(
    Nap={"Type": "Wait", "Seconds": 7200, "Next": "Work"},
    Work=task(),
)
APPROVAL = machine(
    Ask=task(
        ASK,
        Parameters=MESSAGE,
        HeartbeatSeconds=60,
        TimeoutSeconds=300,
        Next="Done",
        Catch=[{"ErrorEquals": ["States.Timeout", "Refused"], "ResultPath": "$.error", "Next": "Late"}],
    ),
    Done={"Type": "Succeed"},
    Late={"Type": "Succeed"},
)


def test_time_stands_still_until_it_is_moved() -> None:
    with Workflow(NAP, {"work": 1}) as workflow:
        run = workflow.start()
        run.assert_running().assert_waits_for("Nap")
        assert [str(one) for one in run.waits_for] == ["Nap: the time until 2024-01-01 02:00:00.000"]
        run.clock.advance("1h 59m")
        run.assert_running()
        run.clock.advance("1m")
        run.assert_succeeded(1)
        run.clock.advance("1h")
        assert run.clock.now.isoformat() == "2024-01-01T03:00:00+00:00"


def test_the_clock_is_set_forward_and_not_back() -> None:
    with Workflow(NAP, {"work": 1}, now="2030-05-01T10:00:00+02:00") as workflow:
        run = workflow.start()
        with pytest.raises(InvalidInput, match="has gone by: it is 2030-05-01T08:00:00"):
            run.clock.set("2030-05-01T07:59:59Z")
        run.clock.set("2030-05-01T10:00:00Z")
        run.assert_succeeded(1)
        with pytest.raises(InvalidInput, match="is no moment"):
            run.clock.set("tomorrow")


def test_the_whole_path_has_the_times_that_were_played() -> None:
    run = Workflow(NAP, {"work": returns(1, after="40s")}).run()
    assert [event["timestamp"][11:19] for event in run.history if event["type"].startswith("Lambda")] == [
        "02:00:00",
        "02:00:00",
        "02:00:40",
    ]


@pytest.mark.parametrize(("after", "error"), [("9s", None), ("10s", "States.Timeout"), ("40s", "States.Timeout")])
@pytest.mark.parametrize("resource", [f"{FUNCTION}work", PACK, ASK])
def test_an_answer_that_takes_too_long_times_out(resource: str, after: str, error: str | None) -> None:
    run = Workflow(
        machine(Work=task(resource, TimeoutSeconds=10, **({"Parameters": MESSAGE} if resource is ASK else {}))),
        {"Work": returns(1, after=after)},
    ).run({})
    assert run.error == error
    assert run.output == (1 if error is None else None)


def test_a_callable_that_is_silent_misses_its_heartbeats() -> None:
    run = Workflow(machine(Work=task(HeartbeatSeconds=5)), {"Work": returns(1, after="6s")}).run()
    run.assert_failed("States.Timeout").state("Work").assert_attempts(1)


def test_the_test_answers_a_task_token() -> None:
    with Workflow(APPROVAL) as workflow:
        run = workflow.start({"n": 1})
        asked = run.task("Ask")
        assert asked.input == {"QueueUrl": "q", "MessageBody": {"token": asked.token}}
        run.clock.advance("59s")
        asked.heartbeat()
        run.clock.advance("59s")
        run.assert_waits_for("Ask")
        asked.succeed({"ok": True})
        run.assert_succeeded({"ok": True}).assert_path("Ask", "Done")


def test_a_token_that_nobody_answers_times_out() -> None:
    with Workflow(APPROVAL) as workflow:
        run = workflow.start({})
        run.clock.advance("60s")
        run.assert_path("Ask", "Late").state("Ask").assert_caught("States.Timeout", next="Late")
    run = workflow.run({})
    assert run.clock.now.isoformat() == "2024-01-01T00:01:00+00:00"


def test_the_test_fails_a_task() -> None:
    with Workflow(APPROVAL) as workflow:
        run = workflow.start({})
        run.task("Ask").fail("Refused", "not today")
        run.assert_succeeded({"error": {"Error": "Refused", "Cause": "not today"}})
        with pytest.raises(
            InvalidInput, match="no tasks of 'Ask' wait for an answer; the run waits for\n  nothing"
        ):
            run.task("Ask")


def test_a_job_waits_for_its_end_and_may_be_answered() -> None:
    job = machine(
        Job=task("arn:aws:states:::ecs:runTask.sync", Parameters={"Cluster": "c", "TaskDefinition": "t"})
    )
    with Workflow(job, {"Job": waits()}) as workflow:
        run = workflow.start({})
        assert [str(one) for one in run.waits_for] == ["Job: an answer with its task token"]
        assert repr(run.task("Job")) == "<task of 'Job', attempt 0>"
        run.task("Job").succeed({"done": True})
        run.assert_succeeded({"done": True})


def test_a_moment_may_be_a_datetime() -> None:
    with Workflow(NAP, {"work": 1}, now=datetime(2030, 1, 1, tzinfo=UTC)) as workflow:
        run = workflow.start()
        run.clock.set(datetime(2030, 1, 1, 2, tzinfo=UTC))
        run.assert_succeeded(1)
    with pytest.raises(InvalidInput, match=r"now: .* a datetime with a time zone"):
        Workflow(NAP, now=datetime(2030, 1, 1))  # noqa: DTZ001  that is the test


def test_what_runs_is_told_too() -> None:
    with Workflow(machine(Work=task()), {"work": returns(1, after="5s")}) as workflow:
        run = workflow.start({})
        assert [str(one) for one in run.waits_for] == ["Work: its task, which runs"]
        assert run.tasks("Work") == []
        run.clock.advance(5)
        run.assert_succeeded(1).stop().assert_succeeded(1)


def test_an_answer_that_comes_too_late_is_refused() -> None:
    with Workflow(APPROVAL) as workflow:
        run = workflow.start({})
        task_of_ask = run.task("Ask")
        run.clock.advance("5m")
        with pytest.raises(InvalidInput, match="does not wait any more"):
            task_of_ask.succeed({})


def test_the_test_works_as_a_worker() -> None:
    with Workflow(
        machine(Pack=task(PACK, TimeoutSeconds=30, Retry=[{"ErrorEquals": ["States.ALL"]}]))
    ) as workflow:
        run = workflow.start({"n": 1})
        assert [str(one) for one in run.waits_for] == ["Pack: a worker"]
        run.clock.advance("1h")  # nobody has taken it: no time is counted
        run.task("Pack").take("ada")
        run.clock.advance("31s")
        run.state("Pack").assert_attempts(2, delays=[1])
        run.task("Pack").succeed("packed")
        run.assert_succeeded("packed")


def test_the_iterations_of_a_map_wait_each_for_itself() -> None:
    with Workflow(machine(Each=EACH), {"one": waits()}) as workflow:
        run = workflow.start(["a", "b"])
        with pytest.raises(InvalidInput, match=r"2 tasks of 'One' wait for an answer: take one of run.tasks"):
            run.task("One")
        for one in run.tasks("One"):
            one.succeed(one.input * 2)
        run.assert_succeeded(["aa", "bb"])


def test_a_list_leaves_some_answers_to_the_test() -> None:
    with Workflow(machine(Pack=task(PACK, Retry=RETRY)), {"pack": [waits(), returns(2)]}) as workflow:
        run = workflow.start({})
        run.task("Pack").fail("E")
        run.assert_waits_for("Pack")
        assert [one.what for one in run.waits_for] == ["the next attempt"]
        run.finish().assert_succeeded(2)


def test_a_run_that_cannot_end_by_itself_says_what_it_waits_for() -> None:
    with Workflow(machine(Pack=task(PACK))) as workflow:
        with pytest.raises(StillWaiting) as raised:
            workflow.run({})
        assert "the execution does not end by itself, it waits for\n  Pack: a worker\n" in str(raised.value)
        assert "└─ Pack: not left" in str(raised.value)
        workflow.runs[0].task("Pack").succeed(1)
        workflow.runs[0].assert_succeeded(1)


def test_a_run_is_stopped() -> None:
    with Workflow(NAP, {"work": 1}) as workflow:
        workflow.start().stop("Enough", "of it").assert_aborted("Enough", "of it").assert_path("Nap")


def test_what_has_not_ended_is_left_as_it_is() -> None:
    with Workflow(NAP, {"work": 1}) as workflow:
        run = workflow.start()
    run.assert_running()
    run.clock.advance("3h")
    run.assert_running()


def test_a_workflow_is_not_driven_from_a_coroutine() -> None:
    async def test() -> Any:
        return Workflow(NAP, {"work": 1}).run()

    with pytest.raises(RuntimeError, match="use it from a plain function, not from a coroutine"):
        asyncio.run(test())
