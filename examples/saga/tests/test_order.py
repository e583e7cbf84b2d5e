"""What becomes of an order, wherever it fails."""

from pathlib import Path

import pytest

MACHINE = str(Path(__file__).parents[1] / "statemachines" / "order.json")
DOING = ["reserve", "charge", "ship"]
UNDOING = {"reserve": ["release"], "charge": ["refund", "release"], "ship": ["refund", "release"]}


def answers(**given):
    """Stand-ins for all functions, which succeed unless something else is given."""
    names = ("reserve", "charge", "ship", "release", "refund", "reportFailedUndo")
    return {name: given.get(name, {}) for name in names}


def test_an_order_is_reserved_charged_and_shipped(asl):
    run = asl(MACHINE, answers()).run({"orderId": "o-1"})
    run.assert_succeeded()
    run.assert_path(*DOING)


@pytest.mark.parametrize("step", DOING)
def test_where_a_step_fails_all_before_it_are_undone_the_last_first(asl, step):
    run = asl(MACHINE, answers(**{step: ValueError("no")})).run({"orderId": "o-1"})
    run.assert_failed("Saga.Undone")
    run.assert_path(*DOING[: DOING.index(step) + 1], *UNDOING[step], "Undone")


def test_what_cannot_be_undone_is_reported_and_the_rest_is_undone(asl):
    run = asl(MACHINE, answers(ship=ValueError("no"), refund=ConnectionError("bank"))).run({"orderId": "o-1"})
    run.assert_failed("Saga.Undone")
    run.state("refund").assert_attempts(6)
    run.assert_path("reserve", "charge", "ship", "refund", "Report refund", "release", "Undone")
    (told,) = run.state("Report refund").calls
    assert (told["step"], told["undo"], told["document"]["orderId"]) == ("charge", "refund", "o-1")
    assert (told["failure"]["Error"], told["undoFailure"]["Error"]) == ("ValueError", "ConnectionError")
