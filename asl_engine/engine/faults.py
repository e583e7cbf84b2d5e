"""Faults that somebody asks for: which calls of which task go wrong, and how, as ``STATE:ERROR@CALLS%PERCENT``.

``ProcessPayment:PaymentRetryableError@2`` fails the second call of that state's task.  Calls are counted within
the branch or iteration that makes them, loops and retries included, so neither the order of branches nor chance
decides what is hit.  What a percentage hits follows from the seed, the state, its iteration and the call.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.engine.durations import milliseconds
from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["TaskFault", "check_faults", "needs_seed", "parse_fault", "strikes"]

EXPECTED = (
    "expected STATE:ERROR, STATE:States.Timeout or STATE:delay=40s, then perhaps @2, @1-3 or @2- for the calls it "
    "is for, and %20 for a percentage of them, as in ProcessPayment:PaymentError@2"
)
_FORM = re.compile(
    r"(?P<state>.+):(?P<what>delay=[^@%:]+|[^\s@%:=]+)"
    r"(?:@(?P<first>\d+)(?P<range>-(?P<last>\d*))?)?(?:%(?P<percent>\d+(?:\.\d+)?))?"
)
DELAY = "delay="
WILDCARD = "States.ALL"


class TaskFault(NamedTuple):
    """What goes wrong: the task fails with ``error``, or takes ``delay`` milliseconds longer.

    ``state`` is a name, or a pattern in which ``*`` stands for any characters.  ``first`` and ``last`` are the
    calls it is for; ``last`` is None for all from the first on.  ``percent`` of these are hit.
    """

    text: str
    state: str
    error: str | None
    delay: int = 0
    first: int = 1
    last: int | None = None
    percent: float | None = None

    def names(self, state: str) -> bool:
        return self.state == state or ("*" in self.state and fnmatchcase(state, _pattern(self.state)))

    def strikes(self, place: Sequence[object], call: int, seed: int) -> bool:
        """Whether it is for this call, the first being 1, of the task at this place."""
        if call < self.first or (self.last is not None and call > self.last):
            return False
        if self.percent is None:
            return True
        return Random(f"{seed} {self.text} {place} {call}").random() * 100 < self.percent


def _pattern(state: str) -> str:
    """Only ``*`` is special here."""
    return state.replace("[", "[[]").replace("?", "[?]")


def parse_fault(text: str) -> TaskFault:
    """Raises ``InvalidInput``."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidInput(Parameter("fault", text), f": {EXPECTED}")
    first = int(found["first"] or 1)
    last = int(found["last"]) if found["last"] else None
    if found["first"] is not None and found["range"] is None:
        last = first
    if first < 1 or (last is not None and last < first):
        raise InvalidInput(Parameter("fault", text), ": calls are counted from 1, and a range goes up: @2 or @1-3")
    percent = None if found["percent"] is None else float(found["percent"])
    if percent is not None and percent > 100:
        raise InvalidInput(Parameter("fault", text), ": a percentage is from 0 to 100")
    what, delay, error = found["what"], 0, None
    if what.startswith(DELAY):
        delay = milliseconds(what.removeprefix(DELAY), f"fault {text}")
    elif what == WILDCARD:
        raise InvalidInput(
            Parameter("fault", text), ": States.ALL stands for all errors and is none itself: name one of them"
        )
    else:
        error = what
    return TaskFault(text, found["state"], error, delay, first, last, percent)


def needs_seed(faults: Iterable[TaskFault]) -> bool:
    return any(fault.percent is not None for fault in faults)


def check_faults(faults: Iterable[TaskFault], types: Mapping[str, str]) -> None:
    """Refuse a fault that no task could have.  ``types`` are those of the states by name.

    Raises ``InvalidInput``.
    """
    tasks = [name for name, type_name in types.items() if type_name == "Task"]
    known = f"its tasks are {', '.join(map(repr, tasks))}" if tasks else "it has no Task state"
    for fault in faults:
        if any(map(fault.names, tasks)):
            continue
        others = [name for name in types if fault.names(name)]
        if others:
            problem = f"{others[0]!r} is a {types[others[0]]} state, and only tasks have faults ({known})"
        elif "*" in fault.state:
            problem = f"no Task state of the machine is called {fault.state!r} ({known})"
        else:
            problem = f"the machine has no state {fault.state!r}{did_you_mean(fault.state, tasks)} ({known})"
        raise InvalidInput(Parameter("fault", fault.text), f": {problem}")


def strikes(
    faults: Iterable[TaskFault], state: str, place: Sequence[object], call: int, seed: int
) -> tuple[int, str | None]:
    """How many milliseconds longer this call takes, and the error that it then fails with, None for none."""
    delay, error = 0, None
    for fault in faults:
        if fault.names(state) and fault.strikes([state, *place], call, seed):
            delay += fault.delay
            error = error or fault.error
    return delay, error
