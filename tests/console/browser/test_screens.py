"""Every screen as somebody uses it: start, watch, understand, repeat, answer, compare."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.console.browser.site import Site

pytest.importorskip("playwright.sync_api", reason="the extra `test` has Playwright")
from playwright.sync_api import expect

from tests.console.browser.demo import ROLE


def heading(page: Any) -> Any:
    return page.get_by_role("heading", level=1)


def node(page: Any, state: str) -> Any:
    return page.locator(f'.picture g.node[data-state="{state}"]')


def fares(page: Any, state: str, standing: str) -> None:
    expect(node(page, state)).to_have_class(re.compile(rf"\b{standing}\b"))


def side(page: Any) -> Any:
    return page.get_by_role("complementary", name="Details")


def rows(page: Any, table: str) -> Any:
    return page.get_by_role("table", name=table).locator("tbody tr[data-row]")


def test_an_order_is_started_from_the_page_and_watched_to_its_end(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("runs"))
    page.get_by_role("button", name="Start a run…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Machine").select_option(label="order")
    dialog.get_by_label("Begin with").select_option(label="sample payment-retry.json")
    expect(dialog.get_by_label("Input")).to_have_value(re.compile("tok_flaky_3"))
    dialog.get_by_label("Name (optional)").fill(name)
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(heading(page)).to_contain_text(name)
    expect(heading(page)).to_contain_text("succeeded")
    for state in ("ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder"):
        fares(page, state, "succeeded")
    fares(page, "RefundAndFail", "not-reached")
    # How long each attempt took, and how long was waited for it.
    node(page, "ProcessPayment").click()
    attempts = side(page).get_by_role("region", name="Attempts").locator("tbody > tr:not(.why)")
    expect(attempts).to_have_count(4)
    expect(attempts.nth(1)).to_contain_text("2.00 s")
    expect(attempts.nth(0)).to_contain_text(re.compile(r"\d m?s"))
    expect(side(page)).to_contain_text("did not answer attempt 1")
    expect(side(page)).to_contain_text("Traceback")
    # What the state got and gave.
    expect(side(page).get_by_role("group", name="Input", exact=True)).to_contain_text('"status": "RESERVED"')
    expect(side(page).get_by_role("group", name="Output", exact=True)).to_contain_text('"status": "PAID"')
    # The same input is offered the next time.
    page.get_by_role("link", name="Runs").first.click()
    page.get_by_role("button", name="Start a run…").click()
    expect(page.get_by_role("dialog").get_by_label("Input")).to_have_value(re.compile("tok_flaky_3"))


def test_the_list_and_a_run_are_live_and_a_token_is_answered(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("runs"))
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    arn = site.begin("approval", json.dumps({"request": name, "amount": 7}), name)
    row = rows(page, "Runs").filter(has_text=name)
    expect(row).to_contain_text("running")
    expect(row).to_contain_text("AskForApproval")
    row.get_by_role("link", name=name).click()
    fares(page, "AskForApproval", "running")
    watching = page.context.new_page()
    watching.goto(site.page("run", arn))
    expect(heading(watching)).to_contain_text("running")
    page.get_by_role("link", name="Inbox").click()
    task = page.get_by_role("article", name=f"AskForApproval of {name}")
    expect(task).to_contain_text('"amount": 7')
    task.get_by_role("button", name="Keep alive").click()
    expect(page.get_by_text("is kept alive")).to_be_visible()
    task.get_by_role("button", name="Answer…").click()
    task.get_by_label("Output of the task").fill('{"approved": tru')
    expect(task.get_by_role("button", name="Send the answer")).to_be_disabled()
    task.get_by_label("Output of the task").fill('{"approved": true}')
    task.get_by_role("button", name="Send the answer").click()
    expect(task).to_have_count(0)
    expect(heading(watching)).to_contain_text("succeeded")
    fares(watching, "Approved", "succeeded")
    assert site.client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED"
    watching.close()


def test_a_task_of_an_activity_is_taken_and_failed(site: Site, page: Any, name: str) -> None:
    arn = site.begin("stock", "{}", name)
    page.goto(site.page("inbox"))
    task = page.get_by_role("article", name=f"Count of {name}")
    expect(task).to_contain_text("nobody yet")
    task.get_by_role("button", name="Fail…").click()
    task.get_by_label("Error").fill("ShelfIsGone")
    task.get_by_label("Cause").fill("somebody took it")
    task.get_by_role("button", name="Fail the task").click()
    expect(task).to_have_count(0)
    page.goto(site.page("run", arn))
    expect(page.get_by_role("region", name="Why it ended")).to_contain_text("ShelfIsGone")
    expect(page.get_by_role("region", name="Why it ended")).to_contain_text("somebody took it")


def test_a_failed_run_says_why_and_is_redriven_and_forked(
    site: Site, page: Any, name: str, tmp_path: Path
) -> None:
    door = tmp_path / "door"
    arn = site.begin("delivery", json.dumps({"street": "Elm Street", "door": str(door)}), name)
    page.goto(site.page("run", arn))
    why = page.get_by_role("region", name="Why it ended")
    expect(why).to_contain_text("DoorShut")
    expect(why).to_contain_text("nobody opens at Elm Street")
    why.get_by_text("Traceback", exact=True).click()
    expect(why).to_contain_text("in deliver")
    why.get_by_role("button", name="Deliver").click()
    expect(side(page).get_by_role("heading", level=2)).to_have_text("Deliver")
    # Again, from here, with another input.
    side(page).get_by_role("button", name="Fork from here…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("With another input for this state").check()
    text = dialog.get_by_label("Input of the state")
    expect(text).to_have_value(re.compile("Elm Street"))
    text.fill(json.dumps({"street": "Oak Street", "door": "open"}))
    dialog.get_by_label("Name (optional)").fill(f"{name}-fork")
    dialog.get_by_role("button", name="Fork and run").click()
    expect(heading(page)).to_contain_text(f"{name}-fork")
    expect(heading(page)).to_contain_text("succeeded")
    expect(page.get_by_text("Fork of")).to_be_visible()
    fares(page, "Thank", "succeeded")
    # The same run, once the door is open.
    door.touch()
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("button", name="Redrive").click()
    expect(heading(page)).to_contain_text("succeeded")
    expect(page.get_by_text("Redriven", exact=True)).to_be_visible()
    fares(page, "Thank", "succeeded")


def test_a_run_is_repeated_with_another_input(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("delivery", json.dumps({"street": "Elm", "door": "no"}), name)))
    page.get_by_role("button", name="Run again…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Input")).to_have_value(re.compile('"street": "Elm"'))
    dialog.get_by_label("Input").fill('{"street": "Oak", "door": "open"}')
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(heading(page)).to_contain_text("succeeded")
    expect(side(page)).to_contain_text('"street": "Oak"')


def test_a_run_is_forked_with_another_definition(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("delivery", json.dumps({"street": "Elm", "door": "no"}), name)))
    page.get_by_role("button", name="Fork…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("With another definition").check()
    text = dialog.get_by_label("Definition", exact=True)
    expect(text).to_have_value(re.compile("Deliver"))
    definition = json.loads(text.input_value())
    definition["States"]["Deliver"] = {"Type": "Pass", "Next": "Thank"}
    text.fill(json.dumps(definition))
    dialog.get_by_role("button", name="Fork and run").click()
    expect(heading(page)).to_contain_text("succeeded")
    fares(page, "Thank", "succeeded")


def test_a_run_is_stopped(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("stock", "{}", name)))
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
    expect(heading(page)).to_contain_text("aborted")
    fares(page, "Count", "aborted")


def test_an_iteration_of_a_map_is_found(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("thumbnails", '{"pictures": 40}', name)))
    expect(heading(page)).to_contain_text("succeeded")
    node(page, "Each").locator("text").first.click()
    expect(side(page)).to_contain_text("40 iterations")
    side(page).get_by_label("Go to").fill("12")  # the thirteenth picture has no pixels
    side(page).get_by_label("Go to").press("Enter")
    lane = side(page).locator(".card")
    expect(lane).to_contain_text("iteration 12")
    expect(lane).to_contain_text("caught")
    lane.get_by_role("button", name="Shrink").click()
    expect(side(page)).to_contain_text("picture 13 has no pixels")
    expect(side(page)).to_contain_text("iteration 12")
    expect(side(page).get_by_label("Visit")).to_have_value("13")


def test_a_map_run_and_its_children_are_seen(site: Site, page: Any, name: str) -> None:
    inner = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Look",
        "States": {
            "Look": {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "NumericGreaterThan": 4, "Next": "Bad"}],
                "Default": "Good",
            },
            "Bad": {"Type": "Fail", "Error": "TooMuch"},
            "Good": {"Type": "Succeed"},
        },
    }
    each = {"Type": "Map", "ItemProcessor": inner, "ToleratedFailureCount": 1, "End": True}
    arn = site.client.create_state_machine(
        name=name, definition=json.dumps({"StartAt": "Each", "States": {"Each": each}}), roleArn=ROLE
    )["stateMachineArn"]
    run = site.client.start_execution(stateMachineArn=arn, input="[1, 2, 3, 4, 5]")["executionArn"]
    page.goto(site.page("run", run, "?state=Each"))
    expect(heading(page)).to_contain_text("succeeded")
    side(page).get_by_role("link", name="Map Run").click()
    counts = page.get_by_role("region", name="Counts").get_by_role("row", name="Items")
    expect(counts.get_by_role("cell")).to_have_text(["5", "0", "0", "4", "1", "0", "0", re.compile(r"\d")])
    page.get_by_label("Child runs").first.select_option(label="failed")
    expect(rows(page, "Child runs")).to_have_count(1)
    rows(page, "Child runs").get_by_role("link").click()
    expect(page.get_by_role("region", name="Why it ended")).to_contain_text("TooMuch")
    page.get_by_role("link", name="a Map Run").click()
    expect(heading(page)).to_contain_text("succeeded")


def test_two_runs_are_compared(site: Site, page: Any, name: str) -> None:
    for sample in ("happy", "payment-declined"):
        text = json.loads(site.sample(sample))
        site.begin("order", json.dumps({**text, "orderId": f"{name}-{sample}"}), f"{name}-{sample}")
    page.goto(site.page("runs", query=f"?name={name}"))
    for sample in ("happy", "payment-declined"):
        page.get_by_role("checkbox", name=f"Pick {name}-{sample} to compare").check()
        expect(rows(page, "Runs").filter(has_text=f"{name}-{sample}")).to_contain_text("succeeded")
    page.get_by_role("button", name="Compare 2 of 2").click()
    expect(heading(page)).to_have_text("Two runs compared")
    expect(page.get_by_role("region", name="How they began and ended")).to_contain_text("tok_")
    refund = rows(page, "States of both").filter(has_text="RefundAndFail")
    expect(refund).to_contain_text("not entered")
    page.get_by_role("link", name="Swap").click()
    expect(rows(page, "States of both").filter(has_text="FulfillOrder")).to_contain_text("not entered")


def test_runs_are_filtered(site: Site, page: Any, name: str) -> None:
    site.begin("delivery", json.dumps({"street": "Elm", "door": "no"}), f"{name}-bad")
    site.begin("delivery", json.dumps({"street": "Elm", "door": "open"}), f"{name}-good")
    page.goto(site.page("runs"))
    page.get_by_label("Name contains").fill(name.upper())
    expect(rows(page, "Runs")).to_have_count(2)
    page.get_by_role("group", name="Status").get_by_role("button", name="failed").click()
    expect(rows(page, "Runs")).to_have_count(1)
    expect(rows(page, "Runs")).to_contain_text(f"{name}-bad")
    expect(rows(page, "Runs")).to_contain_text("DoorShut")
    page.get_by_label("Error contains").fill("nosucherror")
    expect(page.get_by_text("No run fits these filters.")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    page.get_by_label("Machine").select_option(label="stock")
    expect(rows(page, "Runs").filter(has_text="delivery")).to_have_count(0)
    page.go_back()
    expect(page).to_have_url(re.compile("/console"))


def test_time_is_scrubbed(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("order", site.sample("out-of-stock"), name)))
    expect(heading(page)).to_contain_text("succeeded")
    fares(page, "OrderFailed", "succeeded")
    slider = page.get_by_role("slider", name="Time")
    slider.fill("3")
    fares(page, "ValidateOrder", "running")
    fares(page, "OrderFailed", "not-reached")
    expect(page.get_by_text("event 3 of")).to_be_visible()
    page.reload()  # where one is, is in the address
    fares(page, "ValidateOrder", "running")
    page.get_by_role("button", name="Now").click()
    fares(page, "OrderFailed", "succeeded")


def test_timeline_events_and_states_tell_the_same(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("order", site.sample("payment-declined"), name)))
    page.get_by_role("tab", name="Timeline").click()
    expect(rows(page, "Timeline")).to_have_count(5)
    expect(rows(page, "Timeline").filter(has_text="ProcessPayment")).to_contain_text("PaymentError")
    page.get_by_role("tab", name="States").click()
    rows(page, "States").filter(has_text="ProcessPayment").get_by_role("button").click()
    expect(side(page)).to_contain_text("the card was declined")
    page.get_by_role("tab", name="Events").click()
    page.get_by_role("button", name="ExecutionStarted").click()
    expect(side(page)).to_contain_text('"paymentToken": "tok_declined"')
    page.get_by_label("Go to event").fill("2")
    page.get_by_label("Go to event").press("Enter")
    expect(side(page).get_by_role("heading", level=2)).to_contain_text("TaskStateEntered")
    side(page).get_by_role("button", name="See the graph as of this event").click()
    fares(page, "ValidateOrder", "running")


def test_the_cost_of_a_run_is_estimated(site: Site, page: Any, name: str) -> None:
    page.goto(site.page("run", site.begin("order", site.sample("happy"), name), "?tab=cost"))
    expect(page.get_by_text(re.compile(r"\d+ state transitions"))).to_be_visible()
    expect(page.get_by_role("region", name="Estimates")).to_contain_text("$")


def test_variables_and_stages_of_jsonata(site: Site, page: Any, name: str) -> None:
    arn = site.begin("pricing", '{"amount": 2000}', name)
    page.goto(site.page("run", arn, "?state=Quote"))
    expect(side(page)).to_contain_text("Arguments")
    side(page).get_by_text("In scope").click()
    expect(side(page).get_by_role("group", name="In scope")).to_contain_text('"rate": 0.05')
    side(page).get_by_role("link", name="Test this state…").click()
    expect(page.get_by_label("Input", exact=True)).to_have_value(re.compile('"net": 2000'))
    page.get_by_label("Result", exact=True).fill('{"gross": 1}')
    page.get_by_role("button", name="Test the state").click()
    expect(page.get_by_role("group", name="Output of the state")).to_contain_text('"gross": 1')


def test_a_definition_is_checked_as_one_types_and_saved(site: Site, page: Any, name: str) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}
    arn = site.client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    page.goto(site.page("machine", arn))
    expect(page.get_by_text("Nothing is wrong with it.")).to_be_visible()
    text = page.get_by_role("textbox", name="Definition")
    whole = text.input_value()
    text.fill(whole.replace('"Next": "B"', '"Next": "C"'))
    wrong = page.locator(".diagnostics li").filter(has_text="error").first
    expect(wrong).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    wrong.get_by_role("button").click()
    assert "C" in text.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)")
    expect(page.locator(".numbers .error")).to_have_count(1)
    text.fill(whole.replace('"B"', '"Last"'))
    expect(node(page, "Last")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: runs that start now use it.")).to_be_visible()
    page.get_by_role("button", name="Publish a version").click()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("region", name="Versions").get_by_role("link", name="1").click()
    expect(page.get_by_role("textbox", name="Definition")).to_have_value(re.compile('"Last"'))
    saved = json.loads(site.client.describe_state_machine(stateMachineArn=arn)["definition"])
    assert list(saved["States"]) == ["A", "Last"]


def test_machines_are_listed_with_their_counts(site: Site, page: Any, name: str) -> None:
    site.begin("stock", "{}", name)
    page.goto(site.page("machines"))
    row = rows(page, "Machines").filter(has_text="stock")
    expect(row).to_be_visible()
    row.get_by_role("link").nth(1).click()
    expect(rows(page, "Runs").filter(has_text=name)).to_be_visible()
    page.goto(site.page("machine", site.machines["order"], "?tab=coverage"))
    expect(page.get_by_text("No coverage report fits this definition.")).to_be_visible()


def test_a_run_is_exported_and_copied_as_a_test(site: Site, page: Any, name: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(site.page("run", site.begin("order", site.sample("happy"), name)))
    expect(heading(page)).to_contain_text("succeeded")
    page.get_by_text("More ▾").click()
    page.get_by_role("button", name="Copy as a pytest file").click()
    expect(page.get_by_text("is on the clipboard")).to_be_visible()
    assert "def test_" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_text("More ▾").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as one HTML file").click()
    assert name in download.value.path().read_text("utf-8")
