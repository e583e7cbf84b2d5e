"""HCL, as far as a configuration needs it: blocks, attributes, strings, lists, maps.

"Configuration Syntax" and "Strings and Templates" of the Terraform language.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Block", "Raw", "document", "quoted"]

_IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*")


class Raw(NamedTuple):
    """An expression, written as it is."""

    text: str


class Block(NamedTuple):
    """``kind "label" { ... }``; the body holds attributes (name and value) and blocks, in their order."""

    kind: str
    labels: tuple[str, ...]
    body: Sequence[tuple[str, Any] | Block]


def document(blocks: Sequence[Block]) -> str:
    return "\n".join("\n".join(_block(block, "")) + "\n" for block in blocks)


def quoted(text: str) -> str:
    """A string literal that means ``text``, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    escaped = escaped.replace("\t", "\\t").replace("${", "$${").replace("%{", "%%{")
    return f'"{escaped}"'


def _block(block: Block, indent: str) -> list[str]:
    head = " ".join([block.kind, *(quoted(label) for label in block.labels)])
    lines = [f"{indent}{head} {{"]
    names = [len(one[0]) for one in block.body if not isinstance(one, Block)]
    width = max(names, default=0)
    for one in block.body:
        if isinstance(one, Block):
            lines += ["", *_block(one, f"{indent}  ")]
        else:
            lines.append(f"{indent}  {one[0]:<{width}} = {expression(one[1], f'{indent}  ')}")
    return [*lines, f"{indent}}}"]


def expression(value: Any, indent: str) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    inner = f"{indent}  "
    if isinstance(value, list):
        if not value:
            return "[]"
        items = "".join(f"{inner}{expression(one, inner)},\n" for one in value)
        return f"[\n{items}{indent}]"
    pairs = "".join(f"{inner}{_key(key)} = {expression(one, inner)}\n" for key, one in value.items())
    return f"{{\n{pairs}{indent}}}" if pairs else "{}"


def _key(key: str) -> str:
    return key if _IDENTIFIER.fullmatch(key) else quoted(key)
