"""The pages' own files: their addresses, their types, how long they are kept."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from asl_engine.console.files import Files
from asl_engine.console.refusals import ConsoleError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.console.harness import Page


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "index.html").write_text('<script type="module" src="/console/static/app.js"></script>')
    (tmp_path / "app.js").write_text("import './vendor/lib.js'")
    (tmp_path / "vendor" / "lib.js").write_text("export default 1")
    (tmp_path / ".hidden").write_text("no")
    return Files(tmp_path)


def test_the_page_names_files_that_are_kept_for_ever(files: Files) -> None:
    index = files.index(None)
    assert f'src="/console/static/{files.version}/app.js"' in bytes(index.body).decode()
    assert index.headers["cache-control"] == "no-cache"
    for path in ("app.js", "vendor/lib.js"):
        kept = files.file(f"{files.version}/{path}", None)
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert kept.headers["content-type"].startswith("text/javascript")
        loose = files.file(path, None)
        assert (loose.headers["cache-control"], loose.body) == ("no-cache", kept.body)


def test_what_a_browser_has_is_not_sent_again(files: Files) -> None:
    for answer in (files.index, lambda known: files.file("app.js", known)):
        tag = answer(None).headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = answer(known)
            assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
        assert answer('"other"').status_code == 200


@pytest.mark.parametrize("path", ["nothing", ".hidden", "../files.py", "index.html", "0000/app.js", ""])
def test_there_is_nothing_else(files: Files, path: str) -> None:
    with pytest.raises(ConsoleError) as caught:
        files.file(path, None)
    assert caught.value.status == 404


def test_another_content_has_another_address(files: Files, tmp_path: Path) -> None:
    (tmp_path / "vendor" / "lib.js").write_text("export default 2")
    assert Files(tmp_path).version != files.version


@pytest.mark.parametrize("path", ["", "/", "/run/x", "/machines", "/run/arn:aws:states:::x/y?z=1"])
def test_every_address_of_a_page_is_the_page(page: Page, path: str) -> None:
    found = page.ask("GET", f"/console{path}")
    assert found.status == 200
    assert found.headers["content-type"].startswith("text/html")
    assert page.ask("GET", f"/console{path}", **{"If-None-Match": found.headers["etag"]}).status == 304


def test_the_style_of_pictures_is_the_renderer_s(page: Page) -> None:
    found = page.ask("GET", "/console/static/graph.css")
    assert found.headers["content-type"].startswith("text/css")
    assert ".asl-graph" in found.text


@pytest.mark.parametrize("path", ["/console/static/../app.py", "/console/static/%2e%2e/app.py", "/consolex"])
def test_no_other_file_can_be_read(page: Page, path: str) -> None:
    assert page.ask("GET", path).status == 404


def test_a_server_loads_nothing_of_it_before_it_is_asked() -> None:
    code = "import sys, asl_engine.console.mount; print(sorted(n for n in sys.modules if 'starlette' in n))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
