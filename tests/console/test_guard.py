"""Who may ask the console: each rule by itself, and what browsers are told of the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.console.guard import SESSION_SECONDS, Sessions
from asl_engine.console.routes.table import ROUTES
from tests.console.harness import API, MARKED, Page, console

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRETS = {"ASLKTEST": "a-secret/of+more-than-sixteen"}
TOKEN = "the-token-that-was-printed"  # noqa: S105  of this test


def test_every_answer_says_what_a_page_may_do(page: Page) -> None:
    for path in ("/console", "/console/static/graph.css", f"{API}session", f"{API}nothing", "/console/static/no"):
        headers = page.ask("GET", path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        for part in ("base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'", "form-action 'self'"):
            assert part in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers


# What a page of another site, or another name of this machine, would send; None stands for a sound request.
STRANGERS: dict[str, dict[str, str]] = {
    "another origin": {"Origin": "http://evil.example"},
    "no origin of its own": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "another scheme": {"Origin": "file://127.0.0.1"},
    "another host": {"Host": "evil.example"},
    "a host that begins alike": {"Host": "127.0.0.1.evil.example"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another name of the site": {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("path", ["session", "runs", "stream"])
def test_strangers_are_refused(page: Page, headers: dict[str, str], path: str) -> None:
    found = page.ask("GET", API + path, **headers)
    assert found.status == 403
    assert found.json["error"] == "AccessDenied"


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
def test_strangers_change_nothing(page: Page, headers: dict[str, str]) -> None:
    assert page.write("operations/ListStateMachines", {}, **headers).status == 403


def test_a_page_of_its_own_is_answered(page: Page) -> None:
    host = f"{page.server.host}:{page.server.port}"
    own = {"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert page.ask("GET", f"{API}session", **own).status == 200
    assert page.write("operations/ListStateMachines", {}, **own).status == 200
    # A link from anywhere leads to a page, which has nothing in it yet.
    assert page.ask("GET", "/console/run/x", **{"Sec-Fetch-Site": "cross-site"}).status == 200


UNMARKED: dict[str, tuple[dict[str, str], int]] = {
    "no header of ours": ({**MARKED, "X-Asl-Console": ""}, 403),
    "another value": ({**MARKED, "X-Asl-Console": "yes"}, 403),
    "a form": ({**MARKED, "Content-Type": "application/x-www-form-urlencoded"}, 415),
    "plain text": ({**MARKED, "Content-Type": "text/plain"}, 415),
    "no type": ({**MARKED, "Content-Type": ""}, 415),
}
WRITES = [route.path for route in ROUTES if route.method == "POST" and route.path != "csp"]


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(("headers", "status"), UNMARKED.values(), ids=UNMARKED)
def test_writes_have_a_header_that_no_other_page_can_send(
    page: Page, path: str, headers: dict[str, str], status: int
) -> None:
    assert page.ask("POST", API + path.replace("{name}", "ListStateMachines"), {}, **headers).status == status


def test_a_preflight_is_not_answered(page: Page) -> None:
    found = page.ask("OPTIONS", f"{API}fork", Origin="http://evil.example")
    assert found.status == 403
    assert not [name for name in found.headers if name.startswith("access-control")]


def test_a_read_is_not_a_write_and_the_other_way_round(page: Page) -> None:
    assert page.ask("GET", f"{API}fork").status == 405
    found = page.ask("POST", f"{API}runs", {}, **MARKED)
    assert (found.status, found.json["error"], found.headers["allow"]) == (405, "MethodNotAllowed", "GET")


BODIES: dict[str, tuple[bytes, int]] = {
    "no JSON": (b"{", 400),
    "no object": (b"[]", 400),
    "no UTF-8": (b"\xff", 400),
    "too large": (b'{"x":"' + b"x" * 1_200_000 + b'"}', 413),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_bodies_that_cannot_be_read(page: Page, body: bytes, status: int) -> None:
    found = page.write("validate", body)
    assert (found.status, set(found.json)) == (status, {"error", "message", "remedy"})


# -- violations ---------------------------------------------------------------------------------------


def test_what_a_browser_has_blocked_is_kept(page: Page) -> None:
    report = {
        "csp-report": {
            "effective-directive": "script-src-elem",
            "blocked-uri": "inline",
            "document-uri": "http://127.0.0.1/console" + "x" * 1000,
        }
    }
    sent = page.ask("POST", f"{API}csp", report, **{"Content-Type": "application/csp-report"})
    assert sent.status == 204
    kept = page.get("csp")["reports"][-1]
    assert (kept["directive"], kept["blocked"], len(kept["document"])) == ("script-src-elem", "inline", 200)
    strange: list[Any] = [{"csp-report": 1}, {"csp-report": {"blocked-uri": {}}}, {}]
    for one in strange:
        assert page.ask("POST", f"{API}csp", one, **{"Content-Type": "application/csp-report"}).status == 204
    for _ in range(30):
        page.ask("POST", f"{API}csp", {}, **{"Content-Type": "application/csp-report"})
    assert len(page.get("csp")["reports"]) == 20


# -- signing in ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with console(tmp_path_factory.mktemp("locked"), token=TOKEN, secrets=SECRETS) as found:
        yield found


READS = [route.path for route in ROUTES if route.method == "GET" and route.path != "session"]


@pytest.mark.parametrize("path", [*READS, "stream"])
def test_nothing_is_shown_to_who_has_not_signed_in(locked: Page, path: str) -> None:
    found = locked.ask("GET", API + path)
    assert (found.status, found.json["error"]) == (401, "LoginRequired")


@pytest.mark.parametrize("path", [path for path in WRITES if path != "login"])
def test_nothing_is_changed_by_who_has_not_signed_in(locked: Page, path: str) -> None:
    assert locked.write(path.replace("{name}", "ListStateMachines"), {}).status == 401


def test_the_page_itself_can_be_seen(locked: Page) -> None:
    assert locked.ask("GET", "/console").status == 200
    assert locked.get("session") == {"required": True, "authenticated": False}


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], SECRETS["ASLKTEST"], "é"])
def test_only_the_token_signs_in(locked: Page, token: str) -> None:
    found = locked.write("login", {"token": token})
    assert (found.status, found.json["error"]) == (401, "WrongToken")
    assert "set-cookie" not in found.headers


def test_signing_in_and_out(locked: Page) -> None:
    found = locked.write("login", {"token": TOKEN})
    cookie = found.headers["set-cookie"]
    assert found.json == {"authenticated": True}
    assert TOKEN not in cookie
    for part in ("HttpOnly", "SameSite=strict", "Path=/console", f"Max-Age={SESSION_SECONDS}"):
        assert part in cookie
    assert "Secure" not in cookie
    host = f"{locked.server.host}:{locked.server.port}"
    assert "Secure" in locked.write("login", {"token": TOKEN}, Origin=f"https://{host}").headers["set-cookie"]
    page = Page(locked.server)
    page.cookie = cookie.partition(";")[0]
    assert page.get("session")["authenticated"] is True
    assert page.get("runs")["runs"] == []
    assert page.operation("ListStateMachines") == {"stateMachines": []}
    changed = Page(locked.server)
    changed.cookie = page.cookie.replace("=1", "=2", 1)
    assert changed.refused("runs").status == 401
    out = page.write("logout", {})
    assert "Max-Age=0" in out.headers["set-cookie"]


def test_the_cookie_is_not_enough_for_the_api(locked: Page) -> None:
    """The API itself asks for a signature, whatever the browser sends."""
    page = Page(locked.server)
    page.cookie = locked.write("login", {"token": TOKEN}).headers["set-cookie"].partition(";")[0]
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AWSStepFunctions.ListStateMachines"}
    assert page.ask("POST", "/", {}, **headers).json["__type"] == "MissingAuthenticationTokenException"


def test_a_session_outlives_the_server_and_not_its_keys() -> None:
    first, again = Sessions(SECRETS, "a"), Sessions(SECRETS, "b")
    cookie = first.cookie(1000.0)
    assert again.knows(cookie, 1000.0 + SESSION_SECONDS - 1)
    assert not again.knows(cookie, 1000.0 + SESSION_SECONDS)
    assert not Sessions({"ASLKTEST": "another-secret-than-before"}, "a").knows(cookie, 1000.0)
    for wrong in ("", ".", "x.y.z", cookie[:-1], f"9{cookie}", "é.é"):
        assert not first.knows(wrong, 1000.0)
    assert not Sessions(SECRETS, "").opens("")


def test_a_server_that_asks_nobody_to_sign_in(page: Page) -> None:
    told = page.get("session")
    assert (told["required"], told["authenticated"], told["version"]) == (False, True, "1.2.3")
    assert (told["region"], told["account"]) == ("us-east-1", "123456789012")
    assert page.post("login", token="whatever") == {"authenticated": True}  # noqa: S106  there is none


def test_a_server_without_the_console(tmp_path: Path) -> None:
    from tests.server.harness import running

    with running(tmp_path / "asl.db") as server:
        assert Page(server).ask("GET", "/console").status == 404
        assert Page(server).ask("GET", f"{API}session").status == 404
