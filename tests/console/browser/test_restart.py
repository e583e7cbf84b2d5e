"""A server that goes away and comes back while pages are open, and a database that does."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.browser.site import sites

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.console.browser.site import Site

pytest.importorskip("playwright.sync_api", reason="the extra `test` has Playwright")
from playwright.sync_api import expect


@pytest.fixture
def own(browser: Any, tmp_path: Any) -> Iterator[Site]:
    del browser  # no server where nobody can look at it
    with sites(tmp_path) as made:
        yield made


def test_pages_go_on_when_the_server_is_back(own: Site, browser: Any, name: str) -> None:
    context = browser.new_context()
    context.set_default_timeout(30_000)
    arn = own.begin("approval", json.dumps({"request": "x", "amount": 1}), name)
    run, runs = context.new_page(), context.new_page()
    run.goto(own.page("run", arn))
    runs.goto(own.page("runs"))
    expect(run.locator("g.node.running")).to_have_count(1)
    expect(runs.get_by_role("link", name=name)).to_be_visible()
    own.stop(signal.SIGKILL)
    for page in (run, runs):
        expect(page.get_by_text("The connection to the server is lost.")).to_be_visible()
    expect(run.locator("g.node.running")).to_have_count(1)  # it keeps what it has
    # What is asked for meanwhile is refused in words, and comes when the server is back.
    run.get_by_role("tab", name="States").click()
    runs.get_by_role("link", name="Machines").click()
    expect(runs.get_by_text("The server does not answer.")).to_be_visible()
    own.start()
    expect(runs.get_by_role("table", name="Machines")).to_contain_text("approval", timeout=20_000)
    expect(run.get_by_role("table", name="States")).to_contain_text("AskForApproval", timeout=20_000)
    for page in (run, runs):
        expect(page.get_by_text("The connection to the server is lost.")).to_have_count(0, timeout=20_000)
    inbox = context.new_page()
    inbox.goto(own.page("inbox"))
    inbox.get_by_role("button", name="Answer…").click()
    inbox.get_by_label("Output of the task").fill('{"approved": false}')
    inbox.get_by_role("button", name="Send the answer").click()
    expect(run.get_by_role("heading", level=1)).to_contain_text("failed", timeout=20_000)
    context.close()
