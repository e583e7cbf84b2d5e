"""Alerts that a project's configuration declares: when there is one, and the rule that brings it to somebody.

``[tool.asl.alerts.NAME]`` has one of ``failures`` (a number), ``running`` and ``no-progress`` (ages) and
``dead-letters`` (a number), and ``targets`` as the rules of ``[tool.asl.events]`` have them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from asl_engine.errors import InvalidInput
from asl_engine.events.declared import DeclaredRule, check_keys, checked_targets
from asl_engine.events.entries import DEFAULT_BUS
from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json

__all__ = ["AGES", "DAY_MS", "PREFIX", "SOURCE", "Alert", "AlertKind", "read_alerts", "with_alerts"]

AlertKind: TypeAlias = Literal["failures", "running", "no-progress", "dead-letters"]
NUMBERS: Final = ("failures", "dead-letters")
AGES: Final = ("running", "no-progress")
KINDS: Final[tuple[AlertKind, ...]] = ("failures", "running", "no-progress", "dead-letters")
KEYS: Final = (*KINDS, "within", "machines", "description", "targets")
SOURCE: Final = "asl.alerts"
PREFIX: Final = "asl-alert-"  # of the names of their rules
NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,54}")  # a rule's name has 64 characters at most
AGE: Final = re.compile(r"(\d{1,6})(s|min|h|d)", re.ASCII)
UNITS: Final = {"s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
AGE_FORM: Final = "a whole number and a unit: s, min, h or d, such as 10min"
# What has been told is known for a day: so long the bus keeps an event.
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000


class Alert(NamedTuple):
    """There have to be ``number`` of them within ``period`` (milliseconds), or one has to be as old as ``period``.

    ``machines`` are the names of the state machines that it is about; none: all.
    """

    name: str
    kind: AlertKind
    number: int
    period: int
    machines: tuple[str, ...]
    rule: DeclaredRule


def read_alerts(table: Mapping[str, Any], place: str) -> list[Alert]:
    """The alerts of a configuration.  Raises ``InvalidInput`` that begins with ``place`` and names the key."""
    return [_alert(name, one, f"{place}: alerts.{name}") for name, one in table.items()]


def with_alerts(
    declared: tuple[list[str], list[DeclaredRule]], table: Mapping[str, Any], place: str
) -> tuple[list[str], list[DeclaredRule]]:
    """The declared buses and rules, and the rules of alerts."""
    buses, rules = declared
    alerts = read_alerts(table, place)
    taken = {rule.name for rule in rules if rule.bus == DEFAULT_BUS}
    for alert in alerts:
        if alert.rule.name in taken:
            raise InvalidInput(
                f"{place}: events.rules.{alert.rule.name}: this is the name of the rule of alerts.{alert.name}"
            )
    return buses, [*rules, *(alert.rule for alert in alerts)]


def _alert(name: str, table: Any, where: str) -> Alert:
    if NAME.fullmatch(name) is None:
        raise InvalidInput(
            f"{where}: a name has at most 54 letters, digits and characters of . - _; it is {name!r}"
        )
    check_keys(table, KEYS, where)
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        given = f"; there are {' and '.join(kinds)}" if kinds else ""
        raise InvalidInput(f"{where} has to have one of {', '.join(KINDS)}{given}")
    (kind,) = kinds
    value = table[kind]
    if kind in NUMBERS:
        if type(value) is not int or value < 1:
            raise InvalidInput(f"{where}.{kind} has to be a number, at least 1; it is {value!r}")
        number, period = value, _age(table.get("within", "1h"), f"{where}.within")
        if period > DAY_MS:
            raise InvalidInput(f"{where}.within has to be at most 1d; it is {table['within']!r}")
    else:
        number, period = 1, _age(value, f"{where}.{kind}")
        if "within" in table:
            raise InvalidInput(f"{where}.within goes with {' or '.join(NUMBERS)}")
    machines = table.get("machines", [])
    if not (isinstance(machines, list) and all(isinstance(one, str) and one for one in machines)):
        raise InvalidInput(f'{where}.machines has to be a list of names, such as ["order"]; it is {machines!r}')
    if machines and kind == "dead-letters":
        raise InvalidInput(f"{where}.machines goes with failures, running or no-progress")
    return Alert(name, kind, number, period, tuple(machines), _rule(name, table, where))


def _age(text: Any, where: str) -> int:
    found = AGE.fullmatch(text) if isinstance(text, str) else None
    if found is None or not int(found[1]):
        raise InvalidInput(f"{where} has to be {AGE_FORM}; it is {text!r}")
    return int(found[1]) * UNITS[found[2]]


def _rule(name: str, table: Mapping[str, Any], where: str) -> DeclaredRule:
    pattern: dict[str, Json] = {"source": [SOURCE], "detail": {"alert": [name]}}
    kept = {"State": "ENABLED", "EventPattern": dumps(pattern)}
    if "description" in table:
        kept["Description"] = str(table["description"])
    return DeclaredRule(f"{PREFIX}{name}", DEFAULT_BUS, kept, checked_targets(table.get("targets", {}), where))
