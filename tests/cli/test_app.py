"""The commands as a whole: help, version, completion, defects."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import typer

import asl_engine
from asl_engine import __version__
from asl_engine.cli.app import app
from asl_engine.cli.commands import show
from asl_engine.cli.commands.remote import command as remote
from asl_engine.cli.completion import complete_execution
from tests.cli.project import PASS, ROOT

if TYPE_CHECKING:
    from asl_engine.cli.groups import LazyGroup
    from tests.cli.project import Project

COMMANDS = [
    "init",
    "run",
    "resume",
    "debug",
    "redrive",
    "fork",
    "pin",
    "explore",
    "diff",
    "import",
    "stop",
    "history",
    "timeline",
    "graph",
    "open",
    "list",
]
COMMANDS += [
    "show",
    "replay",
    "validate",
    "saga",
    "coverage",
    "cost",
    "tasks",
    "prune",
    "backup",
    "check",
    "serve",
    "events",
    "mappings",
    "dev",
    "deploy",
    "export",
    "mcp",
    "workers",
    "remote",
]


def test_alone_it_prints_help(project: Project) -> None:
    result = project.asl()
    assert result.code == 0
    assert re.findall(r"^  (\w+)  ", result.out, re.MULTILINE) == COMMANDS
    assert project.asl("--help").out.strip() == result.out.strip()


def test_help_imports_no_command(project: Project) -> None:
    script = (
        "import atexit, sys; from asl_engine.cli import main;"
        "atexit.register(lambda: print(*(m for m in sys.modules if '.cli.commands.' in m), file=sys.stderr));"
        "main(['--help'])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout
    assert done.stderr == "\n"


@pytest.mark.parametrize(
    "group", [typer.main.get_command(app), typer.main.get_command(remote)], ids=["asl", "remote"]
)
def test_a_list_of_commands_says_of_each_what_its_own_help_says(group: LazyGroup) -> None:
    for name, entry in group.entries.items():
        paragraph = str(group.commands[name].help).split("\n\n")[0]
        assert entry.summary == paragraph.replace("\n", " ")


def test_every_parameter_of_a_message_is_an_option() -> None:
    group: Any = typer.main.get_command(app)
    options = {option for command in group.commands.values() for one in command.params for option in one.opts}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "asl_engine").rglob("*.py")]
    named = {name for source in sources for name in re.findall(r"Parameter\(\s*\"(\w+)\"", source)}
    assert {"name", "db", "with_functions"} <= named
    plugin = (ROOT / "asl_engine" / "testing" / "plugin.py").read_text(encoding="utf-8")
    options |= {f"--{name}" for name in re.findall(r'"--asl-([a-z-]+)"', plugin)}  # whose prefix all of them have
    python_only = {"aws", "tasks"}  # of asl_engine.run, whose refusals no command can come to
    assert python_only <= inspect.signature(asl_engine.run).parameters.keys()
    assert {f"--{name.replace('_', '-')}" for name in named - python_only} <= options


def test_version(project: Project) -> None:
    assert project.asl("--version").out == f"asl {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(project: Project, command: str) -> None:
    result = project.asl(command, "--help")
    assert result.code == 0
    options = result.out.split("Options:\n")[1]
    bare = [line for line in options.splitlines() if re.fullmatch(r"  -\S+(, --\S+)?( [A-Z|a-z-]+)?", line)]
    following = options.splitlines()
    for line in bare:  # a long option has its text on the next line
        assert following[following.index(line) + 1].startswith("   ")


def test_a_defect_is_told_with_its_traceback(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("we are to blame")

    monkeypatch.setattr(show, "show", broken)
    result = project.asl("show", "one")
    assert result.code == 70
    assert result.err.startswith("asl: internal error: RuntimeError; please report it")
    assert "we are to blame" in result.err


def test_interrupted_before_anything_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "show", interrupted)
    result = project.asl("show", "one")
    assert (result.code, result.out, result.err) == (130, "", "interrupted\n")


def test_executions_are_completed(project: Project) -> None:
    assert complete_execution("") == []  # no database yet
    project.ran(PASS, name="order-1")
    project.ran(PASS, name="refund-1")
    project.asl("run", "statemachines/m.json", "-q")
    uuid = project.asl("list", "--json").json["executions"][0]["name"]
    assert complete_execution("ord") == ["order-1"]
    assert complete_execution("") == [uuid[:8], "refund-1", "order-1"]
    assert complete_execution(uuid[:9]) == [uuid]


def test_the_shell_asks_for_completions(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ran(PASS, name="order-1")
    monkeypatch.setenv("_ASL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "asl show ord")
    monkeypatch.setenv("COMP_CWORD", "2")
    result = project.asl()
    assert (result.code, result.out.strip()) == (0, "order-1")
