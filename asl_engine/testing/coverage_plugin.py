"""The pytest options that measure what tests cover of the state machines that they run.

pytest loads this module in every run, also where nothing is measured: what it needs it imports then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine
    from asl_engine.language.document import DefinitionSource
    from asl_engine.testing.coverage_data import CoverageData, DefinitionCoverage
    from asl_engine.testing.observers import ObservedDefinition

__all__ = ["pytest_addoption", "pytest_configure"]

NO_TEST = "(no test)"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("asl", "state machines under test")
    group.addoption(
        "--asl-cov",
        action="store_true",
        help="Measure which states, rules, retries and catchers the tests take; written to .asl-coverage.",
    )
    group.addoption(
        "--asl-cov-fail-under",
        type=percentage,
        metavar="PERCENT",
        help="Fail where the tests take less. Implies --asl-cov.",
    )


def percentage(given: str) -> float:
    percent = float(given)
    if not 0 <= percent <= 100:
        raise ValueError
    return percent


def pytest_configure(config: pytest.Config) -> None:
    lowest: float | None = config.getoption("--asl-cov-fail-under")
    if config.getoption("--asl-cov") or lowest is not None:
        config.pluginmanager.register(_Measuring(config, lowest), "asl-coverage-measuring")


class _Measuring:
    """What a session, or a worker of pytest-xdist, measures.

    Workers write parts, and the session that they belong to merges them.
    """

    def __init__(self, config: pytest.Config, lowest: float | None) -> None:
        from asl_engine.api import LISTENERS
        from asl_engine.testing.coverage_data import DATA_FILE, CoverageData, parts_of
        from asl_engine.testing.executions import tell_of_run
        from asl_engine.testing.observers import OBSERVERS

        self.lowest = lowest
        self.root = config.rootpath
        self.path = self.root / DATA_FILE
        self.is_worker = hasattr(config, "workerinput")
        self.lost = 0
        self._unsuccessful: dict[str, Mapping[str, int]] = {}  # what those took that may yet be redriven, by ARN
        self.data: CoverageData = CoverageData()
        self._known: dict[ObservedDefinition, tuple[StateMachine, DefinitionCoverage]] = {}
        OBSERVERS.append(self.ran)
        LISTENERS.append(tell_of_run)
        if not self.is_worker:
            for part in parts_of(self.path):  # of a session that was killed
                part.unlink()

    def ran(self, definition: ObservedDefinition, events: Sequence[Event], test_id: str | None) -> None:
        """Take in an execution of a test."""
        from asl_engine.core.events import ExecutionSucceeded
        from asl_engine.testing.coverage import NotOfDefinition, points_taken

        machine, covered = self._definition(definition)
        test = NO_TEST if test_id is None else test_id
        try:
            taken = points_taken(machine, events, definition.execution)
        except NotOfDefinition as error:
            covered.left_out.append(f"{test}: {error}")
        else:
            who = definition.execution
            if who is not None:
                before = self._unsuccessful.pop(who.arn, None)
                if before is not None:
                    covered.take_back(test, before)
                if not isinstance(events[-1], ExecutionSucceeded):
                    self._unsuccessful[who.arn] = taken
            covered.add(test, taken)

    def _definition(self, definition: ObservedDefinition) -> tuple[StateMachine, DefinitionCoverage]:
        known = definition._replace(execution=None)
        if known not in self._known:
            from asl_engine.language.loader import load
            from asl_engine.limits import NO_LIMITS
            from asl_engine.testing.coverage_data import DefinitionCoverage

            machine = load(definition.text, definition.name, NO_LIMITS)
            name, file = definition.name, None
            if definition.path is not None:
                name, file = self._name(definition.path), _read(definition.path)
            covered = self.data.definitions.setdefault(machine.digest, DefinitionCoverage.of(machine, name, file))
            self._known[known] = machine, covered
        return self._known[known]

    def _name(self, path: Path) -> str:
        near = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        return near.as_posix()

    # -- the end of the session ---------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker of pytest-xdist has ended; with an error, it did not come to write its part."""
        del node
        self.lost += error is not None

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.is_worker:
            self.data.write_part(self.path)
            return
        from asl_engine.testing.coverage_data import combine, parts_of
        from asl_engine.testing.coverage_report import share_of_all

        combine(self.path, parts_of(self.path), self.data)
        share = share_of_all(self.data.sorted())
        if self.lowest is not None and share.is_under(self.lowest) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        from asl_engine.testing.coverage_report import report_lines, share_of_all

        definitions = self.data.sorted()
        terminalreporter.section("coverage of state machines")
        for line in report_lines(definitions):
            terminalreporter.write_line(line)
        if self.lost:
            terminalreporter.write_line(f"lost: what {self.lost} worker(s) that crashed had measured")
        share = share_of_all(definitions)
        if self.lowest is not None and share.is_under(self.lowest):
            terminalreporter.write_line(
                f"FAILED: {share} is less than --asl-cov-fail-under {self.lowest:g}", red=True
            )

    def pytest_unconfigure(self) -> None:
        from asl_engine.api import LISTENERS
        from asl_engine.testing.executions import tell_of_run
        from asl_engine.testing.observers import OBSERVERS

        OBSERVERS.remove(self.ran)
        LISTENERS.remove(tell_of_run)


def _read(path: Path) -> DefinitionSource | None:
    """The file of a definition, for its lines.  None where it has gone meanwhile."""
    from asl_engine.errors import AslError
    from asl_engine.language.document import read_source
    from asl_engine.project.inputs import read_text

    try:
        return read_source(read_text(str(path), "the definition"), str(path))
    except AslError:
        return None
