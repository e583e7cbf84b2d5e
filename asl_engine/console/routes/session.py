"""Signing in, and what the server is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from asl_engine.console.guard import COOKIE, SESSION_SECONDS
from asl_engine.console.refusals import ConsoleError, answer

if TYPE_CHECKING:
    from asl_engine.console.asked import Asked

__all__ = ["csp", "login", "logout", "report", "session"]


async def session(asked: Asked) -> dict[str, Any]:
    """Who one is, and of which server; answered to everybody who may ask at all."""
    guard, known = asked.desk.guard, asked.desk.guard.is_known(asked.http)
    told: dict[str, Any] = {"required": guard.sessions is not None, "authenticated": known}
    if not known:
        return told
    caller = asked.desk.caller
    return {
        **told,
        "version": asked.desk.settings.version,
        "region": caller.region,
        "account": caller.account,
        "now": asked.service.engine.clock.now(),
        "features": {"cost": True},
    }


async def login(asked: Asked) -> Response:
    """Exchange the token for a cookie."""
    sessions = asked.desk.guard.sessions
    if sessions is not None and not sessions.opens(asked.given("token")):
        raise ConsoleError(401, "WrongToken", "This is not the token", "It is in what `asl serve` has printed.")
    done = answer({"authenticated": True})
    if sessions is not None:
        done.set_cookie(
            COOKIE,
            sessions.cookie(time.time()),
            max_age=SESSION_SECONDS,
            path="/console",
            httponly=True,
            samesite="strict",
            secure=asked.http.headers.get("origin", "").startswith("https:"),  # a proxy with TLS is before it
        )
    return done


async def logout(asked: Asked) -> Response:
    del asked
    done = answer({"authenticated": False})
    done.delete_cookie(COOKIE, path="/console", httponly=True, samesite="strict")
    return done


async def report(asked: Asked) -> Response:
    """What the browser has blocked."""
    asked.desk.violations.take(asked.body)
    return Response(status_code=204)


async def csp(asked: Asked) -> dict[str, Any]:
    """The last of those reports."""
    return {"reports": [*asked.desk.violations.kept]}
