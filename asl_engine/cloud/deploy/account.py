"""The AWS account and region that a deployment goes to."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["AwsAccount"]


class AwsAccount(NamedTuple):
    """Where a machine is to run, and what it is called there.

    ``functions`` are ARNs of functions of which any version may be invoked: those that are deployed along.
    """

    partition: str
    region: str
    account: str
    machine: str
    functions: frozenset[str] = frozenset()

    def arn(self, service: str, resource: str, *, glob: bool = False) -> str:
        """``glob``: services whose ARNs have no region or account get none."""
        where = "::" if glob else f"{self.region}:{self.account}:"
        return f"arn:{self.partition}:{service}:{where}{resource}"
