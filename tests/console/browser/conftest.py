"""One browser and one server for all tests of a worker; names keep the tests apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.console.browser.site import Site, chromium, sites

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 15_000  # milliseconds
NO_BROWSER = "there is no Chromium on this machine; .ci/run installs it"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, or whatever of its kind is there.

    Playwright keeps an event loop in this thread, where no other test could have one: so it ends with the module.
    """
    path = chromium()
    if path is None:
        pytest.skip(NO_BROWSER)
    sync_api = pytest.importorskip("playwright.sync_api", reason="the extra `test` has Playwright")
    sync_api.expect.set_options(timeout=PATIENCE)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if chromium() is None:
        pytest.skip(NO_BROWSER)  # no server where nobody can look at it
    with sites(tmp_path_factory.mktemp("site"), "--time", "scale=0.05") as made:
        yield made


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab without a memory.  A script that fails, or is refused, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    troubles: list[str] = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("console", lambda message: troubles.append(message.text) if _is_ours(message) else None)
    yield tab
    context.close()
    assert not troubles


def _is_ours(message: Any) -> bool:
    """What the page logs as an error, but not that a server answered with a refusal, or was not there."""
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def name() -> str:
    return f"r-{uuid4().hex[:12]}"
