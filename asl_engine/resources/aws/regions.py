"""The region that is configured for the AWS SDK."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["configured_region"]


def configured_region(session: Any) -> str | None:
    """The region that the environment, or the profile of a boto3 session, names; None where neither does.

    boto3 alone of the SDKs does not read AWS_REGION; the AWS CLI lets it take precedence over AWS_DEFAULT_REGION.
    """
    region: str | None = os.environ.get("AWS_REGION") or session.region_name
    return region
