"""One line for each thing that happens: executions begin and end, attempts fail, retries are due; requests are
answered, events delivered, and functions write something.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import event_resource, function_name, last_part
from asl_engine.json_text import loads
from asl_engine.practice.moments import AttemptEnded, Following, RetryDue, RunEnded, RunStarted
from asl_engine.projections.causes import readable_cause
from asl_engine.store.bus_records import DELIVERED, FAILED, PENDING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.events.rule_book import RuleBook
    from asl_engine.gateway.app import Handled
    from asl_engine.store.bus_records import Delivery, DeliveryStatus

__all__ = ["Telling", "short_target", "shown_seconds", "without_lines"]

FEW_MILLISECONDS: Final = 1
MINUTE: Final = 60
LONGEST_MESSAGE: Final = 160
LINES: Final = re.compile(r":\d+(?::\d+)?:")
OUTCOMES: Final = {DELIVERED: "delivered", FAILED: "not delivered", PENDING: "failed, and is tried again"}


class Telling:
    """``observe`` takes events once they are stored; ``say`` gets each line.

    Files are told relative to ``root``.
    """

    def __init__(self, say: Callable[[str], None], root: Path | None = None) -> None:
        self._say = say
        self._root = None if root is None else f"{root}{os.sep}"
        self._following = Following()

    def observe(self, run: Run, events: list[Event]) -> None:
        if run.execution.identity.map_run is not None:  # there may be a million of them
            return
        who = f"{run.execution.identity.machine_name}/{run.execution.identity.name}"
        for moment in self._following.moments(run, events):
            told = _told(moment)
            if told:
                hint = f" (asl history {who})" if isinstance(moment, RunEnded) and moment.error else ""
                self.tell(f"{who} {told}{hint}")

    def handled(self, request: Handled) -> None:
        """A request to an API was answered."""
        target = f" -> {short_target(request.target)}" if request.target else ""
        why = f" ({request.why})" if request.why else ""
        took = shown_seconds(request.seconds)
        self.tell(f"{request.method} {request.path}{target} {request.status} in {took}{why}")

    def delivered(
        self, book: RuleBook | None, delivery: Delivery, status: DeliveryStatus, note: Mapping[str, Any]
    ) -> None:
        """An attempt to deliver an event has ended."""
        event = loads(delivery.event.text)
        found = None if book is None else book.find(delivery.rule_arn, delivery.target)
        target = delivery.target if found is None else short_target(found[1].arn)
        rule = (event_resource(delivery.rule_arn) or ("", delivery.rule_arn))[1]
        kind = event.get("detail-type") if isinstance(event, dict) else "event"
        outcome = OUTCOMES[status]
        why = "" if status == DELIVERED else f": {note.get('code')}: {readable_cause(note.get('message'))}"
        self.tell(f"{kind}: {rule} -> {target} {outcome}{why}")

    def written(self, function: str, line: str) -> None:
        """A function has written a line."""
        self.tell(f"{function} | {line}")

    def tell(self, text: str) -> None:
        """Say something with the time of day before it."""
        if self._root is not None:
            text = text.replace(self._root, "")
        self._say(f"{datetime.now().astimezone():%H:%M:%S} {text}")


def _told(moment: RunStarted | RunEnded | AttemptEnded | RetryDue) -> str:
    match moment:
        case RunStarted(redriven):
            return "redriven" if redriven else "started"
        case RunEnded(status, seconds, error, cause):
            why = _why(error, cause)
            return f"{status.lower().replace('_', ' ')}{why} after {shown_seconds(seconds)}"
        case AttemptEnded(state, outcome, seconds, error, cause):
            if outcome == "succeeded":
                return ""
            why = _why(error, cause)
            return f"{state} {outcome.replace('_', ' ')}{why} after {shown_seconds(seconds)}"
        case RetryDue(state, seconds):
            return f"{state} is tried again in {shown_seconds(seconds)}"


def _why(error: str | None, cause: str | None) -> str:
    """The error and its message, as much of it as a line has room for."""
    message = shorten(readable_cause(cause) or "", LONGEST_MESSAGE, placeholder=" ...")
    told = ": ".join(filter(None, (error, message)))
    return f" ({told})" if told else ""


def without_lines(text: str) -> str:
    """What a line says, wherever in a file that is: a comment above makes no other fault of it."""
    return LINES.sub(":", text)


def shown_seconds(seconds: float) -> str:
    """``0.012 s``, ``12.3 s``, ``75 s``."""
    return f"{seconds:.3f} s" if seconds < FEW_MILLISECONDS else f"{seconds:.{1 if seconds < MINUTE else 0}f} s"


def short_target(arn: str | None) -> str:
    """The name of a function or a machine."""
    if not arn:
        return "an answer of its own"
    return function_name(arn) or last_part(arn)
