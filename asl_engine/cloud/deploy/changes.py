"""What a deployment does, or would do: every call that writes to AWS goes through here.

The same code runs twice: first with ``apply`` off, to read and to list what it would write; then, if there is
anything to write, with ``apply`` on.  A dry run is the first half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from asl_engine.cloud.client import AwsError, error_code, error_message, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Changes", "found", "pages"]

T = TypeVar("T")

# A new role is not known everywhere at once: the seconds between two attempts.
_ROLE_DELAYS = (1, 2, 3, 5, 8, 10, 10, 10, 10)
_ROLE_WORDS = ("assume the provided role", "cannot be assumed by", "not authorized to access the log")
_STATUS_DELAYS = (0.5, 1, 1, 2, 2, 3, 5, 5, 10, 10, 10, 10)


class Changes:
    """``tell`` receives a line for each write, ``pause`` sleeps for seconds, ``done`` lists the writes so far."""

    def __init__(self, *, apply: bool, tell: Callable[[str], None], pause: Callable[[float], None]) -> None:
        self.apply = apply
        self.tell = tell
        self.pause = pause
        self.done: list[str] = []

    def write(self, what: str, call: Callable[[], T], detail: str = "") -> T | None:
        """Announce a call that writes, and make it; while nothing is applied, only announce it and return None.

        ``what`` begins with a verb: "create the role x".  Raises ``AwsError``.
        """
        self.done.append(what)
        if not self.apply:
            self.tell(f"{what}{detail}")
            return None
        self.tell(what)
        with explained(what):
            return call()

    def write_with_role(self, what: str, call: Callable[[], T], detail: str = "") -> T | None:
        """``write``, repeated until AWS knows everywhere that the role may be assumed."""

        def patient() -> T:
            from botocore.exceptions import ClientError

            for delay in _ROLE_DELAYS:
                try:
                    return call()
                except ClientError as error:
                    if not any(words in error_message(error) for words in _ROLE_WORDS):
                        raise
                    self.tell("waiting until AWS knows the role everywhere")
                    self.pause(delay)
            return call()

        return self.write(what, patient, detail)

    def wait_until(self, what: str, ready: Callable[[], bool]) -> None:
        """Call ``ready`` until it returns true.  Raises ``AwsError`` after about a minute."""
        for delay in (*_STATUS_DELAYS, None):
            with explained(f"see whether {what}"):
                if ready():
                    return
            if delay is not None:
                self.pause(delay)
        raise AwsError(f"still waiting until {what}: run the same command again to go on waiting")


def found(doing: str, call: Callable[[], T], *absent: str) -> T | None:
    """The answer of a call that reads; None if AWS answers with one of the errors ``absent``."""
    from botocore.exceptions import ClientError

    with explained(doing):
        try:
            return call()
        except ClientError as error:
            if error_code(error) in absent:
                return None
            raise


def pages(call: Callable[..., dict[str, Any]], sent: str = "nextToken", got: str = "nextToken") -> Iterator[Any]:
    """All pages of an answer; ``sent`` and ``got`` are the operation's names for the token of the next page."""
    token: dict[str, str] = {}
    while True:
        page = call(**token)
        yield page
        if not page.get(got):
            return
        token = {sent: page[got]}
