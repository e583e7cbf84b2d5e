"""The cost of a run for people: tables of text for the terminal, and Markdown for a pull request."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.costing.models import MODELS
from asl_engine.costing.prices import GIVEN
from asl_engine.projections.moments import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.costing.cost import Cost
    from asl_engine.costing.growth import Heading
    from asl_engine.costing.models import CostLine, Estimate
    from asl_engine.costing.prices import PriceTable

__all__ = [
    "TextTable",
    "cell",
    "comparison_tables",
    "cost_markdown",
    "cost_tables",
    "foot_lines",
    "price_rows",
    "title_line",
]

UNKNOWN: Final = "unknown"
NEAR: Final = 0.8  # of a limit: from here on the row says so
COLUMNS: Final = ("state", "type", "entered", "retried", "transitions")


class TextTable(NamedTuple):
    """The cells of a table, without any layout."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def title_line(cost: Cost) -> str:
    """``order  my-order  SUCCEEDED in 14.0 s: 7 state transitions, 32 history events``"""
    own = cost.own
    children = len(cost.runs) - 1
    with_children = f", with {children} {'child' if children == 1 else 'children'}" if children else ""
    return (
        f"{cost.machine}  {cost.execution}  {cost.status} in {seconds(own.duration)}: "
        f"{_counted(cost.transitions.total, 'state transition')}, {_counted(own.history_events, 'history event')}"
        f"{with_children}"
    )


def cost_tables(cost: Cost) -> list[TextTable]:
    """The three ways side by side, the transitions by state, and the quotas."""
    return [models_table(cost), states_table(cost), quotas_table(cost)]


def comparison_tables(cost: Cost) -> list[TextTable]:
    """The same work with other memory and architecture, and with more items in a call; what a month costs."""
    if cost.comparison is None:
        return []
    sizes: list[tuple[str, ...]] = [
        (
            one.function,
            f"{one.memory:,} MB{' (now)' if one.is_now else ''}",
            dollars(one.x86),
            dollars(one.arm),
            f"{number(one.even)} ms",
        )
        for one in cost.comparison.sizes
    ]
    ways: list[tuple[str, ...]] = [
        (one.function, one.name, f"{round(one.calls * cost.pricing.executions):,}", dollars(one.month))
        for one in cost.comparison.ways
    ]
    return [
        TextTable(("function", "memory", "x86_64", "arm64", "as cheap as now on arm64 if a call takes"), sizes),
        TextTable(("function", "way", "calls a month", "a month"), ways),
    ]


def models_table(cost: Cost) -> TextTable:
    rows: list[tuple[str, ...]] = []
    for estimate in cost.estimates:
        rows += _of_estimate(estimate, cost)
    return TextTable(("", "quantity", "one execution", f"{cost.pricing.executions:,} a month"), rows)


def _of_estimate(estimate: Estimate, cost: Cost) -> list[tuple[str, ...]]:
    name = MODELS[estimate.model]
    if estimate.reasons:
        return [(name, "not possible", "", ""), *((f"  {reason}", "", "", "") for reason in estimate.reasons)]
    behind = " + ?" if estimate.unknown else ""
    head = (name, "", f"{dollars(estimate.each)}{behind}", f"{dollars(estimate.month)}{behind}")
    return [head, *(_of_line(line, cost.pricing.table) for line in estimate.lines)]


def _of_line(line: CostLine, table: PriceTable) -> tuple[str, ...]:
    quantity = UNKNOWN if line.quantity is None else number(line.quantity)
    priced = table.prices[line.price].usd is not None
    missing = UNKNOWN if priced else f"unknown: {line.price}"
    each = missing if line.each is None else dollars(line.each)
    month = "" if line.month is None else dollars(line.month)
    return f"  {line.what}", quantity, each, month


def states_table(cost: Cost) -> TextTable:
    rows: list[tuple[str, ...]] = [
        (name, count.type, f"{count.entered:,}", f"{count.retried:,}", f"{count.transitions:,}")
        for name, count in cost.transitions.by_state.items()
    ]
    if cost.transitions.redrives:
        rows.append(("(redrives)", "", "", "", f"{cost.transitions.redrives:,}"))
    return TextTable(COLUMNS, rows)


def quotas_table(cost: Cost) -> TextTable:
    rows: list[tuple[str, ...]] = [(_mark(one), one.quota, _where(one), one.told) for one in cost.headings]
    return TextTable(("", "quota", "where", "seen and ahead"), rows)


def _mark(one: Heading) -> str:
    """``!`` for what is reached, or nearly so."""
    reached = one.share >= NEAR if one.at is None else one.steps >= NEAR * one.at
    return "!" if reached and "at once" not in one.quota else ""


def _where(one: Heading) -> str:
    inner = one.place or "the execution"
    return f"{one.machine}: {inner}" if one.machine else inner


def foot_lines(cost: Cost) -> list[str]:
    """What to know about the figures."""
    table = cost.pricing.table
    notes = [*cost.notes, *(f"{MODELS[one.model]}: {note}" for one in cost.estimates for note in one.notes)]
    notes = [f"{note[0].upper()}{note[1:]}." for note in notes]
    given = [price.name for price in table.prices.values() if price.source == GIVEN]
    as_given = f"; as given: {', '.join(given)}" if given else ""
    free = "with the free units of a month" if cost.pricing.free_tier else "without free units"
    return [*notes, f"Prices of {table.date.isoformat()}, {table.region}, in US dollars, {free}{as_given}."]


def price_rows(table: PriceTable) -> TextTable:
    """The prices, with where they come from."""
    rows: list[tuple[str, ...]] = []
    for price in table.prices.values():
        read = "" if price.read is None else price.read.isoformat()
        usd = UNKNOWN if price.usd is None else _exact(price.usd)
        per = price.unit if price.per == 1 else f"{price.per:,} {price.unit}"
        free = f"{price.free:,}" if price.free else ""
        rows.append((price.name, usd, per, free, read, price.source))
        rows += [("", _exact(usd), f"above {above:,} a month", "", "", "") for above, usd in price.tiers]
    return TextTable(("price", "USD", "per", "free a month", "read", "source"), rows)


# -- Markdown -----------------------------------------------------------------------------------------


def cost_markdown(cost: Cost) -> str:
    """A report for a pull request."""
    models, states, quotas = cost_tables(cost)
    parts = [f"### What {cell(cost.machine)} costs", "", cell(title_line(cost)), ""]
    compared = zip(("Other sizes", "Other ways"), comparison_tables(cost), strict=False)
    for heading, table in (("", models), ("State transitions", states), ("Quotas", quotas), *compared):
        if heading:
            parts += [f"#### {heading}", ""]
        parts += [*_markdown(table), ""]
    parts += [*foot_lines(cost)]
    return "\n".join(parts) + "\n"


def _markdown(table: TextTable) -> list[str]:
    lines = [_line(table.columns), "|" + "---|" * len(table.columns)]
    for row in table.rows:
        indented = row[0].startswith("  ")
        cells = [cell(text) for text in row]
        if not indented and table.columns[0] == "" and row[0] not in {"", "!"}:
            cells[0] = f"**{cells[0]}**"
        lines.append(_line(cells))
    return lines


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def cell(text: str) -> str:
    """A text as a cell of a table, in which it means nothing."""
    for character in "\\`*_[]<>|":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", " ").strip()


# -- figures ------------------------------------------------------------------------------------------


def dollars(amount: float) -> str:
    """``$0.000175``, ``$174.90``: cents, and of what is small three significant digits."""
    return "$0" if amount == 0 else f"${_shown(amount, 2)}"


def _exact(usd: float) -> str:
    """A price, with all its digits."""
    cents, _, rest = f"{usd:.12f}".rstrip("0").partition(".")
    return f"${cents}.{rest.ljust(2, '0')}"


def number(quantity: float) -> str:
    return f"{quantity:,.0f}" if float(quantity).is_integer() else _shown(quantity, 1)


def _shown(amount: float, places: int) -> str:
    return f"{amount:,.{places}f}" if amount >= 0.1 else f"{amount:.{2 - floor(log10(amount))}f}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
