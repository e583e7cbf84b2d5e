"""One state of a run, over all the times that it was entered: what it did, and assertions about that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from asl_engine.engine.durations import how_often
from asl_engine.testing.differences import differences, shown
from asl_engine.testing.hiding import hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from asl_engine.visits.reading import Visit

__all__ = ["UNSET", "StateOfRun", "seconds"]

__tracebackhide__ = hidden
UNSET: Final[Any] = object()  # an argument that was not given
ATTEMPTED: Final = frozenset({"Task", "Map", "Parallel"})  # the types whose work can be tried again
_T = TypeVar("_T")


def seconds(milliseconds: int) -> float:
    """Whole seconds as whole numbers, as tests write them."""
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000


class StateOfRun:
    """A state of a run.

    The properties in the plural have one entry for each time that the state was entered, in that order, also in
    branches and iterations; ``calls``, ``errors`` and ``delays`` one for each attempt, failure and retry.
    The assertions raise ``AssertionError`` with the path that the run took.
    """

    def __init__(self, name: str, visits: Sequence[Visit], draw: Callable[[Collection[Visit]], str]) -> None:
        self.name = name
        self._visits = visits
        self._draw = draw

    def __repr__(self) -> str:
        return f"<state {self.name!r}, entered {how_often(len(self._visits))}>"

    # -- what it did ------------------------------------------------------------------------------------

    @property
    def entered(self) -> int:
        """How many times the state was entered."""
        return len(self._visits)

    @property
    def inputs(self) -> list[Any]:
        return [visit.input for visit in self._visits]

    @property
    def outputs(self) -> list[Any]:
        """Those of the visits in which the state succeeded, or was left by a catcher."""
        return [visit.output for visit in self._visits if visit.exited]

    @property
    def input(self) -> Any:
        return self._only("input", self.inputs)

    @property
    def output(self) -> Any:
        return self._only("output", self.outputs)

    @property
    def variables(self) -> dict[str, Any]:
        """The variables that are in scope when the state has ended, its own Assign included."""
        return self._only("set of variables", [visit.variables for visit in self._visits])

    @property
    def calls(self) -> list[Any]:
        """What the task was called with, by attempt."""
        return [attempt.called_with for visit in self._visits for attempt in visit.attempts if attempt.calls]

    @property
    def attempts(self) -> int:
        return sum(len(visit.attempts) for visit in self._visits)

    @property
    def delays(self) -> list[float]:
        """How long each retry waited, in seconds.  What a redrive attempts waits for none."""
        return [
            seconds(attempt.delay)
            for visit in self._visits
            for attempt in visit.attempts[1:]
            if not attempt.redriven
        ]

    @property
    def errors(self) -> list[str | None]:
        """The error name of each attempt that failed."""
        return [attempt.error for visit in self._visits for attempt in visit.attempts if attempt.failed]

    @property
    def causes(self) -> list[str | None]:
        return [attempt.cause for visit in self._visits for attempt in visit.attempts if attempt.failed]

    @property
    def caught(self) -> list[str]:
        """The errors that the state's Catch took."""
        return [visit.caught for visit in self._visits if visit.caught is not None]

    @property
    def iterations(self) -> int:
        """How many iterations, branches, child executions or nested executions the state began."""
        return sum(len(visit.lanes) for visit in self._visits)

    # -- assertions -------------------------------------------------------------------------------------

    def assert_entered(self, times: int | None = None) -> StateOfRun:
        """The state was entered, so many times where it is said."""
        if self.entered == 0 if times is None else self.entered != times:
            expected = "to be entered" if times is None else f"to be entered {how_often(times)}"
            self._fail(f"expected {expected}, was {_entered(self.entered)}")
        return self

    def assert_not_entered(self) -> StateOfRun:
        if self._visits:
            self._fail(f"expected not to be entered, was {_entered(self.entered)}")
        return self

    def assert_attempts(self, attempts: int, *, delays: Sequence[float] | None = None) -> StateOfRun:
        """So many attempts were made; ``delays`` are the seconds before each but the first."""
        problems = (
            [] if self.attempts == attempts else [f"expected {_counted(attempts, 'attempt')}, got {self.attempts}"]
        )
        if delays is not None and list(delays) != self.delays:
            problems.append(f"expected delays of {list(delays)} seconds, got {self.delays}")
        if problems:
            self._fail(*problems, *self._no_attempts())
        return self

    def assert_input(self, *expected: Any) -> StateOfRun:
        """The input of each time that the state was entered."""
        return self._assert_same("input", expected, self.inputs)

    def assert_output(self, *expected: Any) -> StateOfRun:
        """The output of each time that the state was left."""
        return self._assert_same("output", expected, self.outputs)

    def assert_called_with(self, *expected: Any) -> StateOfRun:
        """What each attempt called the task with."""
        return self._assert_same("call", expected, self.calls, *self._no_attempts())

    def assert_variables(self, *expected: dict[str, Any]) -> StateOfRun:
        """The variables in scope each time that the state has ended."""
        return self._assert_same("variables", expected, [visit.variables for visit in self._visits])

    def assert_failed(self, error: str, cause: Any = UNSET) -> StateOfRun:
        """The last attempt failed with this error, caught or not."""
        if not self.errors:
            self._fail(f"expected to fail with {error}, and no attempt failed")
        problems = [] if self.errors[-1] == error else [f"error: expected {error}, got {self.errors[-1]}"]
        if cause is not UNSET and self.causes[-1] != cause:
            problems.append(f"cause: expected {shown(cause)}, got {shown(self.causes[-1])}")
        if problems:
            self._fail(*problems)
        return self

    def assert_caught(self, error: str, *, next: str | None = None) -> StateOfRun:  # noqa: A002  the field's name
        """The state's Catch took this error, last of all, and went on to ``next``."""
        if not self.caught:
            failed = f"; it failed with {self.errors[-1]}" if self.errors else ""
            self._fail(f"expected to catch {error}, and nothing was caught{failed}")
        visit = [visit for visit in self._visits if visit.caught is not None][-1]
        problems = [] if visit.caught == error else [f"expected to catch {error}, caught {visit.caught}"]
        if next is not None and visit.next != next:
            problems.append(f"expected to go on to {next}, went on to {visit.next}")
        if problems:
            self._fail(*problems)
        return self

    def assert_iterations(self, iterations: int) -> StateOfRun:
        if self.iterations != iterations:
            self._fail(f"expected {_counted(iterations, 'iteration')}, got {self.iterations}")
        return self

    # -- saying no --------------------------------------------------------------------------------------

    def _only(self, what: str, values: list[_T]) -> _T:
        if len(values) != 1:
            self._fail(f"expected one {what}, got {len(values)}; it was {_entered(self.entered)}")
        return values[0]

    def _assert_same(self, what: str, expected: tuple[Any, ...], actual: list[Any], *notes: str) -> StateOfRun:
        if not expected:
            raise TypeError(f"say which {what} is expected, one for each")
        problems: list[str] = []
        if len(expected) != len(actual):
            problems.append(f"{what}: expected {len(expected)}, got {len(actual)}")
            problems += [f"{what} {number + 1}: {shown(value)}" for number, value in enumerate(actual)]
        else:
            for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
                which = what if len(actual) == 1 else f"{what} {number + 1}"
                problems += [f"{which}: {line}" for line in differences(one, other)]
        if problems:
            self._fail(*problems, *notes)
        return self

    def _no_attempts(self) -> list[str]:
        """Why there is no attempt, where the state's type has none."""
        kind = self._visits[0].type if self._visits and not self.attempts else None
        return (
            [] if kind is None or kind in ATTEMPTED else [f"{self.name} is a {kind} state: it makes no attempts"]
        )

    def _fail(self, *problems: str) -> NoReturn:
        if not self._visits and "never entered" not in problems[0]:
            problems = (*problems, f"{self.name} was never entered")
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise AssertionError(f"state {self.name}:\n{lines}\n\n{self._draw(self._visits)}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _entered(number: int) -> str:
    return "never entered" if number == 0 else f"entered {how_often(number)}"
