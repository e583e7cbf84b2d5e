"""What others may do: names that are markup, pages of another origin, data and definitions of any size."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.console.browser.site import Site

pytest.importorskip("playwright.sync_api", reason="the extra `test` has Playwright")
from playwright.sync_api import expect

MARKUP = '<img src=x onerror="window.hurt=1">'
NAMES = [
    MARKUP,
    "</script><script>window.hurt=1</script>",
    "🧨 naïve {{7*7}} ${hurt}",
    "תשלום \u202emoc.elpmaxe",
    "a&b;'\"",
]
ROLE = "arn:aws:iam::123456789012:role/demo"


def machine_of(site: Site, name: str, definition: dict[str, Any]) -> str:
    arn: str = site.client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]
    return arn


def test_names_and_data_that_are_markup_stay_text(site: Site, page: Any, name: str) -> None:
    states: dict[str, Any] = {
        one: {"Type": "Pass", "Comment": MARKUP, **({"Next": after} if after else {"Next": "Fail"})}
        for one, after in zip(NAMES, [*NAMES[1:], ""], strict=True)
    }
    states["Fail"] = {"Type": "Fail", "Error": MARKUP, "Cause": f"{MARKUP} because"}
    arn = machine_of(site, name, {"StartAt": NAMES[0], "States": states})
    run = site.client.start_execution(stateMachineArn=arn, name=name, input=json.dumps({MARKUP: NAMES}))[
        "executionArn"
    ]
    page.goto(site.page("run", run))
    expect(page.get_by_role("region", name="Why it ended")).to_contain_text(f"{MARKUP} because")
    expect(page.locator(".picture g.node")).to_have_count(len(states))
    page.locator(".picture g.node").first.click()
    expect(page.get_by_role("complementary").get_by_role("heading", level=2)).to_have_text(NAMES[0])
    for tab in ("Timeline", "Events", "States"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("table", name=tab).locator("tbody tr[data-row]").nth(1)).to_be_visible()
    expect(page.get_by_role("table", name="States")).to_contain_text(
        "\\u202emoc"
    )  # what reorders text is written out
    for address in (
        site.page("machine", arn),
        site.page("runs"),
        site.page("compare", query=f"?one={run}&other={run}"),
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".loading")).to_have_count(0)
    assert page.evaluate("window.hurt") is None
    assert page.locator("main img, main script").count() == 0


def test_an_address_is_no_way_in(site: Site, page: Any) -> None:
    for address in (
        "/console/%3Cscript%3Ewindow.hurt=1%3C/script%3E",
        f"/console/run/{'%3Cimg%20src=x%20onerror=hurt%3E'}",
        "/console/run/%zz",
        "/console/run",
    ):
        page.goto(site.url + address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".loading")).to_have_count(0)
    assert page.evaluate("window.hurt") is None


def test_scripts_and_styles_that_are_not_ours_are_refused_and_reported(site: Site, browser: Any) -> None:
    page = browser.new_page()
    page.goto(site.page("runs"))
    with page.expect_response("**/console/api/csp") as report:
        page.evaluate(
            """() => { const script = document.createElement('script'); script.textContent = 'window.hurt = 1';
            document.body.append(script); }"""
        )
    assert report.value.ok
    assert page.evaluate("window.hurt") is None
    # What DevTools evaluate may evaluate: so this is asked of a timer, which may not.
    late = "new Promise((done) => { setTimeout('window.hurt = 2'); setTimeout(() => done(window.hurt), 50); })"
    assert page.evaluate(late) is None
    page.goto(f"{site.url}/console/api/csp")
    reports = json.loads(page.inner_text("body"))["reports"]
    assert any(one["directive"].startswith("script-src") or one["directive"] == "default-src" for one in reports)
    page.close()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of a page of another origin, on the same machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *arguments: object) -> None:
            del arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


ATTACKS = {
    "a read": "fetch(url + '/console/api/runs').then((answer) => answer.text())",
    "a blind read": "fetch(url + '/console/api/runs', {mode: 'no-cors'}).then((answer) => answer.text())",
    "a write": """fetch(url + '/console/api/operations/StopExecution', {method: 'POST', headers: {'Content-Type':
        'application/json', 'X-Asl-Console': '1'}, body}).then((answer) => answer.text())""",
    "a simple write": """fetch(url + '/console/api/operations/StopExecution', {method: 'POST', mode: 'no-cors',
        headers: {'Content-Type': 'text/plain'}, body}).then((answer) => answer.text())""",
    "a stream": """new Promise((done) => { const source = new EventSource(url + '/console/api/stream');
        source.onopen = () => done('open'); source.onerror = () => { source.close(); done(''); }; })""",
    "a frame": """new Promise((done) => { const frame = document.createElement('iframe');
        frame.src = url + '/console';
        frame.onload = () => { try { done(frame.contentDocument?.body.innerText || ''); } catch { done(''); } };
        document.body.append(frame); })""",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_page_of_another_origin_gets_nothing(
    site: Site, browser: Any, elsewhere: str, name: str, attack: str
) -> None:
    arn = site.begin("stock", "{}", name)
    page = browser.new_page()
    page.goto(elsewhere)
    got = page.evaluate(
        "async ([url, body, code]) => { try { return await eval(code); } catch (error) { return ''; } }",
        [site.url, json.dumps({"executionArn": arn}), ATTACKS[attack]],
    )
    page.close()
    assert got == ""
    assert site.client.describe_execution(executionArn=arn)["status"] == "RUNNING"


def test_a_form_of_another_origin_changes_nothing(site: Site, browser: Any, elsewhere: str, name: str) -> None:
    arn = site.begin("stock", "{}", name)
    page = browser.new_page()
    page.goto(elsewhere)
    with page.expect_navigation():
        page.evaluate(
            """([url, body]) => { const form = document.createElement('form'); form.method = 'POST';
            form.enctype = 'text/plain'; form.action = url + '/console/api/operations/StopExecution';
            const field = document.createElement('input'); field.name = body.slice(0, -1) + ',"x":"';
            field.value = '"}'; form.append(field); document.body.append(form); form.submit(); }""",
            [site.url, json.dumps({"executionArn": arn})],
        )
    assert site.client.describe_execution(executionArn=arn)["status"] == "RUNNING"
    page.close()


def test_what_does_not_exist_is_said_in_plain_words(site: Site, page: Any) -> None:
    run = "arn:aws:states:us-east-1:123456789012:execution:order:nobody"
    page.goto(site.page("run", run))
    expect(page.get_by_text("This run does not exist, or no longer.")).to_be_visible()
    page.goto(site.page("machine", "arn:aws:states:us-east-1:123456789012:stateMachine:nothing"))
    expect(page.get_by_text("This state machine does not exist, or no longer.")).to_be_visible()
    page.goto(site.page("compare", query=f"?one={run}&other={run}"))
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(site.page("maprun", "arn:aws:states:us-east-1:123456789012:mapRun:order/Map:x"))
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(site.page("nowhere"))
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_a_database_that_cannot_be_read_is_said_and_asked_again(site: Site, page: Any, name: str) -> None:
    site.begin("stock", "{}", name)
    refusal = {"error": "StoreUnavailable", "message": "The database is locked.", "remedy": None}
    away = [True]

    def answer(route: Any) -> None:
        if away[0]:
            route.fulfill(status=503, content_type="application/json", body=json.dumps(refusal))
        else:
            route.continue_()

    page.route("**/console/api/runs?*", answer)
    page.goto(site.page("runs", query=f"?name={name}"))
    expect(page.get_by_text("The database cannot be read at the moment.")).to_be_visible()
    away[0] = False
    expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_text("The database cannot be read at the moment.")).to_have_count(0)
    away[0] = True
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("The database is locked.")


def test_a_payload_of_256_kib_is_shown_in_part_and_whole(site: Site, page: Any, name: str) -> None:
    text = json.dumps({"rows": ["ä" * 50 for _ in range(2400)], "end": "the very end"}, ensure_ascii=False)
    assert 240_000 < len(text.encode()) < 262_144
    arn = machine_of(site, name, {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}})
    run = site.client.start_execution(stateMachineArn=arn, name=name, input=text)["executionArn"]
    page.goto(site.page("run", run))
    side = page.get_by_role("complementary")
    expect(side.get_by_role("button", name="Show all").first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('*').length") < 4000
    side.get_by_role("button", name="KiB").first.click()
    expect(side.get_by_role("group", name="Input of the run")).to_contain_text("the very end")


def test_a_definition_of_500_states_is_shown(site: Site, page: Any, name: str) -> None:
    comment = "x" * 1900
    states: dict[str, Any] = {
        f"S{i}": {"Type": "Pass", "Comment": comment, "Next": f"S{i + 1}"} for i in range(499)
    }
    states["S499"] = {"Type": "Succeed"}
    definition = {"StartAt": "S0", "States": states}
    assert 950_000 < len(json.dumps(definition)) < 1_048_576
    arn = machine_of(site, name, definition)
    page.goto(site.page("machine", arn))
    expect(page.locator(".picture g.node")).to_have_count(500)
    expect(page.get_by_role("textbox", name="Definition")).to_be_visible()
    assert page.locator(".numbers div").count() < 100
    run = site.client.start_execution(stateMachineArn=arn, name=name, input="{}")["executionArn"]
    page.goto(site.page("run", run))
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    page.get_by_role("tab", name="States").click()
    expect(page.get_by_role("table", name="States")).to_have_attribute("aria-rowcount", "501")
    assert page.get_by_role("table", name="States").locator("tr").count() < 100
