"""Long histories, wide Maps, many runs at once: what is in the document stays small, and is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.browser.site import sites
from tests.server.harness import ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.console.browser.site import Site

pytest.importorskip("playwright.sync_api", reason="the extra `test` has Playwright")
from playwright.sync_api import expect

ITERATIONS = 10_000
ELEMENTS = 1500  # in the document, at most
COUNT = "document.querySelectorAll('*').length"


@pytest.fixture(scope="module")
def large(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    del browser  # no server where nobody can look at it
    with sites(tmp_path_factory.mktemp("large"), "--no-aws-limits") as made:
        yield made


@pytest.fixture(scope="module")
def wide(large: Site) -> str:
    """A run with a Map of 10,000 iterations, and so with more than 40,000 events."""
    inner = {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "End": True}}}
    definition = {
        "StartAt": "Each",
        "States": {"Each": {"Type": "Map", "ItemProcessor": inner, "ResultPath": None, "End": True}},
    }
    arn = large.client.create_state_machine(
        name="wide", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/demo"
    )["stateMachineArn"]
    run: str = large.client.start_execution(stateMachineArn=arn, input=json.dumps([*range(ITERATIONS)]))[
        "executionArn"
    ]
    ended(large.client, run)
    return run


def test_a_history_of_40_000_events_is_scrolled_by_window(large: Site, page: Any, wide: str) -> None:
    page.goto(large.page("run", wide, "?tab=events"))
    events = page.get_by_role("region", name="Events")
    expect(page.get_by_text("ExecutionStarted", exact=True)).to_be_visible()
    total = int(page.get_by_role("table", name="Events").get_attribute("aria-rowcount")) - 1
    assert total > 40_000
    for part in (0.3, 0.6, 1):
        events.evaluate("(box, part) => { box.scrollTop = part * box.scrollHeight; }", part)
        expect(page.locator(f'tr[data-row="{int(part * (total - 1))}"] button')).to_be_visible()
        assert page.evaluate(COUNT) < ELEMENTS
    expect(page.get_by_role("button", name="ExecutionSucceeded")).to_be_visible()
    page.get_by_label("Go to event").fill("20000")
    page.get_by_label("Go to event").press("Enter")
    expect(page.locator('tr[data-row="19999"].selected')).to_be_visible()


def test_one_of_10_000_iterations_is_found(large: Site, page: Any, wide: str) -> None:
    page.goto(large.page("run", wide, "?state=Each"))
    grid = page.get_by_role("group", name="iterations")
    expect(grid).to_be_visible()
    expect(page.get_by_text("10,000 iterations")).to_be_visible()
    assert page.evaluate(COUNT) < ELEMENTS
    grid.evaluate("box => { box.scrollTop = box.scrollHeight; }")
    last = grid.get_by_role("button", name=f"iteration {ITERATIONS - 1}, succeeded")
    last.click()
    expect(page.locator(".card")).to_contain_text("Item")
    page.get_by_label("Go to").fill("7777")
    page.get_by_label("Go to").press("Enter")
    expect(page.locator(".card")).to_contain_text("iteration 7777")
    page.get_by_role("tab", name="Timeline").click()
    expect(page.get_by_role("table", name="Timeline")).to_contain_text("Each")
    assert page.evaluate(COUNT) < ELEMENTS


def test_500_runs_at_once_do_not_fill_the_document(large: Site, page: Any) -> None:
    page.goto(large.page("runs"))
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    for number in range(500):
        large.begin("stock", "{}", f"many-{number}")
    chip = page.get_by_role("group", name="Status").get_by_role("button", name="running")
    expect(chip).to_contain_text("500")
    table = page.get_by_role("table", name="Runs")
    expect(table).to_contain_text("many-499")
    assert page.evaluate(COUNT) < ELEMENTS
    page.get_by_role("region", name="Runs").evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(table).not_to_contain_text("many-499")
    assert page.evaluate(COUNT) < ELEMENTS
