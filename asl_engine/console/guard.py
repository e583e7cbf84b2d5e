"""Who may ask the console: nobody through a name that is not the server's, no page but its own, no stranger.

A page of another origin can send requests here, and cannot read the answers; so what changes anything has a header
that such a page may not send without being allowed to (there is no CORS here), and every request is looked at for
the origin that the browser gives.  Where requests to the API have to be signed, a person signs in with a token,
and the browser keeps a cookie, which no script can read and no other site's request carries.
"""

from __future__ import annotations

import hmac
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from asl_engine.console.refusals import ConsoleError
from asl_engine.server.protocol.hosts import answers_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from asl_engine.server.protocol.http import Admission

__all__ = ["COOKIE", "HEADERS", "POLICY", "SESSION_SECONDS", "Guard", "Sessions"]

COOKIE: Final = "asl_console"
MARK: Final = "x-asl-console"
REPORTS: Final = "/console/api/csp"
# What is answered to those who have not signed in.
OPEN: Final = frozenset({("GET", "/console/api/session"), ("POST", "/console/api/login"), ("POST", REPORTS)})
# A browser sends reports by itself, so they have no header of ours.
UNMARKED: Final = frozenset({REPORTS})
SESSION_SECONDS: Final = 12 * 3600
SHOWN_LENGTH: Final = 80

POLICY: Final = (
    "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; form-action 'self'; "
    f"report-uri {REPORTS}"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Sessions:
    """Signed cookies, so that a page that is open outlives a restart of the server.

    Their key is made of the secret access keys: with other keys, nobody is signed in any more.
    """

    def __init__(self, secret_keys: Mapping[str, str], token: str) -> None:
        self._key = sha256("\n".join(f"{key} {secret_keys[key]}" for key in sorted(secret_keys)).encode()).digest()
        self._token = token

    def opens(self, token: str) -> bool:
        """Whether this is the token that was printed."""
        return bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())

    def cookie(self, now: float) -> str:
        """A new session; ``now`` is in seconds since the epoch."""
        text = f"{int(now) + SESSION_SECONDS}.{secrets.token_urlsafe(12)}"
        return f"{text}.{self._signature(text)}"

    def knows(self, cookie: str, now: float) -> bool:
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._signature(text).encode(), signature.encode()):
            return False
        return now < int(text.partition(".")[0])

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, b"asl-engine console " + text.encode(), sha256).hexdigest()


class Guard:
    """Looks at every request before anything else does."""

    def __init__(self, admission: Admission, token: str) -> None:
        self._admission = admission
        self.sessions = None if admission.secrets is None else Sessions(admission.secrets, token)

    def check(self, request: Request) -> None:
        """Raises ``ConsoleError`` for a request that is not to be answered."""
        path = request.url.path
        self._check_host(request)
        self._check_origin(request)
        if not path.startswith("/console/api/"):
            return
        site = request.headers.get("sec-fetch-site", "none")
        if site not in {"same-origin", "none"}:
            raise _denied(f"A page of another site ({site}) may not ask the console")
        if request.method not in {"GET", "HEAD"} and path not in UNMARKED:
            _check_marked(request)
        if (request.method, path) not in OPEN and not self.is_known(request):
            raise ConsoleError(
                401,
                "LoginRequired",
                "This server answers nobody who has not signed in",
                "Open the link that `asl serve` has printed, or give its token.",
            )

    def is_known(self, request: Request) -> bool:
        """Whether the browser is signed in, or need not be."""
        if self.sessions is None:
            return True
        return self.sessions.knows(request.cookies.get(COOKIE, ""), time.time())

    def _check_host(self, request: Request) -> None:
        hosts, host = self._admission.hosts, request.headers.get("host", "")
        if hosts is not None and not answers_to(host, hosts):
            raise _denied(
                f"The server does not answer to the host name '{host[:SHOWN_LENGTH]}'",
                "Use localhost, or start the server so that it answers to this name.",
            )

    def _check_origin(self, request: Request) -> None:
        """What a browser says of the page that asks: it has to be one of this very host."""
        origin = request.headers.get("origin")
        if origin is None:
            return
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or parts.netloc != request.headers.get("host", ""):
            raise _denied(f"The page of '{origin[:SHOWN_LENGTH]}' may not ask the console")


def _check_marked(request: Request) -> None:
    if request.headers.get(MARK) != "1":
        raise _denied("A request that changes anything needs the header X-Asl-Console: 1")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ConsoleError(415, "UnsupportedMediaType", "The content type has to be application/json")


def _denied(message: str, remedy: str | None = None) -> ConsoleError:
    return ConsoleError(403, "AccessDenied", message, remedy)
