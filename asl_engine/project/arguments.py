"""Arguments of the Python API, held against their types: what is of another would fail anywhere, or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from asl_engine.errors import InvalidInput, ProjectError
from asl_engine.language.placeholders import nothing_to_replace, placeholders, short_forms

__all__ = [
    "check_folder",
    "check_limits",
    "check_path",
    "check_placeholders",
    "check_substitutes",
    "check_switch",
    "check_text",
    "check_texts",
]


def check_text(name: str, given: object) -> None:
    if not isinstance(given, str):
        raise _unfit(name, "a text", given)


def check_texts(name: str, given: object) -> tuple[str, ...]:
    """A list of texts, which a single text is not."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise _unfit(name, "a list of texts", given)
    return tuple(given)


def check_switch(name: str, given: object) -> None:
    if not isinstance(given, bool):
        raise _unfit(name, "True or False", given)


def check_path(name: str, given: object) -> None:
    if not isinstance(given, str | os.PathLike):
        raise _unfit(name, "a path", given)


def check_folder(name: str, given: object) -> None:
    """Raises ``ProjectError`` for a path at which there is nothing."""
    check_path(name, given)
    path = Path(given)  # type: ignore[arg-type]  # it was checked
    if not path.exists():
        raise ProjectError(f"{name}: there is no folder {path}")


def check_limits(name: str, given: object) -> None:
    if isinstance(given, bool):
        return
    if not isinstance(given, Mapping):
        raise _unfit(name, "True, False, or a mapping of limits to numbers or None", given)
    for key in given:
        check_text(f"{name}: the name of a limit", key)


def check_substitutes(name: str, given: object) -> None:
    if not isinstance(given, Mapping):
        raise _unfit(name, "a mapping of names to texts", given)
    for key, value in given.items():
        check_text(f"{name}: the name of a placeholder", key)
        check_text(f"{name}: the value of {key!r}", value)


def check_placeholders(name: str, given: Mapping[str, str], text: str) -> None:
    """Raises ``InvalidInput`` for a value that no placeholder of the text would get."""
    known = [*dict.fromkeys((*placeholders(text), *short_forms(text)))]
    for key in given:
        if key not in known:
            raise InvalidInput(f"{name}: {nothing_to_replace(key, known)}")


def _unfit(name: str, wanted: str, given: object) -> TypeError:
    return TypeError(f"{name} has to be {wanted}, not {type(given).__name__}")
