"""What the operations of EventBridge share: the bus, its rules, names and ARNs, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from asl_engine.arn import event_arn, event_resource
from asl_engine.events.entries import DEFAULT_BUS, Home, bus_arn_of
from asl_engine.events.language.faults import InvalidEventPattern
from asl_engine.events.language.patterns import compile_pattern
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.tokens import page_token, position_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.events.bus import EventBus
    from asl_engine.events.rule_book import RuleBook
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service
    from asl_engine.store.bus_records import RuleRecord

__all__ = [
    "already_exists",
    "an_object",
    "bus_of",
    "checked_bus",
    "checked_pattern",
    "found_rule",
    "home_of",
    "invalid",
    "missing",
    "paged",
    "rule_arn_of",
    "seconds",
]

MAX_PAGE = 100


def bus_of(service: Service) -> EventBus:
    """The bus of a server.  Raises for a server whose store keeps none."""
    if service.bus is None:
        raise ApiError("UnknownOperationException", "This server has no event bus: its store keeps none")
    return service.bus


def home_of(request: Request) -> Home:
    return Home(*request.caller)


def invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)


def missing(message: str) -> ApiError:
    return ApiError("ResourceNotFoundException", message)


def already_exists(message: str) -> ApiError:
    return ApiError("ResourceAlreadyExistsException", message)


def seconds(milliseconds: int | None) -> float | None:
    """A time as the answers of this API tell it."""
    return None if milliseconds is None else milliseconds / 1000


def an_object(request: Request, member: str) -> dict[str, Any]:
    value: Any = request.data.get(member) or {}
    return dict(value)


def checked_bus(request: Request, book: RuleBook, name: str | None) -> str:
    """The ARN of a bus by its name or ARN, which has to exist."""
    arn = bus_arn_of(home_of(request), name)
    if arn != bus_arn_of(home_of(request), DEFAULT_BUS) and arn not in book.buses:
        raise missing(f"Event bus {name} does not exist.")
    return arn


def rule_arn_of(bus_arn: str, request: Request, name: str) -> str:
    """The ARN of a rule: that of another bus than the default one has its name within."""
    found = event_resource(bus_arn)
    bus = DEFAULT_BUS if found is None else found[1]
    names = (name,) if bus == DEFAULT_BUS else (bus, name)
    return event_arn(*request.caller, "rule", *names)


def found_rule(request: Request, book: RuleBook, member: str = "Name", *, changed: bool = False) -> RuleRecord:
    """The rule that a request names.  ``changed``: it is to be changed, so the configuration must not have it."""
    bus = request.optional_text("EventBusName")
    bus_arn = checked_bus(request, book, bus)
    name = request.text(member)
    rule = book.rules.get(rule_arn_of(bus_arn, request, name))
    if rule is None:
        raise missing(f"Rule {name} does not exist on EventBus {bus or DEFAULT_BUS}.")
    if changed and rule.declared:
        refuse_declared(name)
    return rule


def refuse_declared(name: str) -> NoReturn:
    raise ApiError(
        "ManagedRuleException",
        f"Rule {name} is declared in the project's configuration: change it there, and start the server again.",
    )


def checked_pattern(text: str) -> str:
    """Raises InvalidEventPatternException."""
    try:
        compile_pattern(text)
    except InvalidEventPattern as error:
        raise ApiError("InvalidEventPatternException", str(error)) from None
    return text


def paged(request: Request, member: str, items: Sequence[tuple[str, Any]], *query: Any) -> dict[str, Any]:
    """A page of items, each with its name, in the order of the names."""
    size = request.optional_integer("Limit") or MAX_PAGE
    after = position_of(request.optional_text("NextToken"), (member, *query))
    rest = sorted((item for item in items if after is None or item[0] > after), key=lambda item: item[0])
    answer: dict[str, Any] = {member: [shown for _, shown in rest[:size]]}
    if len(rest) > size:
        answer["NextToken"] = page_token((member, *query), rest[size - 1][0])
    return answer
