"""Notices that files of a project have changed: definitions, tasks, configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.errors import ProjectError

try:
    from watchfiles import DefaultFilter, awatch
except ImportError:
    raise ProjectError('asl dev needs watchfiles: pip install "asl-engine[dev-server]"') from None

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from watchfiles import Change

__all__ = ["changes_below"]

ENDINGS: Final = (".json", ".py", ".toml", ".yaml", ".yml")
OWN_FOLDER: Final = ".asl"
DEBOUNCE_MILLISECONDS: Final = 200  # an editor writes several files at once


class _Sources(DefaultFilter):
    """Neither what the engine writes, nor what is installed."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, OWN_FOLDER, "venv", "site-packages")

    def __call__(self, change: Change, path: str) -> bool:
        return path.endswith(ENDINGS) and super().__call__(change, path)


async def changes_below(root: Path) -> AsyncIterator[set[str]]:
    """Yield the paths of files that have changed, been made or removed, those of a fifth of a second together."""
    async for changes in awatch(root, watch_filter=_Sources(), debounce=DEBOUNCE_MILLISECONDS):
        yield {path for _, path in changes}
