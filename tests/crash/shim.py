"""The shim between a life and its files: compiled and loaded where there is a C compiler, on Linux.

``shim.c`` says what it does.  A program that is loaded with it is this very one, started once more.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

__all__ = ["Fault", "is_loaded", "start", "start_again_with", "why_not"]

SOURCE = Path(__file__).with_name("shim.c")
LOADED = "ASL_CRASH_SHIM"


class Fault(NamedTuple):
    """The changes of the database's files from number ``first`` on, ``length`` of them, fail with ``error``."""

    error: int
    first: int
    length: int

    def __str__(self) -> str:
        return f"{errno.errorcode[self.error]} at change {self.first} for {self.length}"


def why_not() -> str | None:
    """Why there can be no shim here, None where there can."""
    if sys.platform != "linux":
        return f"files are recorded on Linux only, and this is {sys.platform}"
    if shutil.which("cc") is None:
        return "there is no C compiler (cc)"
    return None


def is_loaded() -> bool:
    return LOADED in os.environ


def start_again_with() -> None:
    """Become the same program, with the shim in it.  Returns only where that has happened, or cannot."""
    if is_loaded() or why_not() is not None:
        return
    library = Path(mkdtemp(prefix="asl-crash-")) / "shim.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl", "-lpthread"], check=True)
    os.environ |= {"LD_PRELOAD": str(library), LOADED: str(library)}
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606  this very program


def forget_library() -> None:
    """Remove the library, which is loaded, and have no other program load it."""
    library = Path(os.environ[LOADED])
    del os.environ["LD_PRELOAD"]
    shutil.rmtree(library.parent, ignore_errors=True)


def start(folder: Path, log: int | None, fault: Fault | None) -> None:
    """From now on, in this process, for the files below the folder."""
    first, last, error = (0, 0, 0) if fault is None else (fault.first, fault.first + fault.length, fault.error)
    # The symbol is in the program itself: the library was loaded before everything else.
    ctypes.CDLL(None).crash_start(
        os.fsencode(folder), -1 if log is None else log, ctypes.c_long(first), ctypes.c_long(last), error
    )
