"""The pages of the patterns do what they show: each is one session of a shell, in a copy of the checkout."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from typing import TYPE_CHECKING

import pytest

from tests.test_docs import ROOT, blocks, commands, read, timeless

if TYPE_CHECKING:
    from pathlib import Path

PATTERNS = sorted(page.stem for page in ROOT.glob("docs/patterns/*.md"))
COPIED = ["examples", "statemachines", "tasks", "inputs", "order.json"]
PATIENCE_SECONDS = 150
# What a page's project listens on by default, and what it is told to listen on here.
DEV = re.compile(r"^asl dev\b(.*)&$")
API, HTTP = "127.0.0.1:8083", "127.0.0.1:3000"
LOG = "dev.log"  # what it says, unless the page says where that goes
BLOCK_ENDS = "-- block ends --"


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def script(page: str, api: int, http: int) -> str:
    """All that the page's blocks say to type, each command followed by a check of its exit code."""
    lines = ["trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT"]
    for block in blocks(page):
        if block.language not in {"sh", "python"}:
            continue
        piped = [f"python - <<'END'\n{block.text}END"]
        for command in piped if block.language == "python" else commands(block.text):
            expected = re.search(r"#.*\bexit code (\d+)", command)
            found = DEV.match(command)
            if found is not None:
                also = f" --http-port {http}" if HTTP in read(page) else ""
                heard = "" if ">" in found[1] else f"> {LOG} 2>&1 "
                lines.append(f"asl dev --port {api}{also}{found[1]}{heard}&")
                lines += [
                    f"until curl -s -o /dev/null {address}; do kill -0 $! || exit 9; sleep 0.1; done"
                    for address in ([API, HTTP] if also else [API])
                ]
                continue
            told = shlex.quote(f"{page}:{block.line}: {command}")
            lines.append(command)
            lines.append(
                f"code=$?; [ $code = {expected[1] if expected else 0} ] || {{ echo {told} $code; exit 9; }}"
            )
        lines.append(f"echo '{BLOCK_ENDS}'")
    text = "\n".join(lines)
    return text.replace(API, f"127.0.0.1:{api}").replace(HTTP, f"127.0.0.1:{http}")


@pytest.mark.skipif(sys.platform == "win32", reason="the pages are written for a POSIX shell")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_page_does_what_it_shows(pattern: str, tmp_path: Path) -> None:
    page, ignored = f"docs/patterns/{pattern}.md", shutil.ignore_patterns("__pycache__", ".asl", ".pytest_cache")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, module in (("asl", "asl_engine"), ("pytest", "pytest -p no:cacheprovider -c /dev/null --rootdir=.")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    path = os.pathsep.join([str(programs), str(sys.executable).rpartition("/")[0], os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    for name in ("ASL_DB", "SHOP_DB"):
        environment.pop(name, None)
    shell = subprocess.Popen(
        ["bash", "-c", script(page, free_port(), free_port())],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        pytest.fail(f"{page} does not end:\n{shell.communicate()[0]}{logs(tmp_path)}")
    finally:
        end_all(shell.pid)
    assert shell.returncode == 0, said + logs(tmp_path)
    check_outputs(page, said)


def logs(folder: Path) -> str:
    """What the page's projects at work have said."""
    return "".join(f"{path}:\n{path.read_text(encoding='utf-8')}" for path in folder.rglob(LOG))


def end_all(group: int) -> None:
    """End what a page has left running, as the shell is a group of its own."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def check_outputs(page: str, said: str) -> None:
    """Each text block is what the commands before it have written."""
    outputs = iter(said.split(f"{BLOCK_ENDS}\n"))
    output = ""
    for block in blocks(page):
        if block.language in {"sh", "python"}:
            output = next(outputs)
        elif block.language == "text":
            same = OutputChecker().check_output(
                timeless(block.text), timeless(output), ELLIPSIS | NORMALIZE_WHITESPACE
            )
            assert same, f"{page}:{block.line}: what is written now:\n{output}"
