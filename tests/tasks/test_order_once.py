"""The tasks under repetition, crashes and company: everything is done once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine import TaskContext
from tasks import _shop, order
from tasks._errors import OrderFailure, PaymentError, PaymentRetryableError, ShopDatabaseError, ValidationError
from tests.tasks.shop import ALL_THE_WAY, ROOT, Run, an_order, rows, snapshot, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# -- once ---------------------------------------------------------------------------------------------


def test_a_call_with_a_key_that_was_served_changes_nothing() -> None:
    run, event = Run(), an_order()
    for number, step in enumerate(ALL_THE_WAY):
        result = run(step, event, f"k{number}")
        before = snapshot()
        assert run(step, event, f"k{number}") == result
        assert snapshot() == before
        event = result


def test_an_early_call_is_still_answered_when_the_order_has_moved_on() -> None:
    run = Run()
    placed = run(order.validate_order, an_order())
    reserved = run(order.check_inventory, placed, "k")
    run(order.process_payment, reserved)
    assert run(order.check_inventory, placed, "k") == reserved


@pytest.mark.parametrize(
    ("card", "error"), [("tok_flaky_1", PaymentRetryableError), ("tok_declined", PaymentError)]
)
def test_a_failure_is_repeated_for_its_key_without_another_charge(card: str, error: type[OrderFailure]) -> None:
    run = Run()
    reserved = run.reserve(an_order(card=card))
    messages = set()
    for _ in range(3):
        with pytest.raises(error) as failed:
            run(order.process_payment, reserved, "k")
        messages.add(str(failed.value))
    assert len(messages) == 1
    assert rows("SELECT attempts FROM payments") == [(1,)]


def test_another_attempt_finds_the_work_of_one_whose_answer_was_lost() -> None:
    run, event = Run(), an_order()
    for step in ALL_THE_WAY:
        result = run(step, event)
        assert run(step, event) == result
        event = result
    assert stock("widget") == 498
    assert rows("SELECT attempts FROM payments") == [(1,)]


def test_one_notification_per_key() -> None:
    run = Run()
    assert run(order.notify_failure, {}, "k") == run(order.notify_failure, {}, "k")
    assert run(order.notify_failure, {})["notificationId"] == 2


def test_a_crash_before_the_commit_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    placed = run(order.validate_order, an_order())
    before = snapshot()

    def crash(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(_shop, "_remember", crash)
        with pytest.raises(SystemExit):
            run(order.check_inventory, placed, "k")

    assert snapshot() == before
    assert run(order.check_inventory, placed, "k")["status"] == "RESERVED"
    assert stock("widget") == 498


def test_a_killed_process_leaves_nothing_and_locks_nobody_out() -> None:
    run = Run()
    placed = run(order.validate_order, an_order())
    script = """
import json, os, sys
from asl_engine import TaskContext
from tasks import _shop, order
_shop._remember = lambda *_: os._exit(9)  # the work is done, the commit is not
order.check_inventory(json.loads(sys.argv[1]), TaskContext("k"))
"""
    died = subprocess.run([sys.executable, "-c", script, json.dumps(placed)], cwd=ROOT, check=False, timeout=60)
    assert died.returncode == 9
    assert stock("widget") == 500
    assert run(order.check_inventory, placed, "k")["status"] == "RESERVED"
    assert stock("widget") == 498


def test_a_key_stands_for_one_event() -> None:
    run = Run()
    run(order.validate_order, an_order(), "k")
    with pytest.raises(ShopDatabaseError, match="called with the key 'k' and another event before"):
        run(order.validate_order, an_order({"widget": 1}), "k")


def test_keys_of_different_tasks_do_not_meet() -> None:
    run = Run()
    placed = run(order.validate_order, an_order(), "k")
    assert run(order.check_inventory, placed, "k")["status"] == "RESERVED"


def test_without_a_key_nothing_is_remembered() -> None:
    order.validate_order(an_order(), TaskContext())
    assert rows("SELECT * FROM outcomes") == []
    with pytest.raises(ValidationError):
        order.validate_order({}, TaskContext())


# -- side by side -------------------------------------------------------------------------------------


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """What the calls return or raise, each made in a thread of its own, all at the same moment."""
    start = Barrier(len(calls))

    def outcome(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except OrderFailure as failed:
            return type(failed).__name__

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


def test_two_threads_with_one_key_do_the_work_once() -> None:
    run = Run()
    reserved = run.reserve(an_order())
    first, second = together([lambda: run(order.process_payment, reserved, "k")] * 2)
    assert first == second
    assert rows("SELECT attempts FROM payments") == [(1,)]


def test_threads_that_fail_with_one_key_fail_once() -> None:
    run = Run()
    reserved = run.reserve(an_order(card="tok_flaky_2"))
    outcomes = together([lambda: run(order.process_payment, reserved, "k")] * 4)
    assert outcomes == ["PaymentRetryableError"] * 4
    assert rows("SELECT attempts FROM payments") == [(1,)]


def test_the_last_gizmos_are_sold_once_each_from_a_shop_that_did_not_exist() -> None:
    runs = [Run(f"arn:{number}") for number in range(8)]
    outcomes = together([lambda run=run: run.buy(an_order({"gizmo": 1}))["status"] for run in runs])  # type: ignore[misc]  # a lambda with a default
    assert Counter(outcomes) == {"FULFILLED": 3, "OutOfStockError": 5}
    assert stock("gizmo") == 0
    assert rows("PRAGMA journal_mode") == [("wal",)]


BUY = """
import json, sys
from asl_engine import TaskContext
from tasks import order
for number in range(5):
    arn = f"arn:{sys.argv[2]}:{number}"
    event = json.loads(sys.argv[1])
    for step in (order.validate_order, order.check_inventory, order.process_payment, order.fulfill_order):
        event = step(event, TaskContext(f"{arn}:{step.__name__}", execution_arn=arn))
"""


def test_processes_share_a_shop_that_did_not_exist() -> None:
    command = [sys.executable, "-c", BUY, json.dumps(an_order())]
    buyers = [subprocess.Popen([*command, str(number)], cwd=ROOT) for number in range(4)]
    assert [buyer.wait(timeout=60) for buyer in buyers] == [0] * 4
    assert stock("widget") == 500 - 4 * 5 * 2
    assert rows("SELECT count(*) FROM shipments") == [(20,)]


# -- the database itself ------------------------------------------------------------------------------


def test_without_shop_db_the_project_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ROOT / ".asl" / "shop.db"
    monkeypatch.delenv("SHOP_DB")
    assert _shop.path() == expected
    monkeypatch.setenv("SHOP_DB", "")
    assert _shop.path() == expected


@pytest.mark.parametrize("pragma", ["user_version = 2", "application_id = 7"])
def test_another_layout_is_refused_and_left_alone(pragma: str) -> None:
    _shop.path().parent.mkdir()
    with closing(sqlite3.connect(_shop.path())) as db:
        db.execute(f"PRAGMA {pragma}")
    before = _shop.path().read_bytes()
    with pytest.raises(ShopDatabaseError, match=r"shop\.db is no shop database of version 1"):
        Run()(order.validate_order, an_order())
    assert _shop.path().read_bytes() == before


def test_a_shop_that_somebody_else_made_first_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    Run().reserve(an_order())
    layouts: Iterator[tuple[int, int]] = iter([(0, 0)])  # what was seen before the lock was ours
    seen = _shop._layout
    monkeypatch.setattr(_shop, "_layout", lambda db: next(layouts, None) or seen(db))
    Run("arn:2").reserve(an_order())
    assert stock("widget") == 496
