"""What can be taken along: an execution as an HTML page or as a pytest file; two executions side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.responses import Response

from asl_engine.console.pasts import at_leisure
from asl_engine.console.shown import run_of_past
from asl_engine.lab.comparing import compare, compared_ends
from asl_engine.lab.pinning import identifier
from asl_engine.lab.recalling import recall
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.views.redaction import Redaction

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.console.asked import Asked
    from asl_engine.lab.comparing import Compared
    from asl_engine.store.records import Record
    from asl_engine.testing.executions import ExecutionLog
    from asl_engine.views.account import Account

__all__ = ["compared", "cost", "export", "pytest_file"]

MAX_STATES: Final = 2_000
MAX_CHANGES: Final = 20  # of one state


async def export(asked: Asked) -> Response:
    """The page of ``asl open``, secrets left out."""
    from asl_engine.views.page import page

    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    account = await asked.desk.pasts.account(past)
    text = await run_in_thread(partial(page, account, Redaction(()), asked.desk.settings.version))
    name = quote(f"{identifier(past.record.identity.name)}.html")  # a name may have letters of any script
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return Response(text, headers=headers, media_type="text/html")


async def pytest_file(asked: Asked) -> dict[str, Any]:
    """The file that ``asl pin`` writes."""
    from asl_engine.lab.pins import pin

    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    recalled = await recall(asked.service.store, past.record)
    definition = await asked.service.store.definition(past.record.definition)
    text = await run_in_thread(partial(pin, recalled, definition))
    return {"file": f"test_{identifier(past.record.identity.name)}.py", "text": text}


async def cost(asked: Asked) -> dict[str, Any]:
    """What ``asl cost`` says of an execution that has happened, for so many of them in a month."""
    from asl_engine.costing.gathering import logs_of

    past = await asked.desk.pasts.of(asked.api, asked.text("arn"))
    executions = asked.number("executions", 1_000_000, 1, 10**12)
    logs = await logs_of(asked.service.store, past.record)
    folder = asked.desk.settings.folder
    return await run_in_thread(partial(_priced, folder, past.record, logs, executions))


def _priced(folder: Path, record: Record, logs: list[ExecutionLog], executions: int) -> dict[str, Any]:
    from asl_engine.costing.cost import cost_json, cost_of
    from asl_engine.costing.gathering import function_table
    from asl_engine.costing.models import Pricing
    from asl_engine.costing.prices import price_table
    from asl_engine.project.lookup import project_of

    functions = function_table(project_of(folder), (), logs, measured=True, local=not record.options.imported)
    pricing = Pricing(price_table(), executions)
    return cost_json(cost_of(logs, record.status, functions, pricing, record.options.limits))


async def compared(asked: Asked) -> dict[str, Any]:
    """Two executions, as ``asl diff`` compares them."""
    pasts = asked.desk.pasts
    one, other = await pasts.of(asked.api, asked.text("one")), await pasts.of(asked.api, asked.text("other"))
    first, second = await pasts.account(one), await pasts.account(other)
    told = await at_leisure(partial(_compared, first, second), len(one.events) + len(other.events))
    return {"one": run_of_past(asked.service, one), "other": run_of_past(asked.service, other), **told}


def _compared(one: Account, other: Account) -> dict[str, Any]:
    ends, states = compared_ends(one, other), compare(one, other)
    return {
        "same": not ends and not any(state.differs for state in states),
        "ends": {name: lines[:MAX_CHANGES] for name, lines in ends.items()},
        "states": [_row(state) for state in states[:MAX_STATES]],
        "more": max(0, len(states) - MAX_STATES),
    }


def _row(state: Compared) -> dict[str, Any]:
    return {
        "place": [*state.place],
        "state": state.state,
        "one": state.one,
        "other": state.other,
        "changes": state.changes[:MAX_CHANGES],
        "differs": state.differs,
    }
