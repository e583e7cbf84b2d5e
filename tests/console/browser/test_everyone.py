"""For everyone: nothing that axe finds on any screen, light or dark, wide or narrow; and a keyboard is enough."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.console.browser.site import Site

pytest.importorskip("playwright.sync_api", reason="the extra `test` has Playwright")
from playwright.sync_api import expect

AXE: Final = next((Path(__file__).parent / "vendor").glob("axe-core-*.min.js"))
RULES: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS: Final = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
PAGES: Final = (
    "runs",
    "nothing found",
    "state",
    "timeline",
    "events",
    "states",
    "failed",
    "map",
    "machines",
    "machine",
    "test",
    "inbox",
    "compare",
    "unknown",
)
DARK: Final = ("runs", "state", "failed", "timeline", "machine", "compare")  # all colours that there are
NARROW: Final = ("runs", "state", "events", "machine", "inbox")  # of which the shape differs


@pytest.fixture(scope="module")
def addresses(site: Site) -> dict[str, str]:
    """A page of each kind, by what is on it."""
    own = uuid4().hex[:8]
    declined = site.begin("order", site.sample("payment-declined"), f"declined-{own}")
    failed = site.begin("delivery", json.dumps({"street": "Elm", "door": "no"}), f"failed-{own}")
    album = site.begin("thumbnails", '{"pictures": 30}', f"album-{own}")
    site.begin("approval", '{"request": "a lamp", "amount": 9}', f"approval-{own}")
    return {
        "runs": site.page("runs"),
        "nothing found": site.page("runs", query="?name=no-such-run"),
        "graph": site.page("run", declined),
        "state": site.page("run", declined, "?state=ProcessPayment"),
        "timeline": site.page("run", declined, "?tab=timeline"),
        "events": site.page("run", declined, "?tab=events&event=3"),
        "states": site.page("run", declined, "?tab=states"),
        "failed": site.page("run", failed, "?state=Deliver"),
        "map": site.page("run", album, "?state=Each"),
        "machines": site.page("machines"),
        "machine": site.page("machine", site.machines["order"]),
        "test": site.page("machine", site.machines["order"], "?tab=test"),
        "inbox": site.page("inbox"),
        "compare": site.page("compare", query=f"?one={declined}&other={failed}"),
        "unknown": site.page("run", f"{declined}-not"),
    }


@contextmanager
def opened(browser: Any, *, width: int = 1280, scheme: str = "light") -> Iterator[Any]:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
        bypass_csp=True,  # axe is put into the page as a script
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("title", PAGES)
def test_axe_finds_nothing(browser: Any, addresses: dict[str, str], title: str) -> None:
    with opened(browser) as tab:
        tab.goto(addresses[title])
        settle(tab)
        assert violations(tab) == []


def test_axe_finds_nothing_in_a_dialog(browser: Any, addresses: dict[str, str]) -> None:
    with opened(browser) as tab:
        tab.goto(addresses["runs"])
        tab.get_by_role("button", name="Start a run…").click()
        expect(tab.get_by_role("dialog").get_by_role("button", name="Start", exact=True)).to_be_enabled()
        assert violations(tab) == []


@pytest.mark.parametrize("title", DARK)
def test_axe_finds_nothing_in_the_dark(browser: Any, addresses: dict[str, str], title: str) -> None:
    with opened(browser, scheme="dark") as tab:
        tab.goto(addresses[title])
        settle(tab)
        assert violations(tab, COLOURS) == []


@pytest.mark.parametrize("title", NARROW)
def test_axe_finds_nothing_in_a_narrow_window(browser: Any, addresses: dict[str, str], title: str) -> None:
    with opened(browser, width=360) as tab:
        tab.goto(addresses[title])
        settle(tab)
        assert violations(tab) == []


def settle(tab: Any) -> None:
    """Until the page has what it has asked for."""
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    expect(tab.locator(".loading")).to_have_count(0)
    expect(tab.get_by_text("live", exact=True).or_(tab.get_by_text("does not exist"))).not_to_have_count(0)


def violations(tab: Any, rules: dict[str, Any] = RULES) -> list[str]:
    tab.add_script_tag(path=AXE)
    answer = tab.evaluate(
        "rules => axe.run(document, {resultTypes: ['violations'], preload: false, ...rules})", rules
    )
    return [
        f"{one['id']} ({one['help']}): {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in answer["violations"]
        for node in one["nodes"]
    ]


def test_nothing_is_wider_than_a_narrow_window(browser: Any, addresses: dict[str, str]) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 700})
    page = context.new_page()
    wide = []
    for title, address in addresses.items():
        page.goto(address)
        settle(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide.append((title, width))
    context.close()
    assert not wide


def test_the_keyboard_is_enough(site: Site, page: Any, name: str) -> None:
    arn = site.begin("order", site.sample("happy"), name)
    page.goto(site.page("run", arn))
    graph = page.locator('.picture g.node[data-state="CheckInventory"]')
    expect(graph).to_be_visible()
    reached = press_until(page, "document.activeElement.dataset?.state === 'CheckInventory'")
    assert reached
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_role("heading", level=2)).to_have_text("CheckInventory")
    page.get_by_role("tab", name="Graph").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Events")).to_be_focused()
    expect(page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="ExecutionStarted").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary")).to_contain_text("TaskStateEntered")
    # A menu closes by Escape, and gives the focus back.
    page.get_by_text("More ▾").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Compare with another run")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("More ▾")).to_be_focused()
    # So does a dialog, and an editor is no trap.
    page.get_by_role("button", name="Run again…").focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("dialog").get_by_label("Input")
    box.focus()
    page.keyboard.type(" ")
    page.keyboard.press("Tab")
    expect(box).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Run again…")).to_be_focused()


def press_until(page: Any, reached: str) -> bool:
    """Tab on until the focus is where it should be."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(reached):
            return True
    return False


def test_the_colours_that_were_chosen_stay(site: Site, page: Any) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(site.page("runs"))
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_label("Colours").select_option(label="Dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    page.get_by_label("Colours").select_option(label="System colours")
    assert page.evaluate(ground) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == dark
