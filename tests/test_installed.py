"""The package as it is installed, outside the checkout: a wheel, an environment, a project of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
# What pip says where it cannot reach an index.  Anything else that goes wrong with a build is a failure.
UNREACHABLE = ("No matching distribution found for hatchling", "Could not find a version that satisfies")

MACHINE = {
    "StartAt": "Greet",
    "States": {
        "Greet": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:sayHello",
            "Retry": [{"ErrorEquals": ["Shy"], "IntervalSeconds": 30}],
            "End": True,
        }
    },
}
TASKS = """
from asl_engine import TaskContext, task


class Shy(Exception):
    pass


@task
def say_hello(event: dict, context: TaskContext) -> str:
    if context.attempt == 0:
        raise Shy("not yet")
    return f"Hello {event['name']}"
"""


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ASL_", "COV"))}


def completed(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--quiet", "--disable-pip-version-check", "--retries", "0", "--timeout", "5"]
    done = completed([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT], folder)
    if done.returncode and any(words in done.stderr for words in (*UNREACHABLE, "No module named pip")):
        pytest.skip("building the wheel needs pip, and an index that has hatchling")
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("asl_engine-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, and borrows what it depends on from the one that runs the tests.

    Paths of a .pth file come last, and the .pth files they hold are not read: neither the checkout nor an
    installation of it can be meant by mistake.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=os.name != "nt")
    paths = sysconfig.get_paths("venv", {"base": str(home), "platbase": str(home)})
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    python = Path(paths["scripts"], "python")
    done = completed([sys.executable, "-m", "pip", "--python", python, "install", *options, wheel], home)
    assert done.returncode == 0, done.stderr
    borrowed = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    Path(paths["purelib"], "borrowed.pth").write_text("\n".join(sorted(borrowed)), encoding="utf-8")
    return Path(paths["scripts"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "statemachines").mkdir()
    (tmp_path / "tasks").mkdir()
    (tmp_path / "statemachines" / "greet.asl.json").write_text(json.dumps(MACHINE), encoding="utf-8")
    (tmp_path / "tasks" / "greetings.py").write_text(TASKS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def asl(environment: Path, project: Path) -> Callable[..., str]:
    """The installed command, run in the project; its output."""

    def run(*arguments: str) -> str:
        done = completed([environment / "asl", *arguments], project)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_wheel_has_one_package_and_nothing_beside_it(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        metadata = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
        assert tops == {"asl_engine", metadata}
        assert f"{metadata}/licenses/LICENSE" in archive.namelist()
        assert not [name for name in archive.namelist() if "__pycache__" in name]
        pages = [
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "asl_engine" / "console" / "static").rglob("*")
            if path.is_file()
        ]
        assert {*pages} <= {*archive.namelist()}


TESTS = """
from asl_engine.testing import fails


def test_a_shy_greeting(asl):
    run = asl("statemachines/greet.asl.json", {"sayHello": [fails("Shy"), "Hello"]}).run({"name": "Ada"})
    run.assert_succeeded("Hello").state("Greet").assert_attempts(2, delays=[30])
"""


def test_the_pytest_plugin_comes_with_it(environment: Path, project: Path) -> None:
    (project / "test_greet.py").write_text(TESTS, encoding="utf-8")
    done = completed([environment / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"], project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_project_of_one_s_own(asl: Callable[..., str], project: Path) -> None:
    given = ["--input", '{"name": "Ada"}', "--time", "skip", "--name", "first"]
    assert asl("run", "statemachines/greet.asl.json", *given) == '"Hello Ada"\n'
    assert (project / ".asl" / "asl.db").is_file()
    assert [line.split()[3] for line in asl("history", "first", "--events").splitlines()[1:]] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionFailed",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    asl("open", "first", "--html", "first.html")
    page = (project / "first.html").read_text(encoding="utf-8")
    assert (".asl-graph" in page, "table.timeline" in page) == (True, True)  # the style sheets are in the wheel
    assert asl("replay", "first") == "replayed 10 events: ends as recorded, SUCCEEDED\n"


def test_it_is_the_installed_one_that_runs(environment: Path, project: Path) -> None:
    code = (
        "import asl_engine; print(asl_engine.__file__);"
        "print(asl_engine.run('statemachines/greet.asl.json', {'name': 'Bob'}).output)"
    )
    done = completed([environment / "python", "-c", code], project)
    assert done.returncode == 0, done.stderr
    file, greeting = done.stdout.splitlines()
    assert Path(file).is_relative_to(environment.parent)
    assert greeting == "Hello Bob"
