"""The same work done otherwise, with figures that were worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.costing.cost import cost_json, cost_of
from asl_engine.costing.models import Pricing
from asl_engine.costing.prices import price_table
from asl_engine.costing.report import comparison_tables, cost_markdown
from asl_engine.costing.usage import FunctionFigures, FunctionTable
from asl_engine.resources.concurrency import THROTTLED
from asl_engine.testing import fails
from tests.cli.conftest import project
from tests.cli.project import machine, task
from tests.costing.runs import run

if TYPE_CHECKING:
    from asl_engine.costing.cost import Cost
    from tests.cli.project import Project

__all__ = ["project"]  # the fixture

# No free units, so that each figure is a product.
BARE = Pricing(price_table(), 1_000_000, free_tier=False)
RETRY = [{"ErrorEquals": [THROTTLED], "IntervalSeconds": 1, "MaxAttempts": 3}]
ITEM = machine(W=task("work", Retry=RETRY))
X86, ARM = 0.0000166667, 0.0000133334


def priced(figures: FunctionFigures, tasks: Any = None, batch: int | None = 10) -> Cost:
    done = run(ITEM, {}, tasks or {"work": 1})
    return cost_of(done.logs, done.status, FunctionTable({"work": figures}, measured=False), BARE, batch=batch)


def test_memory_and_architecture() -> None:
    comparison = priced(FunctionFigures(200, 512, arm=False)).comparison
    assert comparison is not None
    sizes = {one.memory: one for one in comparison.sizes}
    assert [memory for memory, one in sizes.items() if one.is_now] == [512]
    # A million calls of 0.2 s with half a GB are 100,000 GB-seconds.
    assert sizes[512].x86 == pytest.approx(100_000 * X86)
    assert sizes[512].arm == pytest.approx(100_000 * ARM)
    assert sizes[1024].arm == pytest.approx(200_000 * ARM)
    # With as much memory, a call on arm64 may take a quarter longer; with twice as much, half of that.
    assert sizes[512].even == pytest.approx(250, rel=1e-4)
    assert sizes[1024].even == pytest.approx(125, rel=1e-4)


def test_a_memory_of_one_s_own_has_its_row() -> None:
    comparison = priced(FunctionFigures(200, 777)).comparison
    assert comparison is not None
    assert [one.memory for one in comparison.sizes] == [128, 256, 512, 777, 1024, 1769, 3008]


def test_a_task_a_queue_and_a_map() -> None:
    comparison = priced(FunctionFigures(200, 512, arm=True)).comparison
    assert comparison is not None
    ways = {one.name: one for one in comparison.ways}
    compute = 100_000 * ARM  # as much in each way: ten items take ten times as long
    months = {
        "a Task for each item": 0.20 + compute + 25.00,
        # sent, received and deleted one by one
        "a queue, one message a call": 0.20 + compute + 3 * 0.40,
        "a queue, batches of 10": 0.02 + compute + 1.2 * 0.40,
        # 100,000 Express children of two seconds, with 64 MB
        "a distributed Map, ItemBatcher of 10, Express children": 0.02
        + compute
        + 0.10
        + 100_000 * 2 / 3600 / 16 * 0.06,
    }
    assert {name: one.month for name, one in ways.items()} == pytest.approx(months)
    assert ways["a queue, batches of 10"].calls == 0.1


def test_more_messages_than_a_request_takes_are_received_in_several() -> None:
    comparison = priced(FunctionFigures(1, 128), batch=100).comparison
    assert comparison is not None
    way = next(one for one in comparison.ways if one.name == "a queue, batches of 100")
    assert next(line for line in way.lines if line.price == "sqs-requests").quantity == pytest.approx(1.2)


def test_what_was_throttled_has_not_been_called() -> None:
    cost = priced(FunctionFigures(200, 512), {"work": [fails(THROTTLED), fails(THROTTLED), 1]})
    standard = cost.estimates[0]
    assert next(line for line in standard.lines if line.price == "lambda-requests").quantity == 1


def test_what_is_not_known_is_not_compared() -> None:
    comparison = priced(FunctionFigures(200, None)).comparison
    assert comparison is not None
    assert (comparison.sizes, comparison.ways) == ([], [])
    assert comparison_tables(priced(FunctionFigures(200, 512), batch=None)) == []


def test_json_and_markdown_have_it() -> None:
    cost = priced(FunctionFigures(200, 512, arm=True))
    shown = json.loads(json.dumps(cost_json(cost)))["comparison"]
    assert shown["sizes"][2] == {
        "function": "work",
        "memory": 512,
        "now": True,
        "perMonth": {"x86_64": 1.66667, "arm64": 1.33334},
        "evenMilliseconds": 200.0,
    }
    assert [one["calls"] for one in shown["ways"]] == [1, 1, 0.1, 0.1]
    assert "#### Other sizes" in cost_markdown(cost)
    assert "#### Other ways" in cost_markdown(cost)


def test_the_command(project: Project) -> None:
    path = project.define("m", machine(W=task("double")))
    arguments = ("cost", path, "--input", '{"n": 1}', "--function", "double=100ms")
    assert "a queue" not in project.asl(*arguments).out
    told = project.asl(*arguments, "--compare", "--batch", "4").out
    assert "a queue, batches of 4" in told
    assert "256 MB (now)" in told
    refused = project.asl(*arguments, "--compare", "--batch", "0")
    assert (refused.code, "--batch 0: it is at least 1" in refused.err) == (2, True)
