"""The files of the pages: how large, what of others, and that no text becomes markup.  No browser is needed."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Final

import asl_engine

STATIC: Final = Path(asl_engine.__file__).parent / "console" / "static"
MAX_SCRIPTS: Final = 120_000  # bytes, those of others included
OURS: Final = sorted(path for path in STATIC.rglob("*.js") if path.parent.name != "vendor")


def test_all_scripts_together_are_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*.js")) <= MAX_SCRIPTS


def test_the_files_of_others_are_those_in_the_table() -> None:
    vendor = STATIC / "vendor"
    listed = dict(
        re.findall(
            r"^\| `(\S+)` .*\| `([0-9a-f]{64})` \|$", (vendor / "README.md").read_text("utf-8"), re.MULTILINE
        )
    )
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in vendor.glob("*.js")}
    assert found == listed


def test_every_file_of_others_has_its_licence() -> None:
    vendor = STATIC / "vendor"
    names = {re.sub(r"(-hooks)?-\d.*", "", path.name) for path in vendor.glob("*.js")}
    for name in names:
        text = (vendor / f"{name}-LICENSE.txt").read_text("utf-8")
        assert "MIT License" in text or "Apache License" in text


def test_modules_import_only_files_that_are_there() -> None:
    for path in STATIC.rglob("*.js"):
        for wanted in re.findall(
            r"""(?:\bfrom|^import) ?["']([^"']+)["']""", path.read_text("utf-8"), re.MULTILINE
        ):
            assert wanted.startswith("."), f"{path.name} imports {wanted}"
            assert (path.parent / wanted).resolve().is_file(), f"{path.name} imports {wanted}"


def test_nothing_puts_text_into_the_page_as_markup() -> None:
    for path in OURS:
        text = path.read_text("utf-8")
        for way in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "dangerously",
        ):
            assert way not in text, f"{path.name} has {way}"


def test_pages_have_no_script_and_no_style_within() -> None:
    page = (STATIC / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page)


def test_every_file_is_short() -> None:
    for path in [*OURS, STATIC / "app.css"]:
        assert len(path.read_text("utf-8").splitlines()) <= 500, path.name
