"""An execution as a waterfall."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from asl_engine.graph.text import columns
from asl_engine.payload import Payload
from asl_engine.projections.moments import iso
from asl_engine.views.timeline import Bar, Scale, shortened, timeline, timeline_json, timeline_rows
from asl_engine.visits.reading import Attempt, Visit
from tests.core.steps import each, parallel, retry, scope, state, task, wait
from tests.testing.machines import PACK
from tests.views.accounts import account_of, plain

PAY = scope(Pay=task(Retry=retry(IntervalSeconds=2, MaxAttempts=3), Next="Rest"), Rest=wait(4))
MAP = scope(
    Both=parallel(scope(A=task()), scope(Each=each(scope(Item=task()), MaxConcurrency=1)), Next="End"),
    End=state("Pass"),
)


def test_attempts_back_off_and_waiting() -> None:
    assert plain(timeline(account_of(PAY, {"fails": ["E", "E"]}), 55)).splitlines() == [
        "m  one  SUCCEEDED in 13.0 s",
        "        0                   6.50 s       13.0 s",
        "✓ Pay   ▒▒▒//////▒▒▒////////////███              9.00 s",
        "✓ Rest                             ············  4.00 s",
        "        ██ work  ▒▒ failed  // back-off  ·· waiting",
    ]


def test_maps_are_folded() -> None:
    lines = plain(timeline(account_of(MAP, [1, 2, 3, 4, 5]), 70)).splitlines()
    assert [line.split("  ")[0] if line[0] != " " else line.split()[0] for line in lines[2:-1]] == [
        "✓ Both",
        "branch",
        "✓",
        "branch",
        "✓",
        *["iteration", "✓"] * 3,
        "…",
        "✓ End",
    ]
    assert "… and 2 more: 2 suc…" in lines[-3]
    assert "2.00 s" in lines[-3]


def test_the_time_before_a_redrive_is_cut_out() -> None:
    account = account_of(scope(Do=task(Next="Pay"), Pay=task()), {"fails": ["E"]}, redriven=True)
    assert plain(timeline(account, 50)).splitlines()[1:4] == [
        "       0                 1.50 s     3.00 s",
        "✓ Do   ▒▒▒▒▒▒▒▒▒▒▒▒███████████              2.00 s",
        "✓ Pay                         ████████████  1.00 s",
    ]
    scale = Scale(account)
    assert scale.at(account.began) == 0
    assert scale.at(account.began + 1000) == scale.at(account.began + 31_000) == scale.at(account.began + 61_000)
    assert scale.at(account.until) == 1


def test_what_is_under_way_ends_now() -> None:
    account = account_of(scope(Do=task(Next="Rest"), Rest=wait(90)), still=True, passed=5000)
    lines = plain(timeline(account, 60)).splitlines()
    assert lines[0] == "m  one  RUNNING for 6.00 s"
    assert lines[3].split() == ["…", "Rest", "·" * 37, "5.00", "s"]


def test_a_retry_that_is_waited_for_is_hatched() -> None:
    account = account_of(PAY, {"fails": ["E"]}, still=True, passed=1500)
    (row,) = timeline_rows(account)
    assert [(bar.kind, bar.end - bar.begin) for bar in row.bars] == [("failed", 1000), ("backoff", 1500)]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    name = "A state with a name of nearly eighty characters, as AWS allows it, and with 家族"
    account = account_of(scope(**{name: task(Next="B")}, B=wait(3000)))
    rows = plain(timeline(account, width)).splitlines()
    assert max(map(columns, rows[1:])) <= width
    assert width < 80 or max(map(columns, rows[1:-1])) == width


def moments(attempt: Attempt) -> list[tuple[str, int, int]]:
    """The bars of a Task state that was entered at 0 and left at 100."""
    visit = Visit("T", "Task", Payload({}), {}, entered=0, attempts=[attempt], ended=100, exited=True)
    account = replace(account_of(scope(T=state("Pass"))), visits=[visit])
    (row,) = timeline_rows(account)
    return [(bar.kind, bar.begin, bar.end) for bar in row.bars]


ATTEMPTS: dict[str, tuple[Attempt, list[tuple[str, int, int]]]] = {
    "an activity waits for a worker": (
        Attempt(resource=PACK, scheduled=0, started=40, ended=90),
        [("waiting", 0, 40), ("work", 40, 90)],
    ),
    "that has not come yet": (Attempt(resource=PACK, scheduled=0), [("waiting", 0, 100)]),
    "a callback is waited for": (
        Attempt(resource="r", scheduled=0, started=1, submitted=30, ended=90),
        [("work", 0, 30), ("waiting", 30, 90)],
    ),
    "in vain": (
        Attempt(resource="r", scheduled=0, started=1, submitted=30, ended=90, failed=True),
        [("work", 0, 30), ("waiting", 30, 90), ("failed", 90, 90)],
    ),
    "a task has failed": (Attempt(resource="r", scheduled=5, ended=90, failed=True), [("failed", 5, 90)]),
}


@pytest.mark.parametrize(("attempt", "bars"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_the_bars_of_an_attempt(attempt: Attempt, bars: list[tuple[str, int, int]]) -> None:
    assert moments(attempt) == bars


def test_of_many_rows_the_first_and_the_last_are_shown() -> None:
    """Of a loop, say.  JSON has them all."""
    account = account_of(scope(Each=each(scope(Item=state("Pass")))), [])
    (row,) = timeline_rows(account)
    rows = [row._replace(title=str(number), begin=number, end=number + 1) for number in range(1000)]
    short = shortened(rows, 10)
    assert [one.title for one in short] == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "… 990 more rows",
        "995",
        "996",
        "997",
        "998",
        "999",
    ]
    assert (short[5].begin, short[5].end, short[5].visit, short[5].bars) == (5, 995, None, [Bar("inner", 5, 995)])
    assert shortened(rows, 1000) == rows


def test_as_json() -> None:
    account = account_of(PAY, {"fails": ["E"]}, redriven=False)
    told = timeline_json(account)
    assert json.loads(json.dumps(told)) == told
    assert (told["status"], told["tookMilliseconds"], told["pauses"]) == ("SUCCEEDED", 8000, [])
    assert (told["startDate"], told["stopDate"]) == (iso(account.began), iso(account.until))
    pay, rest = told["rows"]
    assert (pay["state"], pay["type"], pay["standing"], pay["attempts"], pay["depth"]) == (
        "Pay",
        "Task",
        "succeeded",
        2,
        0,
    )
    assert [bar["kind"] for bar in pay["bars"]] == ["failed", "backoff", "work"]
    assert [bar["kind"] for bar in rest["bars"]] == ["waiting"]
    assert rest["from"] == pay["to"] == iso(account.began + 4000)


def test_json_of_what_is_redriven_and_what_runs() -> None:
    redriven = account_of(scope(Do=task()), {"fails": ["E", "F"]}, redriven=True)
    told = timeline_json(redriven)
    assert told["pauses"] == [{"from": iso(redriven.began + 1000), "to": iso(redriven.began + 61_000)}]
    assert told["rows"][0]["error"] == "F"
    running = timeline_json(account_of(scope(Rest=wait(9)), still=True))
    assert (running["status"], running["stopDate"]) == ("RUNNING", None)
