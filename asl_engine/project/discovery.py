"""The definitions of a project: which of the files below a folder are some."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.project.inputs import read_text
from asl_engine.templates.recognition import is_broken_template, recognised_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.templates.recognition import DeploymentTemplate

__all__ = ["Found", "find_definitions", "template_in"]

ENDINGS: Final = (".json", ".yaml", ".yml")
OWN_ENDINGS: Final = tuple(f".asl{ending}" for ending in ENDINGS)
HOME: Final = "statemachines"  # where every file is taken for a definition
LEFT_OUT: Final = frozenset({"node_modules", "__pycache__", "site-packages"})
LARGEST_BYTES: Final = 8_388_608  # a definition has at most 1 MiB; templates have several
# The first member of the text's object; members of YAML that are not indented.
JSON: Final = re.compile(r'\s*\{\s*"(?:StartAt|States|QueryLanguage|TimeoutSeconds|Version|Comment)"')
YAML: Final = re.compile(r"^(StartAt|States)[ \t]*:", re.MULTILINE)
MOCKS: Final = re.compile(r'"(?:StateMachines|MockedResponses)"\s*:')


class Found(NamedTuple):
    """A file with a definition; or with a template, which says where definitions are."""

    path: Path
    template: DeploymentTemplate | None = None


def find_definitions(folder: Path) -> Iterator[Found]:
    """The definitions and templates below a folder, without what is hidden or installed there."""
    for home, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_own(Path(home) / name))
        for name in sorted(files):
            if name.endswith(ENDINGS) and not name.startswith("."):
                yield from _looked_at(Path(home) / name)


def _is_own(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in LEFT_OUT
    return not hidden and not (folder / "pyvenv.cfg").exists()


def template_in(file: str) -> DeploymentTemplate | None:
    """The template that a file is; None for a definition, and for what cannot be read."""
    try:
        return recognised_template(read_text(file, "the definition"), file)
    except InvalidInput:  # whoever reads it as a definition says why it cannot be
        return None


def _looked_at(path: Path) -> Iterator[Found]:
    is_named = path.name.endswith(OWN_ENDINGS)
    try:
        if path.stat().st_size > LARGEST_BYTES and not is_named:
            return
        text = read_text(str(path), "the definition")
    except (OSError, InvalidInput):  # whoever reads it as a definition says why it cannot be
        if is_named or path.parent.name == HOME:
            yield Found(path)
        return
    template = recognised_template(text, path.name)
    if template is not None:
        if template.counts:
            yield Found(path, template)
    elif is_named or _is_definition(path, text) or is_broken_template(text, path.name):
        yield Found(path)


def _is_definition(path: Path, text: str) -> bool:
    if path.parent.name == HOME:
        return MOCKS.search(text) is None
    if path.suffix == ".json":
        return JSON.match(text) is not None and '"States"' in text
    return len({*YAML.findall(text)}) == 2
