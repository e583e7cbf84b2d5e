"""botocore's model of Step Functions: what the API is compared to."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

__all__ = ["service_model"]


@cache
def service_model(service: str = "stepfunctions") -> Any:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)
