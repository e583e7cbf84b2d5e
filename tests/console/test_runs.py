"""The list of executions: filters, pages, counts, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import FAIL, PASS, created, ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.console.harness import Page


@pytest.fixture(scope="module")
def shop(page: Page) -> tuple[str, str]:
    """Two machines: one whose executions succeed, one whose executions fail."""
    client = page.server.client()
    good, bad = created(client, PASS, "good"), created(client, FAIL, "bad")
    for number in range(7):
        for machine in (good, bad):
            arn = client.start_execution(stateMachineArn=machine, name=f"Order-{number}")["executionArn"]
            ended(client, arn)
    return good, bad


def names(told: Any) -> list[tuple[str, str]]:
    return [(one["machine"]["name"], one["name"]) for one in told["runs"]]


def test_the_newest_come_first(page: Page, shop: tuple[str, str]) -> None:
    told = page.get("runs", limit=4)
    assert names(told) == [("bad", "Order-6"), ("good", "Order-6"), ("bad", "Order-5"), ("good", "Order-5")]
    assert told["counts"]["SUCCEEDED"] == told["counts"]["FAILED"] == {"count": 7, "more": False}
    assert told["counts"]["RUNNING"] == {"count": 0, "more": False}
    first = told["runs"][0]
    assert (first["error"], first["cause"], first["status"]) == ("Bad", "so be it", "FAILED")
    assert shop


FILTERS: dict[str, tuple[dict[str, Any], int]] = {
    "all": ({}, 14),
    "of a machine": ({"machine": "good"}, 7),
    "of a status": ({"status": "FAILED"}, 7),
    "of both": ({"machine": "good", "status": "FAILED"}, 0),
    "a part of the name, in any case": ({"name": "ORDER-3"}, 2),
    "a name with wildcards": ({"name": "Order_"}, 0),
    "a part of the error, in any case": ({"error": "ba"}, 7),
    "an error that none has": ({"error": "%"}, 0),
    "an error of a machine": ({"machine": "bad", "error": "bad", "name": "3"}, 1),
    "before the beginning": ({"to": 1}, 0),
    "since the beginning": ({"from_": 1}, 14),
    "after the end": ({"from_": 9_000_000_000_000}, 0),
}


@pytest.mark.parametrize(("filters", "count"), FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("limit", [1, 3, 200])
def test_filters_page_by_page(
    page: Page, shop: tuple[str, str], filters: dict[str, Any], count: int, limit: int
) -> None:
    arns = dict(zip(("good", "bad"), shop, strict=True))
    given = filters | ({"machine": arns[filters["machine"]]} if "machine" in filters else {})
    found: list[tuple[str, str]] = []
    told = page.get("runs", limit=limit, **given)
    found += names(told)
    while told["next"] is not None:
        told = page.get("runs", limit=limit, after=told["next"], **given)
        found += names(told)
    assert len(found) == len({*found}) == count
    if "machine" in filters:
        assert {machine for machine, _ in found} <= {filters["machine"]}


def test_a_token_belongs_to_its_filters(page: Page, shop: tuple[str, str]) -> None:
    token = page.get("runs", limit=1)["next"]
    found = page.refused("runs", limit=1, after=token, status="FAILED")
    assert (found.status, found.json["error"]) == (400, "InvalidToken")
    assert page.refused("runs", after="forged").json["error"] == "InvalidToken"
    assert shop


WRONG: dict[str, dict[str, Any]] = {
    "a status that is none": {"status": "DONE"},
    "no number": {"from_": "yesterday"},
    "a negative number": {"to": -1},
    "no page": {"limit": 0},
    "too large a page": {"limit": 201},
}


@pytest.mark.parametrize("query", WRONG.values(), ids=WRONG)
def test_what_cannot_be_asked(page: Page, query: dict[str, Any]) -> None:
    found = page.refused("runs", **query)
    assert (found.status, found.json["error"]) == (400, "InvalidRequest")


def test_only_the_caller_s_own(page: Page) -> None:
    """An execution of another region is the API's to tell there, and not told here."""
    client = page.server.client("eu-west-1")
    machine = created(client, PASS, "elsewhere")
    arn = client.start_execution(stateMachineArn=machine, name="elsewhere")["executionArn"]
    ended(client, arn)
    assert page.get("runs", name="elsewhere")["runs"] == []
    assert page.refused("runs", machine=machine).json["error"] == "StateMachineDoesNotExist"
    assert page.refused("run", arn=arn).json["error"] == "ExecutionDoesNotExist"
    assert page.refused("machine", arn=machine).json["error"] == "StateMachineDoesNotExist"
    assert "elsewhere" not in [one["name"] for one in page.get("machines")["machines"]]


def test_children_are_in_their_map_run(page: Page, created_machine: Callable[..., str]) -> None:
    definition = {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "Label": "each",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "P",
                    "States": {"P": {"Type": "Pass", "End": True}},
                },
                "End": True,
            }
        },
    }
    machine = created_machine(definition)
    arn = page.operation("StartExecution", stateMachineArn=machine, input="[1, 2, 3]", name="parent")[
        "executionArn"
    ]
    ended(page.server.client(), arn)
    assert [one["name"] for one in page.get("runs", machine=machine)["runs"]] == ["parent"]
    state = page.get("run/state", arn=arn, state="M")
    assert state["lanes"] == {"kind": "child", "total": 3}
    told = page.get("maprun", arn=state["mapRun"], limit=2)
    assert (told["mapRun"]["status"], told["mapRun"]["executionCounts"]["succeeded"]) == ("SUCCEEDED", 3)
    assert told["mapRun"]["startDate"] > 10**12
    assert len(told["children"]) == 2
    more = page.get("maprun", arn=state["mapRun"], limit=2, after=told["next"])
    assert (len(more["children"]), more["next"]) == (1, None)
    child = page.get("run", arn=more["children"][0]["arn"])
    assert child["mapRun"] == state["mapRun"]
    assert child["can"]["fork"] == "It belongs to a Map Run: act on the execution that started it"
    assert page.get("run/timeline", arn=arn)["rows"][0]["entry"] == state["entry"]
    assert page.get("run/graph", arn=child["run"]["arn"])["states"][0]["name"] == "P"
    assert page.get("inputs", machine=child["run"]["arn"])["made"] is None
    assert page.write("start", {"arn": child["run"]["arn"]}).json["error"] == "NotStartable"
    assert page.refused("maprun", arn=f"{state['mapRun']}x").status == 404
