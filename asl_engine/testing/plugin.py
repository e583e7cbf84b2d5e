"""The pytest plugin: the fixture ``asl``, where its executions run, and the paths of a failed test's runs.

It is loaded with every pytest where the package is installed, so it imports nothing before a test asks for it.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from asl_engine.testing.parity import Rehearsal
    from asl_engine.testing.targets import RunTarget
    from asl_engine.testing.workflow import Workflow

__all__ = [
    "asl",
    "pytest_addoption",
    "pytest_configure",
    "pytest_pyfunc_call",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "pytest_unconfigure",
    "workflows",
]

LOCAL, ENDPOINT, AWS = "local", "endpoint", "aws"
MADE = pytest.StashKey[list["Workflow"]]()
PLACE = pytest.StashKey["_Place"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("asl", "state machines under test")
    group.addoption(
        "--asl-target",
        choices=(LOCAL, ENDPOINT, AWS),
        default=LOCAL,
        help="Where the executions of the fixture asl run: here, at --asl-endpoint, or in a real account of AWS.",
    )
    group.addoption(
        "--asl-endpoint", metavar="URL", help="The endpoint of Step Functions, for --asl-target=endpoint."
    )
    group.addoption("--asl-role", metavar="ARN", help="The role of the state machines that a target runs.")
    group.addoption(
        "--asl-patience",
        metavar="DURATION",
        default="60s",
        help="Skip a test that would wait longer on a target that does not skip time. Default: 60s.",
    )
    group.addoption(
        "--asl-parity",
        action="store_true",
        help="Run each test here and on the target, and fail it with the first event that differs.",
    )


def pytest_configure(config: pytest.Config) -> None:
    where, endpoint = config.getoption("--asl-target"), config.getoption("--asl-endpoint")
    if where == ENDPOINT and not endpoint:
        raise pytest.UsageError("--asl-target=endpoint: name it with --asl-endpoint URL")
    if where != ENDPOINT and endpoint:
        raise pytest.UsageError("--asl-endpoint is for --asl-target=endpoint")
    if where == LOCAL and (config.getoption("--asl-parity") or config.getoption("--asl-role")):
        raise pytest.UsageError("--asl-parity and --asl-role are for a target: give --asl-target=endpoint or aws")
    config.stash[PLACE] = _Place(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    place = config.stash.get(PLACE, None)
    if place is None or place.is_local:
        return
    from asl_engine.errors import AslError

    try:
        place.close()
    except AslError as error:
        sys.stderr.write(f"{worded(error)}\n")


class _Place:
    """Where the executions of this session run; connected to when the first test needs it."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_local: bool = config.getoption("--asl-target") == LOCAL
        self.rehearsed: list[Workflow] | None = None  # while a test is run here, to be compared
        self.waits: list[str] = []
        self._target: RunTarget | None = None

    def target(self) -> RunTarget | Rehearsal | None:
        """Raises ``pytest.UsageError`` for a target that cannot be used."""
        if self.is_local:
            return None
        if self.rehearsed is not None:
            from asl_engine.testing.parity import REHEARSAL

            return REHEARSAL
        if self._target is None:
            from asl_engine.errors import AslError
            from asl_engine.testing.targets import RunTarget

            option = self.config.getoption
            try:
                self._target = RunTarget(
                    option("--asl-endpoint") or AWS,
                    role=option("--asl-role"),
                    patience=option("--asl-patience"),
                    tell=self.tell,
                )
            except AslError as error:
                raise pytest.UsageError(worded(error)) from None
        return self._target

    def tell(self, line: str) -> None:
        """Say at once how long a test waits, past what pytest captures; a worker of pytest-xdist cannot."""
        self.waits.append(line)
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        capturing = self.config.pluginmanager.getplugin("capturemanager")
        if reporter is not None and capturing is not None:
            with capturing.global_and_fixture_disabled():
                reporter.write_line(f"\n{line}")

    def close(self) -> None:
        if self._target is not None:
            self._target.close()


def worded(error: Any) -> str:
    """The message of an ``AslError``, with parameters as the options of this plugin."""

    def word(parameter: Any) -> str:
        name = {"endpoint_url": "endpoint"}.get(parameter.name, parameter.name)
        return f"--asl-{name}" if parameter.value is None else f"--asl-{name} {parameter.value}"

    text: str = error.worded(word)
    return text


@contextmanager
def workflows(test_id: str | None, made: list[Workflow]) -> Iterator[Callable[..., Workflow]]:
    """``Workflow`` for one test: those that it makes go into ``made``, and are closed in the end."""
    from asl_engine.testing.workflow import Workflow

    def workflow(definition: Any, tasks: Any = None, **options: Any) -> Workflow:
        made.append(Workflow(definition, tasks, **{"test_id": test_id, **options}))
        return made[-1]

    try:
        yield workflow
    finally:
        for one in made:
            one.close()


@pytest.fixture
def asl(request: pytest.FixtureRequest) -> Iterator[Callable[..., Workflow]]:
    """State machines under test: ``asl("order.json", tasks={...})`` is a ``Workflow``; see asl_engine.testing."""
    made = request.node.stash.setdefault(MADE, [])
    place = request.config.stash[PLACE]
    with workflows(request.node.nodeid, made) as workflow:
        if place.is_local:
            yield workflow
            return
        with workflows(None, []) as rehearsal:

            def placed(definition: Any, tasks: Any = None, **options: Any) -> Workflow:
                options = {"target": place.target(), **options}
                if place.rehearsed is None:
                    return workflow(definition, tasks, **options)
                place.rehearsed.append(rehearsal(definition, tasks, **options))
                return place.rehearsed[-1]

            yield placed


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """With --asl-parity, run the test here first, and compare its runs in the end."""
    place = pyfuncitem.config.stash[PLACE]
    if not pyfuncitem.config.getoption("--asl-parity") or "asl" not in pyfuncitem.fixturenames:
        return (yield)
    info = pyfuncitem._fixtureinfo  # noqa: SLF001  as pytest's own implementation of this hook
    made_before = [*pyfuncitem.stash.get(MADE, [])]  # in fixtures, which are not set up twice
    started = {id(workflow): len(workflow.runs) for workflow in made_before}
    place.rehearsed = rehearsed = list["Workflow"]()
    with ExitStack() as stack:
        here = [stack.enter_context(workflow.rehearsed()) for workflow in made_before]
        try:
            pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in info.argnames})
        finally:
            place.rehearsed = None
        here += [workflow.runs for workflow in rehearsed]
    result = yield
    from asl_engine.testing.parity import parity_problems

    made = pyfuncitem.stash.get(MADE, [])
    there = [run for workflow in made for run in workflow.runs[started.get(id(workflow), 0) :]]
    problems = parity_problems([run for runs in here for run in runs], there)
    if problems:
        pytest.fail("the target does otherwise:\n" + "\n".join(problems), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Skip a test that needs what a target lacks, also one that has passed for all that."""
    if item.config.stash[PLACE].is_local:
        return (yield)
    from asl_engine.testing.lacking import RAISED

    RAISED.clear()
    try:
        return (yield)
    finally:
        if RAISED:
            pytest.skip(worded(RAISED[0]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows which paths its runs took, unless its message does already."""
    if call.excinfo is not None and MADE in item.stash and not item.config.getoption("fulltrace"):
        _hide_ours(call.excinfo)
    report = yield
    made = item.stash.get(MADE, [])
    if made and call.when == "call" and report.failed and call.excinfo is not None:
        said = str(call.excinfo.value)
        for run in (run for workflow in made for run in workflow.runs):
            title = run.tree.partition("\n")[0]
            if title not in said:
                report.sections.append((f"workflow run {run.name}", run.tree))
    return report


def _hide_ours(raised: pytest.ExceptionInfo[BaseException]) -> None:
    """Show the test's own line for what the test can put right: where we have noticed that tells it nothing."""
    import asyncio
    import contextlib

    from asl_engine.errors import AslError

    if not isinstance(raised.value, AslError):
        return
    ours = {Path(__file__).parents[1], Path(asyncio.__file__).parent, Path(contextlib.__file__)}
    left: TracebackType | None = None
    for entry in reversed(raised.traceback):
        path = Path(entry.path)
        if ours.isdisjoint({path, *path.parents}):
            raw = entry._rawentry  # noqa: SLF001  pytest goes along these, whatever its entries are
            left = TracebackType(left, raw.tb_frame, raw.tb_lasti, raw.tb_lineno)
    if left is not None:
        raised.traceback = type(raised.traceback)(left)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Which tests have waited on the target."""
    place = config.stash[PLACE]
    if place.waits:
        terminalreporter.section("waited on the target")
        for line in place.waits:
            terminalreporter.write_line(line)
