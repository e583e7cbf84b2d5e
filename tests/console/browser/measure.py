"""How quick the pages are, on this machine: ``python -m tests.console.browser.measure``.

First paint, scrolling through a long history and a wide Map, and what 1,000 live executions cost a tab.  The tests
hold what follows from the construction (how much is in the document); times are measured here, and none fails.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from tests.console.browser.demo import ROLE
from tests.console.browser.site import chromium, sites
from tests.server.harness import ended

if TYPE_CHECKING:
    from tests.console.browser.site import Site

__all__ = ["main"]

LIVE: Final = 1000
SECONDS: Final = 10
PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
SCROLL: Final = """async (box) => {
    const frames = [];
    let before = performance.now();
    for (let step = 1; step <= 120; step++) {
        box.scrollTop = box.scrollHeight * step / 120;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - before);
        before = now;
    }
    frames.sort((one, other) => one - other);
    return [frames[60], frames[118], document.querySelectorAll('*').length];
}"""


def main() -> None:
    """Measure it all.  Without a Chromium, say so and do nothing."""
    path = chromium()
    if path is None:
        sys.exit("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as folder,
        sites(Path(folder), "--no-aws-limits") as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        wide = _wide(site)
        _paint(browser, site, wide)
        _scrolling(browser, site, wide)
        _live(browser, site)
        browser.close()


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _machine(site: Site, name: str, definition: dict[str, Any]) -> str:
    arn: str = site.client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    return arn


def _wide(site: Site) -> str:
    inner = {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "End": True}}}
    each = {"Type": "Map", "ItemProcessor": inner, "ResultPath": None, "End": True}
    arn = _machine(site, "wide", {"StartAt": "Each", "States": {"Each": each}})
    run: str = site.client.start_execution(stateMachineArn=arn, input=json.dumps([*range(10_000)]))["executionArn"]
    ended(site.client, run)
    return run


def _paint(browser: Any, site: Site, wide: str) -> None:
    order = site.begin("order", site.sample("happy"), "paint")
    ended(site.client, order)
    pages = {"runs": site.page("runs"), "a run": site.page("run", order), "40,000 events": site.page("run", wide)}
    for title, address in pages.items():
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        times = []
        for _ in range(7):
            page = context.new_page()
            page.goto(address)
            page.get_by_role("heading", level=1).wait_for()
            times.append(page.evaluate(PAINT))
            page.close()
        context.close()
        _tell(f"first paint, {title}: {times[0]:.0f} ms at first, then {median(times[1:]):.0f} ms")


def _scrolling(browser: Any, site: Site, wide: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    for title, query, box in (
        ("40,000 events", "?tab=events", '.windowed[aria-label="Events"]'),
        ("10,000 iterations", "?state=Each", ".iterations"),
    ):
        page = context.new_page()
        page.goto(site.page("run", wide, query))
        page.locator(box).wait_for()
        page.wait_for_timeout(1000)
        usual, worst, elements = page.locator(box).evaluate(SCROLL)
        _tell(f"scrolling {title}: a frame takes {usual:.0f} ms, the slowest {worst:.0f} ms; {elements} elements")
        page.close()
    context.close()


def _live(browser: Any, site: Site) -> None:
    looping = {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "Seconds": 5, "Next": "Again"},
            "Again": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.over", "IsPresent": True, "Next": "Over"}],
                "Default": "Wait",
            },
            "Over": {"Type": "Succeed"},
        },
    }
    arn = _machine(site, "looping", looping)
    for number in range(LIVE):
        site.client.start_execution(stateMachineArn=arn, name=f"live-{number}")
    page = browser.new_page()
    page.goto(site.page("runs"))
    page.get_by_text("live", exact=True).wait_for()
    page.wait_for_timeout(2000)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy(devtools)
    page.wait_for_timeout(SECONDS * 1000)
    share = (_busy(devtools) - before) / SECONDS
    elements = page.evaluate("document.querySelectorAll('*').length")
    _tell(f"{LIVE} live executions: {share:.1%} of a core in the tab; {elements} elements")
    page.close()


def _busy(devtools: Any) -> float:
    metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


if __name__ == "__main__":
    main()
