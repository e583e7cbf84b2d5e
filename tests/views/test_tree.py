"""An execution as a tree of states."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.views.marks import execution_graph, execution_overlay, recorded_machine
from asl_engine.views.timeline import timeline
from asl_engine.views.tree import tree
from tests.core.steps import catch, each, parallel, retry, scope, state, task, wait
from tests.graph.machines import DISTRIBUTED
from tests.views.accounts import account_of, plain

EXPRESS = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
RETRIED = scope(
    First=state("Pass", Next="Pay"),
    Pay=task(Retry=retry(IntervalSeconds=2, MaxAttempts=2), Catch=catch("Sorry", "F"), Next="Last"),
    Last=state("Pass"),
    Sorry=state("Fail", Error="G", Cause="gave up"),
)
TREES: dict[str, tuple[dict[str, Any], Any, str]] = {
    "what went well": (
        scope(Do=task(Next="Rest"), Rest=wait(90)),
        None,
        """\
m  one  SUCCEEDED in 1 min 31 s
├─ ✓ Do        1.00 s
└─ ✓ Rest  1 min 30 s""",
    ),
    "attempts": (
        scope(Pay=RETRIED["States"]["Pay"] | {"Next": "Last"}, Last=state("Pass"), Sorry=state("Pass")),
        {"fails": ["E", "E"]},
        """\
m  one  SUCCEEDED in 9.00 s
├─ ✓ Pay   9.00 s  3 attempts
│     attempt 1 E: as asked, tried again after 2.00 s
│     attempt 2 E: as asked, tried again after 4.00 s
│     attempt 3 f took 1.00 s
└─ ✓ Last  0.00 s""",
    ),
    "a failure that is caught": (
        RETRIED,
        {"fails": ["F"]},
        """\
m  one  FAILED in 1.00 s
├─ ✓ First  0.00 s
├─ ! Pay    1.00 s  F caught, on to Sorry
│     F: as asked
└─ ✗ Sorry  0.00 s
      G: gave up
G: gave up""",
    ),
    "branches": (
        scope(Both=parallel(scope(A=task()), scope(B=wait(3)), Next="End"), End=state("Succeed")),
        None,
        """\
m  one  SUCCEEDED in 3.00 s
├─ ✓ Both   3.00 s
│  branch 0  1.00 s
│  └─ ✓ A   1.00 s
│  branch 1  3.00 s
│  └─ ✓ B   3.00 s
└─ ✓ End    0.00 s""",
    ),
    "iterations are folded beyond a few, and those that failed are not": (
        scope(Each=each(scope(Item=task(Catch=catch("Sorry", "Never")), Sorry=state("Pass")), MaxConcurrency=1)),
        [1, 2, 3, 4, 5, "bad", 7],
        """\
m  one  FAILED in 6.00 s
└─ ✗ Each          6.00 s
      Bad: as asked
   iteration 0     1.00 s
   └─ ✓ Item       1.00 s
   iteration 1     1.00 s
   └─ ✓ Item       1.00 s
   iteration 2     1.00 s
   └─ ✓ Item       1.00 s
   iteration 5     1.00 s  failed
   └─ ✗ Item       1.00 s
         Bad: as asked
   … and 2 more: 2 succeeded
Bad: as asked""",
    ),
}


def unaligned(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


@pytest.mark.parametrize(("definition", "data", "shown"), TREES.values(), ids=TREES)
def test_a_tree(definition: dict[str, Any], data: Any, shown: str) -> None:
    assert unaligned(plain(tree(account_of(definition, data)))) == unaligned(shown)


def test_durations_end_in_one_column() -> None:
    lines = plain(tree(account_of(TREES["what went well"][0]))).splitlines()[1:]
    assert lines == ["├─ ✓ Do        1.00 s", "└─ ✓ Rest  1 min 30 s"]


def test_colours_say_how_a_state_fared() -> None:
    rows = [*tree(account_of(RETRIED, {"fails": ["E", "F"]}))]
    styles = {piece.text.strip(): piece.style for row in rows for piece in row}
    assert styles["FAILED"] == "bold red"
    assert (styles["✓"], styles["✗"], styles["G: gave up"]) == ("green", "red", "red")


def test_what_is_under_way() -> None:
    account = account_of(scope(Do=task(Next="Rest"), Rest=wait(90)), still=True, passed=5000)
    title, _, rest = plain(tree(account)).splitlines()
    assert title == "m  one  RUNNING for 6.00 s"
    assert rest.split()[1:6] == ["…", "Rest", "5.00", "s", "waits"]
    assert rest.endswith("UTC")


def test_a_retry_that_is_under_way() -> None:
    lines = plain(tree(account_of(RETRIED, {"fails": ["E", "E"]}, still=True))).splitlines()
    assert lines[2].split()[:3] == ["└─", "…", "Pay"]
    assert "retried at" in lines[2]


def test_a_redrive_goes_on_in_the_same_state() -> None:
    """And the minute in which nobody had redriven it yet is no time of the execution's."""
    account = account_of(scope(Do=task(Next="Pay"), Pay=task()), {"fails": ["E", "E"]}, redriven=True)
    assert plain(tree(account)).splitlines() == [
        "m  one  FAILED in 2.00 s, redriven",
        "└─ ✗ Do  2.00 s  2 attempts",
        "      attempt 1 E: as asked, then redriven",
        "      attempt 2 E: as asked",
        "E: as asked",
    ]


def test_a_branch_that_was_redriven() -> None:
    both = parallel(scope(A=task()), scope(B=wait(3, Next="C"), C=task()))
    account = account_of(scope(Both=both), {"fails": ["E"]}, redriven=True)
    lines = plain(tree(account)).splitlines()
    assert lines[0] == "m  one  SUCCEEDED in 5.00 s, redriven"
    assert [line.split()[0:4] for line in lines if "branch" in line] == [
        ["branch", "0", "2.00", "s"],
        ["branch", "1", "5.00", "s"],
    ]
    assert "✗" not in "".join(lines)


def distributed(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return each({**processor, "ProcessorConfig": DISTRIBUTED}, Label="each", **fields)


def test_children_of_a_map_run() -> None:
    machine = scope(Each=distributed(scope(Item=task()), MaxConcurrency=1, ToleratedFailureCount=5))
    lines = plain(tree(account_of(machine, [1, 2, 3, 4, 5, "bad", 7]))).splitlines()
    assert lines[1].split()[1:3] == ["✓", "Each"]
    children = [line for line in lines if "child" in line]
    assert [line.split()[-1] for line in children] == ["s", "s", "s", "failed"]
    assert lines[-1].strip() == "… and 3 more: 3 succeeded"


def test_an_express_child_of_which_only_the_ends_are_kept() -> None:
    processor = {**scope(Item=state("Fail", Error="E", Cause="so")), "ProcessorConfig": EXPRESS}
    account = account_of(scope(Each=each(processor, Label="each", ToleratedFailureCount=9)), [1])
    assert plain(tree(account)).splitlines()[-1].strip().endswith("failed with E: so")
    machine = recorded_machine(account)
    overlay = execution_overlay(account, execution_graph(account, machine), machine)
    assert overlay.uncounted == 1
    assert set(overlay.marks) == {"/States/Each"}


def test_of_many_children_a_few_are_read() -> None:
    machine = scope(Each=distributed(scope(Item=state("Pass"))))
    account = account_of(machine, [*range(40)], children=5)
    assert len(account.logs) == 1 + 5
    assert plain(tree(account)).splitlines()[-1].strip() == "… and 37 more: 37 succeeded"


def test_what_a_terminal_could_take_for_a_command_is_written_out() -> None:
    machine = scope(**{"a\x1b[31m": state("Fail", Error="E\x07", Cause="two\nlines")})
    text = plain(tree(account_of(machine)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.splitlines()[-1] == "E\\x07: two\\nlines"


def test_the_cause_of_the_end_is_told_whole() -> None:
    cause = f"{'so be it ' * 30}at the end"
    account = account_of(scope(F=state("Fail", Error="E", Cause=cause)))
    lines = plain(tree(account)).splitlines()
    assert lines[-1] == f"E: {cause}"
    assert lines[-2].endswith("…")  # of the state, in the tree
    assert plain(timeline(account, 80)).splitlines()[-1] == f"E: {cause}"
