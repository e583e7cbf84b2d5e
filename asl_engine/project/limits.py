"""Limits as people set them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean
from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.project.configuration import Project

__all__ = ["limits_of", "overridden", "parse_limits"]

OFF = "none"


def parse_limits(given: Iterable[str], base: Limits = AWS_LIMITS) -> Limits:
    """``NAME=NUMBER`` and ``NAME=none`` over the limits that hold otherwise.  Raises ``InvalidInput``."""
    return overridden(base, dict(_parsed(text) for text in given), None)


def _parsed(text: str) -> tuple[str, str | int]:
    name, _, value = text.partition("=")
    return name.strip(), int(value) if value.strip().isdecimal() and value.isascii() else value.strip()


def overridden(base: Limits, given: Mapping[str, object], where: str | None = "") -> Limits:
    """The limits with some set otherwise: to a number, or off with None or "none".

    Raises ``InvalidInput``, which begins with ``where``, or, where that is None, names the parameter ``limit``.
    """
    changed: dict[str, int | None] = {}
    for key, value in given.items():
        name = key.replace("-", "_")
        if name not in Limits._fields:
            known = ", ".join(Limits._fields)
            raise InvalidInput(
                _place(where, key), f": there is no such limit{did_you_mean(name, Limits._fields)}: {known}"
            )
        if value is None or value == OFF:
            changed[name] = None
        elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
            changed[name] = value
        else:
            raise InvalidInput(_place(where, f"{key}={value}"), f": a limit is a number above 0, or {OFF}")
    return base._replace(**changed)


def _place(where: str | None, text: str) -> str | Parameter:
    return Parameter("limit", text) if where is None else f"{where}{text}"


def limits_of(project: Project, given: Iterable[str] = (), *, aws_limits: bool = True) -> Limits:
    """AWS's limits, or none, with those changed that the project and then the command set otherwise.

    Raises ``InvalidInput``.
    """
    base = overridden(AWS_LIMITS, project.limits, f"{project.source}: limits: ") if aws_limits else NO_LIMITS
    return parse_limits(given, base)
