"""New projects: the files of a starter, written into a folder."""

from __future__ import annotations

from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from asl_engine.errors import InvalidInput, Parameter, ProjectError
from asl_engine.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["STARTERS", "start_project"]

STARTERS: Final = ("order", "empty", "saga", "events")
# So that no tool takes the files of a starter for some of this package.
SUFFIX: Final = ".starter"
KEPT: Final = ".gitignore"  # most folders have one before anything else: it stays as it is


def start_project(folder: Path, starter: str) -> list[Path]:
    """Write the files of a starter into a folder, which is made if there is none.  Returns them.

    A .gitignore that is there stays as it is.

    Raises ``InvalidInput`` for a starter that there is not, and ``ProjectError`` for a file that is there already
    or cannot be written: then nothing is left of what was written.
    """
    if starter not in STARTERS:
        meant = did_you_mean(starter, STARTERS)
        raise InvalidInput(Parameter("template", starter), f": it is one of {', '.join(STARTERS)}{meant}")
    wanted = {folder / name: text for name, text in _texts(files("asl_engine.project") / "starters" / starter, "")}
    there = [path for path in wanted if path.exists() or path.is_symlink()]
    for path in (path for path in there if path.name == KEPT):
        del wanted[path]
    there = [path for path in there if path.name != KEPT]
    if there:
        listed = "".join(f"\n  {path}" for path in there)
        raise ProjectError(f"nothing is written, because these are there already:{listed}")
    made: list[Path] = []
    try:
        for path, text in wanted.items():
            made += _made_folders(path.parent)
            made.append(path)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        _take_back(made)
        raise ProjectError(f"cannot write {error.filename}: {error.strerror}; nothing is left of it") from None
    return [*wanted]


def _texts(place: Traversable, name: str) -> Iterator[tuple[str, str]]:
    for one in sorted(place.iterdir(), key=lambda one: one.name):
        path = f"{name}/{one.name}" if name else one.name
        if one.is_dir():
            yield from _texts(one, path)
        elif path.endswith(SUFFIX):
            yield path.removesuffix(SUFFIX), one.read_text(encoding="utf-8")


def _made_folders(folder: Path) -> list[Path]:
    """Make a folder with those around it.  Returns those that were not there, the outermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _take_back(made: list[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):  # it was not made, or somebody has put something into it
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink()
