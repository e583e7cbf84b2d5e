"""The documentation, held against the program: what it shows is run, what it names exists, what it links is there.

On each page the blocks are run in order, in a copy of the example project:

- ``sh``: ``asl`` in this process, any other line by the shell.  ``# exit code N`` says how a line ends, if not
  with 0.  A ``text`` block right behind it is what the lines write, stdout before stderr for each line, with
  ``...`` for what differs from run to run; durations, and the lengths of their bars, may differ too.
- ``python``: executed, all blocks of a page in one namespace; functions called ``test_...`` are called.
- ``json``, ``toml``, ``yaml``: parsed.

``<!-- file: PATH -->`` before a block writes it to a file; ``test_NAME.py`` is then run by a pytest of its own,
but one in a folder by the next lines of the page.
Blocks marked ``<!-- command: NAME -->`` set up environments and run this very suite; .ci/run runs those of the
README.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import nullcontext
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import typer

import asl_engine
from asl_engine.cli import main
from asl_engine.cli.app import app
from asl_engine.cloud.deploy.settings import read_settings
from asl_engine.language.yaml import read_yaml
from asl_engine.project.configuration import find_project
from tests.cloud.cloud import cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{page.name}" for page in ROOT.glob("docs/*.md")),
]
PATTERNS = sorted(
    f"docs/patterns/{page.name}" for page in ROOT.glob("docs/patterns/*.md")
)  # run by tests/patterns
EXAMPLE = ["statemachines", "tasks", "inputs", "order.json", "pyproject.toml"]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # the app is a group
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>command|file): (?P<value>\S+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


class Block(NamedTuple):
    language: str
    text: str
    line: int
    mark: str | None
    value: str | None
    after: str  # what stands between the previous block and this one


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    text, end, found = read(page), 0, []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("language")) + 1
        between = text[end : match.start()].strip()
        found.append(Block(match["language"], match["text"], line, match["mark"], match["value"], between))
        end = match.end()
    return found


# -- what the pages show is run -----------------------------------------------------------------------


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the example project, which is the current directory."""
    tmp_path /= "project"
    tmp_path.mkdir()
    for name in EXAMPLE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for name in ("ASL_DB", "SHOP_DB"):
        monkeypatch.delenv(name, raising=False)
    # A shell finds this Python's programs and this package; the plugin need not be installed.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p asl_engine.testing.coverage_plugin")
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.split(".")[0] == "tasks" or name.startswith("_asl_tasks_"):
            del sys.modules[name]


@pytest.mark.skipif(sys.platform == "win32", reason="the pages are written for a POSIX shell")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_what_a_page_shows_is_so(
    page: str, example: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with cloud(example.parent / "cloud", monkeypatch) if page == "docs/deploy.md" else nullcontext():
        run_page(page, example, capfd)


def run_page(page: str, example: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = ""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        where = f"{page}:{block.line}"
        # What sets up, and what serves until it is stopped, is run by .ci/run and by tests/cli/test_serve.py.
        if block.mark == "command" or block.language == "console":
            continue
        if block.mark == "file":
            (example / str(block.value)).write_text(block.text, encoding="utf-8")
            if Path(str(block.value)).name.startswith("test_"):
                if "/" not in str(block.value):
                    run_tests(str(block.value))
                continue
        if block.language == "text":
            assert not block.after, f"{where}: a text block stands right behind what writes it"
            same = OutputChecker().check_output(
                timeless(block.text), timeless(said), ELLIPSIS | NORMALIZE_WHITESPACE
            )
            assert same, f"{where}: what is written now:\n{said}"
            continue
        said = RUN[block.language](block.text, where, namespace, capfd)


def run_tests(name: str) -> None:
    """Run a file of tests, as it stands on the page."""
    # Named, as the entry point is not there where another checkout is installed.
    plugins = ["-p", "no:cacheprovider", "-p", "asl_engine.testing.plugin"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}:\n{done.stdout}{done.stderr}"


def timeless(text: str) -> str:
    return re.sub(r"([█▒/·])\1+", r"\1", re.sub(r"\d+\.\d+ s\b", "N s", text))


def run_lines(text: str, where: str, _: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> str:
    """Everything that the lines of a sh block write."""
    capfd.readouterr()
    said = ""
    for line in commands(text):
        expected = re.search(r"#.*\bexit code (\d+)", line)
        words = shlex.split(line, comments=True)
        *given, file = words if words[0] == "asl" and words[-2] == ">" else [*words, ">", ""]
        code = run_asl(given[1:-1]) if words[0] == "asl" else run_shell(line)
        out, err = capfd.readouterr()
        if file:
            Path(file).write_text(out, encoding="utf-8")
            out = ""
        assert code == (int(expected[1]) if expected else 0), f"{where}: {line}\n{out}{err}"
        said += out + err
    return said


def commands(text: str) -> Iterator[str]:
    """The commands of a sh block.  One goes on until its quotes are closed."""
    command = ""
    for line in text.splitlines():
        command += f"{line}\n"
        try:
            if shlex.split(command, comments=True):
                yield command.rstrip()
        except ValueError:  # a quotation is open
            continue
        command = ""
    assert not command, f"this is no command: {command}"


def run_shell(line: str) -> int:
    return subprocess.run(line, shell=True, check=False).returncode  # noqa: S602  the page's own line


def run_asl(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def run_python(text: str, where: str, namespace: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> str:
    del capfd
    known = set(namespace)
    exec(compile(text, where, "exec"), namespace)  # noqa: S102  the page's own code
    for name in set(namespace) - known:
        if name.startswith("test_"):
            namespace[name]()
    return ""


def parse_json(text: str, *_: object) -> str:
    json.loads(text)
    return ""


def parse_yaml(text: str, *_: object) -> str:
    read_yaml(text, "the page", template="Transform: AWS::" in text)
    return ""


def parse_toml(text: str, *_: object) -> str:
    """Every key that is shown is one that a project has."""
    Path("elsewhere/tasks").mkdir(parents=True, exist_ok=True)
    Path("elsewhere/asl.toml").write_text(text, encoding="utf-8")
    assert tomllib.loads(text)
    read_settings(find_project(Path("elsewhere"), {}))
    return ""


RUN: dict[str, Callable[..., str]] = {
    "sh": run_lines,
    "python": run_python,
    "json": parse_json,
    "toml": parse_toml,
    "yaml": parse_yaml,
}


def test_the_continuous_integration_finds_its_commands() -> None:
    """.ci/run has no parser for Markdown: the marked blocks of the README are one line each, in this form."""
    marked = {block.value: block for block in blocks("README.md") if block.mark == "command"}
    assert list(marked) == ["run", "test"]
    assert all(block.language == "sh" and block.text.count("\n") == 1 for block in marked.values())
    assert "asl run statemachines/order.json --input order.json" in marked["run"].text
    assert "pytest" in marked["test"].text


def test_the_benchmark_runs() -> None:
    shown = [block.text for block in blocks("docs/performance.md") if block.mark == "command"]
    assert shown == ["python benchmarks/run.py\n", "python -m benchmarks\n"]  # the other: tests/test_benchmarks.py
    command = [sys.executable, *shown[0].split()[1:], "--rounds", "1", "--executions", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "commits/s" in done.stdout


# -- what the pages name exists -----------------------------------------------------------------------


def _names(parameter: Any) -> list[str]:
    """Those that switch something off are names, too."""
    return [*parameter.opts, *parameter.secondary_opts]


def options(command: str) -> set[str]:
    """Those of a command, and of the commands in it."""
    within = [COMMANDS[command], *getattr(COMMANDS[command], "commands", {}).values()]
    parameters = [parameter for one in within for parameter in one.params]
    return {name for parameter in parameters for name in _names(parameter) if name.startswith("-")} | {
        "--help",
        "-h",
    }


def shown_commands() -> Iterator[tuple[str, str]]:
    """Whatever a page says to type that begins with ``asl``, in blocks and in sentences."""
    for page in (*PAGES, *PATTERNS):
        in_blocks = [
            command for block in blocks(page) if block.language == "sh" for command in commands(block.text)
        ]
        in_sentences = re.findall(r"`(asl [^`]*)`", BLOCK.sub("", read(page)))
        yield from ((page, shown) for shown in {*in_blocks, *in_sentences} if shown.startswith("asl "))


@pytest.mark.parametrize(("page", "shown"), sorted(shown_commands()))
def test_a_command_that_is_shown_exists(page: str, shown: str) -> None:
    words = [*takewhile("|".__ne__, shlex.split(shown, comments=True))]
    if words[1] in {"--version", "--help"}:
        return
    assert words[1] in COMMANDS, page
    used = {word for word in words[2:] if re.fullmatch(r"--?[a-z][a-z-]*", word)}
    assert used <= options(words[1]), page


def section(page: str, title: str) -> str:
    parts = re.split(r"^## (.+)$", read(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def test_every_command_has_its_section() -> None:
    titles = re.findall(r"^## asl ([\w-]+)$", read("docs/cli.md"), re.MULTILINE)
    assert sorted(titles) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented_and_none_that_is_not(command: str) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", section("docs/cli.md", f"asl {command}"), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", row)}
    assert documented == options(command) - {"--help", "-h"}


def test_every_public_name_is_documented() -> None:
    text = read("docs/python.md")
    assert [name for name in asl_engine.__all__ if not re.search(rf"`{name}`", text)] == []


def test_every_key_of_a_deployment_is_documented() -> None:
    from asl_engine.cloud.deploy import settings

    shown = next(block for block in blocks("docs/deploy.md") if block.language == "toml")
    table = tomllib.loads(shown.text)["deploy"]
    assert set(table) == set(settings._KEYS)
    assert set(table["logging"]) == set(settings._LOGGING_KEYS)


def test_every_key_of_the_configuration_is_documented() -> None:
    from asl_engine.project.configuration import _KEYS

    shown = next(block for block in blocks("docs/tasks.md") if block.language == "toml")
    assert set(tomllib.loads(shown.text)) == {key for key in _KEYS if "_" not in key}


# -- what the pages link is there ---------------------------------------------------------------------


def links() -> list[tuple[str, str]]:
    """All links to files and headings of this project."""
    return [
        (page, target)
        for page in (*PAGES, *PATTERNS)
        for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", read(page)))
        if "://" not in target
    ]


def anchors(page: Path) -> set[str]:
    """The ids that headings get where Markdown is shown: lower case, hyphens for blanks, no punctuation."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(("page", "target"), links())
def test_a_link_leads_somewhere(page: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    assert file.exists()
    assert not anchor or anchor in anchors(file)


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {target for page, target in links() if page == "README.md"}
    assert {page for page in (*PAGES, *PATTERNS) if page != "README.md"} <= linked


def test_every_path_that_the_pages_name_exists() -> None:
    named = {
        (page, path)
        for page in ("CONTRIBUTING.md", "docs/architecture.md")
        for path in re.findall(r"`((?:asl_engine|tests|docs)/[\w./]*)`", (ROOT / page).read_text(encoding="utf-8"))
    }
    assert len(named) > 30
    assert [(page, path) for page, path in sorted(named) if not (ROOT / path).exists()] == []
