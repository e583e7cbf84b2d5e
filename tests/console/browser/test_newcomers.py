"""What somebody meets who comes from ``asl run``: machines that are not registered, forks, colours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.browser.demo import MACHINES

if TYPE_CHECKING:
    from tests.console.browser.site import Site

pytest.importorskip("playwright.sync_api", reason="the extra `test` has Playwright")
from playwright.sync_api import expect

GRAPH = "getComputedStyle(document.querySelector('svg.asl-graph .node .shape')).fill"
TEXT = "getComputedStyle(document.querySelector('svg.asl-graph .name')).fill"


def ran_alone(site: Site, name: str) -> str:
    """A run of ``asl run`` of a machine of that name; its ARN."""
    (site.folder / f"{name}.asl.json").write_text(json.dumps(MACHINES["delivery"]), encoding="utf-8")
    command = [sys.executable, "-m", "asl_engine", "run", f"{name}.asl.json", "--name", "one", "--time", "skip"]
    done = subprocess.run(
        [*command, "--input", '{"street": "Elm", "door": "open"}'],
        cwd=site.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return f"arn:aws:states:us-east-1:123456789012:execution:{name}:one"


def side(page: Any) -> Any:
    return page.get_by_role("complementary")


def test_a_run_of_the_command_line_is_found_seen_and_repeated(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", ran_alone(site, name)))
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_label("Machine", exact=True).locator("option:checked")).to_have_text(name)
    page.get_by_role("link", name="one", exact=True).click()
    page.get_by_role("link", name="definition", exact=True).click()
    expect(page.get_by_label("Definition", exact=True)).to_have_value(re.compile("Deliver"))
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("link", name="one", exact=True).click()
    page.get_by_role("button", name="Run again…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(
        f"There is no state machine {name} yet: it is made from the definition of run one."
    )
    expect(dialog.get_by_label("Input")).to_have_value(re.compile('"street": "Elm"'))
    dialog.get_by_label("Name (optional)").fill("two")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("two")
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    page.get_by_role("link", name="definition", exact=True).click()
    expect(page.get_by_role("button", name="Save")).to_be_visible()


def test_a_filter_of_the_address_is_shown(site: Site, page: Any) -> None:
    page.goto(site.page("runs", query="?machine=arn:aws:states:us-east-1:123456789012:stateMachine:long-gone"))
    expect(page.get_by_label("Machine", exact=True).locator("option:checked")).to_have_text("long-gone")


def test_a_fork_keeps_what_was_entered_when_its_state_changes(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("delivery", json.dumps({"street": "Elm", "door": "no"}), name)))
    page.get_by_role("button", name="Fork…").click()
    dialog = page.get_by_role("dialog")
    state, tick = dialog.get_by_label("From state"), dialog.get_by_label("With another input for this state")
    expect(state).to_have_value("Deliver")
    tick.check()
    text = dialog.get_by_label("Input of the state")
    expect(text).to_have_value(re.compile("parcel"))
    state.select_option("Pack")
    expect(text).not_to_have_value(re.compile("parcel"))
    expect(tick).to_be_checked()
    text.fill('{"mine": 1}')
    state.select_option("Deliver")
    expect(text).to_have_value('{"mine": 1}')
    expect(tick).to_be_checked()


def test_a_failed_run_says_where_a_redrive_goes_on(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("delivery", json.dumps({"street": "Elm", "door": "no"}), name)))
    expect(page.get_by_role("button", name="Redrive")).to_have_attribute("title", "Redrive: go on from Deliver")


def test_the_data_of_a_state_is_above_its_attempts_and_says_what_left_it_unchanged(
    site: Site, page: Any, name: str
) -> None:
    page.goto(site.page("run", site.begin("delivery", json.dumps({"street": "Elm", "door": "open"}), name)))
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    page.locator('.picture g.node[data-state="Deliver"]').click()
    titles = side(page).get_by_role("heading", level=3)
    expect(titles.filter(has_text=re.compile("Data flow|Attempts"))).to_have_text(["Data flow", "Attempts"])
    output = side(page).locator("details.stage", has=page.get_by_text("Output", exact=True))
    expect(output.locator("summary")).to_contain_text("unchanged by OutputPath")


def test_what_an_attempt_failed_with_is_folded(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("order", site.sample("payment-retry"), name)))
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    page.locator('.picture g.node[data-state="ProcessPayment"]').click()
    first = side(page).get_by_role("region", name="Attempts").locator("tr.why").first
    why = first.get_by_text("did not answer attempt 1")
    expect(why.first).not_to_be_visible()
    first.locator("summary").first.click()
    expect(why.first).to_be_visible()


def test_the_graph_follows_the_colours_that_were_chosen(site: Site, page: Any, name: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(site.page("run", site.begin("delivery", json.dumps({"street": "Elm", "door": "no"}), name)))
    expect(page.locator("svg.asl-graph .node.failed")).to_be_visible()
    light = [page.evaluate(GRAPH), page.evaluate(TEXT)]
    page.get_by_label("Colours").select_option(label="Dark")
    dark = [page.evaluate(GRAPH), page.evaluate(TEXT)]
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    page.emulate_media(color_scheme="dark")
    assert [page.evaluate(GRAPH), page.evaluate(TEXT)] == dark
    page.get_by_label("Colours").select_option(label="Light")
    assert [page.evaluate(GRAPH), page.evaluate(TEXT)] == light
