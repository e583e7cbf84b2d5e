"""New folders are on the disk: each name in the folder above it, once that has been synced."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from asl_engine.datasets.local import LocalFolder
from asl_engine.folders import make_folder, sync_folder
from asl_engine.store.sqlite.opening import make_room

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders are synced on POSIX only")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes of what has been synced."""
    seen: set[int] = set()
    sync = os.fsync

    def fsync(file: int) -> None:
        seen.add(os.fstat(file).st_ino)
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def inodes(*folders: Path) -> set[int]:
    return {folder.stat().st_ino for folder in folders}


def test_every_new_folder_is_there_after_a_power_cut(tmp_path: Path, synced: set[int]) -> None:
    make_folder(tmp_path / "a" / "b" / "c")
    assert synced == inodes(tmp_path, tmp_path / "a", tmp_path / "a" / "b")


def test_a_folder_that_is_there_costs_nothing(tmp_path: Path, synced: set[int]) -> None:
    make_folder(tmp_path)
    assert synced == set()


def test_the_names_in_a_folder_are_brought_to_the_disk(tmp_path: Path, synced: set[int]) -> None:
    sync_folder(tmp_path)
    assert synced == inodes(tmp_path)


@pytest.mark.parametrize("name", [".asl", "data"])
def test_the_folder_of_a_new_database_is_there_after_a_power_cut(
    tmp_path: Path, name: str, synced: set[int]
) -> None:
    make_room(tmp_path / "project" / name / "asl.db", create=True)
    assert synced >= inodes(tmp_path, tmp_path / "project")


def test_the_folders_of_a_new_object_are_there_after_a_power_cut(tmp_path: Path, synced: set[int]) -> None:
    LocalFolder(tmp_path).put("results/run/manifest.json", io.BytesIO(b"{}"))
    parents = (tmp_path, tmp_path / "results", tmp_path / "results" / "run")
    assert synced == inodes(*parents, tmp_path / "results" / "run" / "manifest.json")
