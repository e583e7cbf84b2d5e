"""The AWS account and region that a deployment goes to."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["AwsAccount"]


class AwsAccount(NamedTuple):
    """The place where a machine will run, and its name there.

    ``functions`` are the ARNs of the functions deployed with it; every version of them may be invoked.
    """

    partition: str
    region: str
    account: str
    machine: str
    functions: frozenset[str] = frozenset()

    def arn(self, service: str, resource: str, *, glob: bool = False) -> str:
        """The ARN of a resource.  With ``glob`` it has no region and no account, as in the ARNs of S3."""
        where = "::" if glob else f"{self.region}:{self.account}:"
        return f"arn:{self.partition}:{service}:{where}{resource}"
