"""The access keys of a server: what is read, what is made, and what no message shows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from asl_engine.errors import InvalidInput, ProjectError
from asl_engine.server.credentials import (
    KEY,
    SECRET,
    credentials_in,
    credentials_of,
    is_private,
    made_credentials,
)

if TYPE_CHECKING:
    from pathlib import Path

LONG = "a-secret-access-key"
SHOWN = "wrong"  # what is in no message


def written(folder: Path, *keys: tuple[str, str]) -> Path:
    file = folder / "credentials"
    sections = (
        f"[{number}]\naws_access_key_id = {key}\naws_secret_access_key={secret}\n"
        for number, (key, secret) in enumerate(keys)
    )
    file.write_text("".join(sections), encoding="utf-8")
    return file


def test_each_section_is_a_key(tmp_path: Path) -> None:
    keys = [("one", LONG + "%(x)s"), ("210987654321", LONG + "/+=")]
    assert credentials_in(written(tmp_path, *keys)) == dict(keys)


REFUSED: dict[str, tuple[list[tuple[str, str]], str]] = {
    "none": ([], "there are no credentials in it"),
    "a short secret": ([("one", SHOWN)], "[0]: a secret access key has at least 16 characters"),
    "one with a blank": ([("one", SHOWN + " and more of it")], "a secret access key has at least 16"),
    "not ASCII": ([("one", SHOWN + "é" * 20)], "a secret access key has at least 16"),
    "no secret": ([("one", "")], "a secret access key has at least 16"),
    "no key": ([("", LONG)], "[0]: an access key id has 3 to 128"),
    "a slash": ([("a/b/c", LONG)], "an access key id has 3 to 128"),
    "a key twice": ([("one", LONG), ("one", LONG * 2)], "[1]: another section has this"),
}


@pytest.mark.parametrize(("keys", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(tmp_path: Path, keys: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(ProjectError) as caught:
        credentials_in(written(tmp_path, *keys))
    assert message in str(caught.value)
    assert SHOWN not in str(caught.value)


@pytest.mark.parametrize("content", [b"key = x", b"[a]\nx", b"\xff", b"[a]\naws_access_key_id=a\n[a]\n"])
def test_what_is_no_file_of_credentials(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "credentials"
    file.write_bytes(content)
    with pytest.raises(ProjectError, match="this is no file of credentials"):
        credentials_in(file)
    with pytest.raises(ProjectError, match="cannot read the credentials"):
        credentials_in(tmp_path / "nothing")


def test_those_of_the_environment() -> None:
    assert credentials_of({}) == {}
    assert credentials_of({KEY: "test", SECRET: LONG}) == {"test": LONG}
    for env in ({KEY: "test"}, {SECRET: LONG}, {KEY: "test", SECRET: SHOWN}, {KEY: "a b", SECRET: LONG}):
        with pytest.raises(InvalidInput, match=f"{KEY}|{SECRET}") as caught:
            credentials_of(env)
        assert SHOWN not in str(caught.value)


def test_one_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    assert made_credentials(file)
    first = credentials_in(file)
    assert is_private(file)
    assert not made_credentials(file)
    assert credentials_in(file) == first
    assert [*tmp_path.iterdir()] == [file]
    other = tmp_path / "other"
    assert made_credentials(other)
    assert credentials_in(other).keys().isdisjoint(first)


def test_others_can_read_it(tmp_path: Path) -> None:
    file = written(tmp_path, ("one", LONG))
    file.chmod(0o640)
    assert is_private(file) is (os.name == "nt")


def test_it_is_made_where_a_file_system_has_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    file = tmp_path / "credentials"
    assert made_credentials(file)
    assert [*tmp_path.iterdir()] == [file]
    with pytest.raises(ProjectError, match="cannot write the credentials"):
        made_credentials(tmp_path / "no" / "folder")
