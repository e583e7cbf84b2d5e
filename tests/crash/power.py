"""What a power cut leaves of some files: what was synced, and of the rest whatever the disk chose to write.

The shim has recorded each change.  A disk may write what was not synced in any order, in sectors, or not at all; a
name that was made, removed or changed holds only once its folder has been synced.  What is below ``outside`` is
the world, which loses nothing.  The model is stricter than most file systems.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

__all__ = ["Change", "Disk", "changes_in", "mark", "restore", "snapshot"]

HEAD: Final = struct.Struct("=IIQQ")
OPENED, CREATED, WRITTEN, CUT, SYNCED, FOLDER_SYNCED, UNLINKED, RENAMED, FOLDER_MADE = range(1, 10)
MARK: Final = 100
SECTOR: Final = 512
WORLD: Final = "outside"
# How a disk may treat the writes to one file that were not synced.
HABITS: Final = ("none", "all", "some first", "any")
_, ALL, SOME_FIRST, ANY = HABITS


class Change(NamedTuple):
    kind: int
    inode: int
    offset: int
    content: bytes

    @property
    def is_mark(self) -> bool:
        return self.kind == MARK

    @property
    def told(self) -> Any:
        return json.loads(self.content)


def mark(log: int, told: Any) -> None:
    """Note in a log that something was told, or heard, at this moment."""
    content = json.dumps(told).encode()
    os.write(log, HEAD.pack(MARK, len(content), 0, 0) + content)


def changes_in(log: Path) -> list[Change]:
    """In the order in which they happened.  What a killed process was writing in the end is left out."""
    data, found, at = log.read_bytes(), [], 0
    while at + HEAD.size <= len(data):
        kind, length, inode, offset = HEAD.unpack_from(data, at)
        at += HEAD.size
        if at + length <= len(data):
            found.append(Change(kind, inode, offset, data[at : at + length]))
        at += length
    return found


Snapshot = dict[str, bytes | None]


def snapshot(folder: Path) -> Snapshot:
    """The content of each file below a folder, by its path; None for a folder."""
    return {str(path): None if path.is_dir() else path.read_bytes() for path in sorted(folder.rglob("*"))}


def restore(folder: Path, files: Snapshot) -> None:
    """Have exactly these files below the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, content in sorted(files.items()):
        if content is None:
            Path(path).mkdir(exist_ok=True)
        else:
            Path(path).write_bytes(content)


class _File:
    """A file, whatever its name: what is safe, and what was written since."""

    def __init__(self, content: bytes = b"") -> None:
        self.safe = bytearray(content)
        self.pending: list[tuple[int, bytes | None]] = []  # where, and what; or the length that it was cut to

    def sync(self) -> None:
        for place, what in self.pending:
            _apply(self.safe, place, what)
        self.pending.clear()

    def left(self, rng: random.Random | None) -> bytes:
        """What is there after a cut, or without a generator, what was there before it."""
        content = bytearray(self.safe)
        for place, what in self.pending if rng is None else _chosen(self.pending, rng):
            _apply(content, place, what)
        return bytes(content)


def _apply(content: bytearray, place: int, what: bytes | None) -> None:
    if what is None:
        del content[place:]
    if len(content) < place:
        content.extend(bytes(place - len(content)))
    if what is not None:
        content[place : place + len(what)] = what


def _chosen(pending: list[tuple[int, bytes | None]], rng: random.Random) -> Iterator[tuple[int, bytes | None]]:
    habit = rng.choice(HABITS)
    if habit == ALL:
        yield from pending
    elif habit == SOME_FIRST:
        yield from pending[: rng.randint(0, len(pending))]
    elif habit == ANY:
        for place, what in pending:
            if what is None:
                if rng.random() < 0.5:
                    yield place, what
                continue
            # A write reaches the disk sector by sector.
            for begin in range(0, len(what), SECTOR):
                if rng.random() < 0.5:
                    yield place + begin, what[begin : begin + SECTOR]


class Disk:
    """The files below a folder, while changes come in."""

    def __init__(self, root: Path) -> None:
        files = snapshot(root)
        self._root = str(root)
        self._names: dict[str, _File | None] = {  # as a running process sees them; None for a folder
            path: None if content is None else _File(content) for path, content in files.items()
        }
        self._safe_names = dict(self._names)
        self._renamings: list[
            tuple[str, list[tuple[str, _File | None, bool]]]
        ] = []  # by folder: path, file, is there
        self._inodes: dict[int, _File] = {}

    def take(self, change: Change) -> None:
        kind, inode, offset, content = change
        if kind == OPENED:
            known = self._names[content.decode()]
            assert known is not None, "a folder is not opened"
            self._inodes[inode] = known
        elif kind == CREATED:
            self._inodes[inode] = made = _File()
            self._rename((content.decode(), made, True))
        elif kind == FOLDER_MADE:
            self._rename((content.decode(), None, True))
        elif kind == WRITTEN:
            self._inodes[inode].pending.append((offset, content))
        elif kind == CUT:
            self._inodes[inode].pending.append((offset, None))
        elif kind == SYNCED:
            self._inodes[inode].sync()
        elif kind == FOLDER_SYNCED:
            self._sync_folder(content.decode())
        elif kind == UNLINKED:
            self._rename((content.decode(), None, False))
        elif kind == RENAMED:
            old, _, new = content.decode().partition("\0")
            # One step: a file is never without a name, nor twice there.
            self._rename((new, self._names[old], True), (old, None, False))

    def _rename(self, *steps: tuple[str, _File | None, bool]) -> None:
        _follow(self._names, steps)
        self._renamings.append((os.path.dirname(steps[0][0]), [*steps]))  # noqa: PTH120  texts

    def _sync_folder(self, folder: str) -> None:
        for parent, steps in self._renamings:
            if parent == folder:
                _follow(self._safe_names, steps)
        self._renamings = [one for one in self._renamings if one[0] != folder]

    def after_a_cut(self, rng: random.Random) -> Snapshot:
        """What is found when the power is back."""
        names = dict(self._safe_names)
        # A folder's changes are written in their order, as far as they are.
        for folder in dict.fromkeys(parent for parent, _ in self._renamings):
            steps = [steps for parent, steps in self._renamings if parent == folder]
            for step in steps[: rng.randint(0, len(steps))]:
                _follow(names, step)
        found = {path: None if file is None else file.left(rng) for path, file in names.items()}
        world = {
            path: None if file is None else file.left(None)
            for path, file in self._names.items()
            if _is_world(path)
        }
        found = {path: content for path, content in found.items() if not _is_world(path)} | world
        left: Snapshot = {}
        for path in sorted(found):  # a folder comes before what is in it
            parent = os.path.dirname(path)  # noqa: PTH120  texts
            if parent == self._root or left.get(parent, b"") is None:
                left[path] = found[path]
        return left


def _follow(names: dict[str, _File | None], steps: Any) -> None:
    for path, file, is_there in steps:
        if is_there:
            names[path] = file
        else:
            names.pop(path, None)


def _is_world(path: str) -> bool:
    return WORLD in Path(path).parts
