"""Writes docs/language.md from the tables that the engine itself reads: ``python -m tests.language_page``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.expressions.choice_rule import OPERATORS
from asl_engine.expressions.intrinsics.functions import INTRINSICS
from asl_engine.expressions.jsonata.functions.builtins import BUILTINS
from asl_engine.language.loader import MACHINE_FIELDS
from asl_engine.states import STATE_TYPES
from asl_engine.states.recovery_fields import CATCHER_FIELDS, JSONATA_CATCHER_FIELDS, RETRIER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.states.fields import Field

PAGE = Path(__file__).parents[1] / "docs" / "language.md"

HEAD = """# The language

What of the Amazon States Language runs here. This page is written from the tables that the engine reads
(`python -m tests.language_page`), and a test fails where it is out of date. A field that is not listed is refused,
with its place in the definition. How results compare with AWS's is said in [fidelity.md](fidelity.md).
"""


def fields(title: str, shape: Mapping[str, Field], other: Mapping[str, Field] | None = None) -> Iterable[str]:
    """A table of fields: in which of the two query languages they are known, and whether they are required."""
    jsonata = shape if other is None else other
    yield f"\n### {title}\n"
    yield "| field | JSONPath | JSONata | |"
    yield "|---|---|---|---|"
    for name in sorted({*shape, *jsonata}):
        known = ["yes" if name in table else "" for table in (shape, jsonata)]
        required = any(name in table and table[name].required for table in (shape, jsonata))
        yield f"| {name} | {known[0]} | {known[1]} | {'required' if required else ''} |"


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def page() -> str:
    lines = [HEAD, "## Fields"]
    lines += fields("The machine", MACHINE_FIELDS)
    for name, kind in STATE_TYPES.items():
        lines += fields(name, kind.fields, kind.jsonata_fields)
    lines += fields("An entry of Retry", RETRIER_FIELDS)
    lines += fields("An entry of Catch", CATCHER_FIELDS, JSONATA_CATCHER_FIELDS)
    lines.append("\n## Operators of a Choice rule (JSONPath)\n")
    lines.append(f"{listed(OPERATORS)}.")
    lines.append("\n## Intrinsic functions (JSONPath)\n")
    lines.append(f"{listed(INTRINSICS)}.")
    lines.append("\n## Functions of JSONata\n")
    version = "The language is that of version 2.0.6, as in Step Functions; there is no `$eval`."
    lines.append(f"{listed(f'${name}' for name in BUILTINS)}. {version}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
