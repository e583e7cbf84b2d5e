"""Text for a terminal: rows of pieces, each with the style of its colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from asl_engine.graph.overlay import Standing

__all__ = ["STYLES", "Piece", "Row"]


class Piece(NamedTuple):
    """A text and its style, in rich's words; "" is the terminal's own."""

    text: str
    style: str = ""


Row: TypeAlias = list[Piece]

STYLES: Final[dict[Standing, str]] = {
    "succeeded": "green",
    "failed": "red",
    "caught": "yellow",
    "running": "cyan",
    "aborted": "yellow",
    "not-reached": "dim",
}
