"""How a field of a JSONata state says that it is an expression: ``{% ... %}``.

It stands apart from the compiler, so that a definition without JSONata does not load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["CLOSING", "OPENING", "is_expression"]

OPENING: Final = "{%"
CLOSING: Final = "%}"


def is_expression(source: Json) -> bool:
    """Nothing may stand outside of the delimiters, not even blanks."""
    return (
        isinstance(source, str)
        and len(source) >= len(OPENING) + len(CLOSING)
        and source.startswith(OPENING)
        and source.endswith(CLOSING)
    )
