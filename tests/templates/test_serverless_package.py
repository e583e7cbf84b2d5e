"""What is read of a serverless.yml, held against the template that the framework makes of it (recorded)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.templates.declarations import Surroundings
from asl_engine.templates.recognition import read_template
from asl_engine.templates.serverless import serverless_declarations
from asl_engine.templates.serverless_variables import Outside
from tests.templates.reading import ACCOUNT, cloudformation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.templates.declarations import Declarations

EVENTS = Path(__file__).parent / "events"
# What is said in two ways, or makes no difference, in the integration of a route.
ASIDE = ("ContentHandling", "RequestTemplates", "TimeoutInMillis")


@cache
def read() -> Declarations:
    document, locate = read_template((EVENTS / "serverless.yml").read_text(encoding="utf-8"), "serverless.yml")
    assert isinstance(document, dict)
    outside = Outside("us-east-1", ACCOUNT, {}, {}, lambda _: None)
    return serverless_declarations(document, locate, Surroundings("us-east-1", ACCOUNT, "shop", {}), outside)


@cache
def packaged() -> Declarations:
    return cloudformation((EVENTS / "packaged.json").read_text(encoding="utf-8"))


def routes(declared: Declarations) -> Iterator[Any]:
    for one in declared.routes:
        integration = {name: value for name, value in one.integration.items() if name not in ASIDE}
        if isinstance(responses := integration.pop("IntegrationResponses", None), list):
            integration["responses"] = [response(row) for row in responses]
        cors = {name: sorted(map(str, row)) if isinstance(row, list) else row for name, row in one.cors.items()}
        yield one.api, one.stage, one.method, one.path, one.target, one.payload, integration, cors, one.findings


def response(row: Any) -> Any:
    """An integration's response: no pattern is the same as an empty one, and no headers are the same as none."""
    found = {name: value for name, value in row.items() if value not in ("", {})}
    return {**found, "StatusCode": str(found["StatusCode"])}


def rules(declared: Declarations) -> Iterator[Any]:
    for one in declared.rules:
        # Only rules of eventBridge have names that are known beforehand.
        name = one.name if "-rule-" in one.name and one.bus == "shop" else ""
        yield name, one.bus, one.configuration, [*one.targets.values()], one.findings


def mappings(declared: Declarations) -> Iterator[Any]:
    for one in declared.mappings:
        yield one.function, one.source, {"Enabled": True, **one.properties}, one.findings


def resources(declared: Declarations) -> Iterator[Any]:
    """Subscriptions by themselves: a topic may have its own."""
    topics = {one.name: one for one in declared.resources if one.type == "AWS::SNS::Topic"}
    for one in declared.resources:
        if one.type == "AWS::SNS::Subscription":
            yield one.type, one.properties
            continue
        properties = dict(one.properties)
        subscribed: Any = properties.pop("Subscription", [])
        for row in subscribed if one.name in topics else ():
            yield "AWS::SNS::Subscription", {**row, "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:{one.name}"}
        yield one.type, one.name, properties, one.findings


@pytest.mark.parametrize("told", [routes, rules, mappings, resources], ids=lambda told: told.__name__)
def test_events_are_what_the_framework_makes_of_them(told: Any) -> None:
    mine, theirs = ([json.dumps(one, sort_keys=True) for one in told(one)] for one in (read(), packaged()))
    assert sorted(mine) == sorted(theirs)
    assert theirs
    assert (read().findings, packaged().findings) == ((), ())


def test_functions_are_what_the_framework_makes_of_them() -> None:
    [mine], [theirs] = read().functions, packaged().functions
    for name in ("name", "runtime", "handler", "timeout", "memory", "architecture", "reserved"):
        assert getattr(mine, name) == getattr(theirs, name)
