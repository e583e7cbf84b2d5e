"""Writes JSON lines to a file or to stdout without blocking on a disk or a reader.

Delivery is best effort, as with CloudWatch Logs and EventBridge: a slow reader may lose lines, but never delays an
execution.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

from asl_engine.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["STDOUT", "Lines", "open_lines"]

log = logging.getLogger("asl_engine.server")

STDOUT = "-"
MAX_WAITING = 100_000  # lines that are queued for a slow reader
MAX_FAREWELL_SECONDS = 2.0


class Lines:
    """A file of JSON lines, written by its own thread.  Close it when done."""

    def __init__(self, name: str, file: TextIO, *, owned: bool = True) -> None:
        self.name = name
        self._file = file
        self._owned = owned
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._dropped = 0
        self._thread = Thread(target=self._write, name=f"lines {name}", daemon=True)
        self._thread.start()

    def put(self, value: Mapping[str, Any]) -> None:
        """Queue a line for writing.  Never waits and never raises."""
        if self._lines.qsize() >= MAX_WAITING:
            self._dropped += 1
            if self._dropped == 1:
                log.warning("%s is not read: lines are dropped", self.name)
            return
        self._lines.put(json.dumps(value, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Write the queued lines, unless the reader has stalled."""
        self._lines.put(None)
        self._thread.join(MAX_FAREWELL_SECONDS)
        if self._dropped:
            log.warning("%s: %d lines were dropped", self.name, self._dropped)

    def _write(self) -> None:
        try:
            while self._write_what_waits():
                self._file.flush()
        except (OSError, ValueError) as error:  # the disk is full, the reader has gone
            log.warning("cannot write to %s any more: %s", self.name, error)
        finally:
            if self._owned:
                self._close_file()

    def _write_what_waits(self) -> bool:
        """Wait for a line and write all queued ones; False after the last line of all."""
        line = self._lines.get()
        while line is not None:
            self._file.write(line)
            try:
                line = self._lines.get_nowait()
            except Empty:
                return True
        self._file.flush()
        return False

    def _close_file(self) -> None:
        try:
            self._file.close()
        except OSError:
            return  # the failed write was logged already


def open_lines(name: str, stdout: TextIO) -> Lines:
    """Open ``name``, a path to append to, or ``-`` for stdout.  Raises ``ProjectError``."""
    if name == STDOUT:
        return Lines("stdout", stdout, owned=False)
    try:
        return Lines(name, Path(name).open("a", encoding="utf-8"))
    except OSError as error:
        raise ProjectError(f"cannot write to {name}: {error.strerror}") from None
