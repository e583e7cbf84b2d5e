"""Reading the account of an execution that a few characters mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.cli.lookup import find_one, ways_to_resume
from asl_engine.engine.clock import SystemClock
from asl_engine.project.lookup import opened
from asl_engine.views.account import FEW_CHILDREN, read_account

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.views.account import Account

__all__ = ["FoundAccount", "find_account"]


class FoundAccount(NamedTuple):
    """An account; ``way`` is what to type to go on with the execution, if it is interrupted."""

    account: Account
    way: str | None


async def find_account(db: Path, text: str, children: int = FEW_CHILDREN) -> FoundAccount:
    """Raises ``ExecutionDoesNotExist`` and ``StoreError``."""
    async with opened(db, reading=True) as store:
        record = await find_one(store, text)
        ways = await ways_to_resume(store, [record])
        account = await read_account(store, record, SystemClock().now(), children)
        return FoundAccount(account, ways.get(record.identity.arn))
