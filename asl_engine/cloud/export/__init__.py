"""The same deployment as files for other tools: SAM, CloudFormation, Terraform.

Each format is a function from ``TemplateParts`` to files; the definition is a file of its own, unchanged but for
its placeholders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.cloud.export.cloudformation import cloudformation
from asl_engine.cloud.export.parts import code_key, parts_of
from asl_engine.cloud.export.sam import sam
from asl_engine.cloud.export.terraform import terraform

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.cloud.deploy.deployment import Order
    from asl_engine.cloud.export.parts import TemplateParts

__all__ = ["FORMATS", "code_key", "export"]

FORMATS: dict[str, Callable[[TemplateParts], dict[str, str]]] = {
    "sam": sam,
    "cloudformation": cloudformation,
    "terraform": terraform,
}


def export(order: Order, form: str) -> dict[str, bytes]:
    """The files of a format, by name.  Raises ``AslError`` for a definition that is refused."""
    parts = parts_of(order)
    files = {name: text.encode() for name, text in FORMATS[form](parts).items()}
    if parts.bundle is not None:
        files["functions.zip"] = parts.bundle.content
    return files
