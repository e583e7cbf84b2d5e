"""The statements that delete a state machine with all that belongs to it, in one transaction.

Nothing is deleted while an execution of the machine runs: every statement looks for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.store.run_options import SERVED

if TYPE_CHECKING:
    from asl_engine.store.sqlite.connection import Statement

__all__ = ["deleting_executions", "deleting_machine"]

IDLE = "NOT EXISTS (SELECT 1 FROM executions WHERE machine_arn = ?1 AND status = 'RUNNING')"
# What a server has started: its executions, and the children of their Map Runs, whose machine is "ARN/label".
# What `asl run` has run under the same name belongs to a file, and stays.
ENDED = f"status <> 'RUNNING' AND json_extract(options, '$.{SERVED}')"
GONE = (
    f"SELECT execution FROM executions WHERE machine_arn = ?1 AND {ENDED} UNION ALL "
    f"SELECT execution FROM executions WHERE machine_arn > ?1 || '/' AND machine_arn < ?1 || '0' AND {ENDED}"
)
# The executions come last: the other statements look them up.
EXECUTIONS = (
    f"DELETE FROM events WHERE execution IN ({GONE}) AND {IDLE}",
    f"DELETE FROM children WHERE map_run IN (SELECT map_run FROM map_runs WHERE execution IN ({GONE})) AND {IDLE}",
    f"DELETE FROM children WHERE execution IN ({GONE}) AND {IDLE}",
    f"DELETE FROM map_runs WHERE execution IN ({GONE}) AND {IDLE}",
    f"DELETE FROM executions WHERE execution IN ({GONE}) AND {IDLE}",
)
IS_DELETING = "EXISTS (SELECT 1 FROM state_machines WHERE arn = ?1 AND status = 'DELETING')"
# The machine comes last: the other statements look at its status.
MACHINE = (
    f"DELETE FROM state_machine_versions WHERE machine_arn = ?1 AND {IS_DELETING} AND {IDLE}",
    f"DELETE FROM state_machine_aliases WHERE machine_arn = ?1 AND {IS_DELETING} AND {IDLE}",
    f"DELETE FROM tags WHERE arn = ?1 AND {IS_DELETING} AND {IDLE}",
    f"DELETE FROM state_machines WHERE arn = ?1 AND {IS_DELETING} AND {IDLE}",
)


def deleting_executions(arn: str) -> tuple[Statement, ...]:
    return tuple((statement, (arn,)) for statement in EXECUTIONS)


def deleting_machine(arn: str) -> tuple[Statement, ...]:
    """For a machine with the status DELETING."""
    return tuple((statement, (arn,)) for statement in MACHINE)
