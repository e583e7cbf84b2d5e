"""Values in a template: JSON, with the methods that Java's texts, lists and maps have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Methods", "called", "equal", "member", "shown"]

# What stands for something else in a replacement of Java's: an escaped character, a group.
REPLACED = re.compile(r"\\(.)|\$(\d)", re.DOTALL)


class Methods:
    """An object whose methods templates may call: those that ``known`` names."""

    known: tuple[str, ...] = ()


def shown(value: Any) -> str:
    """What a reference writes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={shown(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return str(value)


def equal(left: Any, right: Any) -> bool:
    """As ``==`` in a template: values of two kinds are compared as they are written."""
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, str) != isinstance(right, str):
        return shown(left) == shown(right)
    return bool(left == right)


def member(value: Any, name: str) -> Any:
    """``$value.name``; None where there is none."""
    if isinstance(value, dict) and name in value:
        return value[name]
    if name == "empty" and isinstance(value, (str, list, dict)):
        return not value
    return getattr(value, name) if isinstance(value, Methods) and name in value.known else None


def called(value: Any, name: str, arguments: list[Any]) -> Any:
    """``$value.name(...)``; None for a method of nothing.  Raises ``LookupError`` for one that there is not."""
    if value is None:
        return None
    if isinstance(value, Methods) and name in value.known:
        return getattr(value, name)(*arguments)
    for kind, methods in METHODS:
        if isinstance(value, kind) and name in methods:
            return methods[name](value, *arguments)
    raise LookupError(f"{KINDS.get(type(value), 'this')} has no method {name}")


KINDS = {dict: "a map", list: "a list", str: "a text", bool: "a truth value", int: "a number", float: "a number"}


def _replacement(text: str) -> Callable[[re.Match[str]], str]:
    """What a replacement of Java's puts in place of a match."""

    def made(match: re.Match[str]) -> str:
        return REPLACED.sub(lambda one: one[1] if one[1] is not None else match[int(one[2])] or "", text)

    return made


def _replace_all(text: str, pattern: str, new: str) -> str:
    return re.sub(pattern, _replacement(new), text)


def _replace_first(text: str, pattern: str, new: str) -> str:
    return re.sub(pattern, _replacement(new), text, count=1)


def _split(text: str, pattern: str, limit: int = 0) -> list[str]:
    parts = re.split(pattern, text, maxsplit=max(0, limit - 1))
    while limit == 0 and len(parts) > 1 and parts[-1] == "":  # Java leaves out what is empty at the end
        parts.pop()
    return parts


def _set(values: list[Any], index: int, value: Any) -> Any:
    before = values[index]
    values[index] = value
    return before


def _add(values: list[Any], value: Any) -> bool:
    values.append(value)
    return True


def _put(values: dict[str, Any], name: str, value: Any) -> Any:
    before = values.get(name)
    values[name] = value
    return before


ANY: Mapping[str, Callable[..., Any]] = {
    "equals": lambda value, other: isinstance(other, type(value)) and value == other,
    "toString": shown,
}
TEXT: Mapping[str, Callable[..., Any]] = {
    "concat": lambda text, other: text + other,
    "contains": lambda text, part: part in text,
    "endsWith": lambda text, part: text.endswith(part),
    "equalsIgnoreCase": lambda text, other: isinstance(other, str) and text.lower() == other.lower(),
    "indexOf": lambda text, part: text.find(part),
    "isEmpty": lambda text: text == "",
    "lastIndexOf": lambda text, part: text.rfind(part),
    "length": len,
    "matches": lambda text, pattern: re.fullmatch(pattern, text) is not None,
    "replace": lambda text, old, new: text.replace(old, new),
    "replaceAll": _replace_all,
    "replaceFirst": _replace_first,
    "split": _split,
    "startsWith": lambda text, part: text.startswith(part),
    "substring": lambda text, begin, end=None: text[begin:end],
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
}
LIST: Mapping[str, Callable[..., Any]] = {
    "add": _add,
    "contains": lambda values, value: value in values,
    "get": lambda values, index: values[index],
    "isEmpty": lambda values: not values,
    "set": _set,
    "size": len,
}
MAP: Mapping[str, Callable[..., Any]] = {
    "containsKey": lambda values, name: name in values,
    "entrySet": lambda values: [{"key": name, "value": value} for name, value in values.items()],
    "get": lambda values, name: values.get(name),
    "getOrDefault": lambda values, name, default: values.get(name, default),
    "isEmpty": lambda values: not values,
    "keySet": list,
    "put": _put,
    "putAll": lambda values, more: values.update(more),
    "remove": lambda values, name: values.pop(name, None),
    "size": len,
    "values": lambda values: [*values.values()],
}
METHODS: tuple[tuple[type, Mapping[str, Callable[..., Any]]], ...] = (
    (str, TEXT),
    (list, LIST),
    (dict, MAP),
    (object, ANY),
)
