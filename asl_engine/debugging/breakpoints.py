"""Where an execution is to stop: at states, under conditions, after so many hits, at errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.debugging.questions import compile_question, is_true
from asl_engine.errors import InvalidInput, shown_error
from asl_engine.findings import did_you_mean
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING
from asl_engine.states.recovery import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asl_engine.debugging.places import View
    from asl_engine.debugging.questions import Question

__all__ = ["Breakpoint", "Breakpoints", "ErrorStops"]

HITS = re.compile(r"\s*(==|>=|<=|>|<|%)?\s*(\d+)\s*")
IN_BRACES = re.compile(r"\{([^{}]*)\}")
HIT_TESTS: dict[str, Callable[[int, int], bool]] = {
    "": lambda hits, wanted: hits == wanted,
    "==": lambda hits, wanted: hits == wanted,
    ">=": lambda hits, wanted: hits >= wanted,
    ">": lambda hits, wanted: hits > wanted,
    "<=": lambda hits, wanted: hits <= wanted,
    "<": lambda hits, wanted: hits < wanted,
    "%": lambda hits, wanted: hits % wanted == 0,
}


class LogMessage(NamedTuple):
    """A text with expressions in braces."""

    parts: tuple[str | Question, ...]

    def told(self, view: View) -> str:
        return "".join(part if isinstance(part, str) else _value(part, view) for part in self.parts)


def _value(question: Question, view: View) -> str:
    try:
        value = question.ask(view)
    except InvalidInput as error:
        return f"<{error}>"
    if value is MISSING:
        return "<nothing>"
    return value if isinstance(value, str) else dumps(value)


@dataclass
class Breakpoint:
    """``after`` stops when the state was left, else before it is entered.  ``hits`` counts when it counted."""

    number: int
    state: str
    after: bool = False
    condition: Question | None = None
    hit_text: str = ""
    message: LogMessage | None = None
    hits: int = 0
    fault: str = ""  # what its condition could not be evaluated for, the last time

    def is_at(self, view: View) -> bool:
        """Whether it is about this place, whatever its condition."""
        if self.after:
            return view.left == self.state and view.place.kind in {"before", "end"}
        return view.place.kind == "before" and view.state == self.state

    def holds(self, view: View) -> bool:
        """Whether its condition holds; one that cannot be evaluated does, so that somebody sees it."""
        self.fault = ""
        if self.condition is None:
            return True
        try:
            return is_true(self.condition.ask(view))
        except InvalidInput as error:
            self.fault = str(error)
            return True

    def counts(self) -> bool:
        """Count a hit, and say whether it is one to stop at."""
        self.hits += 1
        found = HITS.fullmatch(self.hit_text)
        return found is None or HIT_TESTS[found[1] or ""](self.hits, int(found[2]))

    def __str__(self) -> str:
        told = f"{self.number}  {'after' if self.after else 'before'} {self.state}"
        told += f"  if {self.condition.text}" if self.condition is not None else ""
        told += f"  hits {self.hit_text.strip()}" if self.hit_text else ""
        return told + (f"  (hit {self.hits} time{'' if self.hits == 1 else 's'})" if self.hits else "")


@dataclass
class Breakpoints:
    """Those of one state machine; ``languages`` has the query language of each of its states."""

    languages: Mapping[str, str]
    all: dict[int, Breakpoint] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(
        self, state: str, *, after: bool = False, condition: str = "", hits: str = "", message: str = ""
    ) -> Breakpoint:
        """Raises ``InvalidInput`` for a state that there is not, and for no condition or number of hits."""
        language = self.languages.get(self.checked(state), "")
        if hits.strip():
            found = HITS.fullmatch(hits)
            if found is None or (found[1] == "%" and int(found[2]) == 0):
                raise InvalidInput(f"{hits!r} is no number of hits: write 3, >= 3 or % 3")
        made = Breakpoint(
            next(self._numbers),
            state,
            after,
            compile_question(condition, language) if condition.strip() else None,
            hits.strip(),
            _log_message(message, language) if message else None,
        )
        self.all[made.number] = made
        return made

    def checked(self, state: str) -> str:
        """The name of a state.  Raises ``InvalidInput``, which lists those that there are."""
        if state not in self.languages:
            there = ", ".join(self.languages)
            raise InvalidInput(
                f"the machine has no state {state!r}{did_you_mean(state, self.languages)} (there are {there})"
            )
        return state

    def remove(self, number: int) -> None:
        """Raises ``InvalidInput``."""
        if self.all.pop(number, None) is None:
            there = ", ".join(map(str, self.all)) or "none"
            raise InvalidInput(f"there is no breakpoint {number}; there are {there}")

    def at(self, view: View) -> list[Breakpoint]:
        """Those whose conditions hold here, hits aside."""
        return [one for one in self.all.values() if one.is_at(view) and one.holds(view)]


def _log_message(text: str, language: str) -> LogMessage:
    parts: list[str | Question] = []
    end = 0
    for found in IN_BRACES.finditer(text):
        parts += [text[end : found.start()], compile_question(found[1], language)]
        end = found.end()
    return LogMessage((*parts, text[end:]))


@dataclass
class ErrorStops:
    """The errors to stop at, before a Retry or a Catch sees them.

    ``all``: any; ``uncaught``: those that end the execution; ``names``: as in ErrorEquals.
    """

    all: bool = False
    uncaught: bool = True
    names: tuple[str, ...] = ()

    def wants(self, error: str | None, *, caught: bool) -> bool:
        return self.all or (self.uncaught and not caught) or (bool(self.names) and matches(self.names, error))

    def __str__(self) -> str:
        named = [*self.names]
        kinds = ["any error"] if self.all else ["errors that nothing catches"] if self.uncaught else []
        return ", ".join([*kinds, *(shown_error(name) or "" for name in named)]) or "no errors"
