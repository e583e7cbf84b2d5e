"""Which callable serves which resource of a definition."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from asl_engine.errors import Parameter, ProjectError
from asl_engine.payload import Payload
from asl_engine.resources import PENDING, TaskCall
from asl_engine.resources.catalog import Catalog, resolve
from asl_engine.resources.python.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "arn:aws:lambda:region:account:function:"


async def remote(_call: TaskCall) -> Payload:
    return Payload("remote")


@pytest.fixture
def registry() -> Registry:
    registry = Registry((Path("/shop/tasks"),))
    registry.add("validate_order", lambda event: ["validated", event])
    registry.add("ship", lambda event: ["shipped", event])
    return registry


def a_call(resource: str) -> TaskCall:
    def beat() -> None: ...

    return TaskCall(resource, Payload(1), "x:1", 0, None, "x", "S", beat)


def test_a_local_callable_comes_before_the_remote_one(registry: Registry) -> None:
    local, far = PREFIX + "validateOrder", PREFIX + "pay"
    found = resolve([local, far, local], Catalog(registry, cast("Any", remote)))
    assert list(found) == [local, far]
    assert found[far] is remote

    async def main() -> str:
        answer = await found[local](a_call(local))
        assert answer is not PENDING
        return answer.text

    assert asyncio.run(main()) == '["validated",1]'


def test_nothing_to_resolve() -> None:
    assert resolve([], Catalog(Registry())) == {}


def test_every_missing_function_is_listed(registry: Registry) -> None:
    hint = "did you mean 'validate_order'?"
    with pytest.raises(ProjectError) as caught:
        resolve([PREFIX + "validateOrders", PREFIX + "ship", PREFIX + "refund:live"], Catalog(registry))
    assert str(caught.value).splitlines() == [
        f"there is no task callable for the function 'validateOrders' ({PREFIX}validateOrders); " + hint,
        f"there is no task callable for the function 'refund' ({PREFIX}refund:live)",
        "task callables found: ship, validate_order; searched: /shop/tasks",
        "Define the missing ones there.",
    ]


def test_what_else_can_be_done_is_told_where_functions_are_missing(registry: Registry) -> None:
    with pytest.raises(ProjectError) as caught:
        resolve([PREFIX + "refund"], Catalog(registry), (", or set ", Parameter("anything")))
    assert str(caught.value).endswith("\nDefine the missing ones there, or set anything.")
    with pytest.raises(ProjectError) as caught:
        resolve(["arn:aws:states:::activity:a"], Catalog(registry), (", or set ", Parameter("anything")))
    assert "anything" not in str(caught.value)


def test_nothing_was_searched() -> None:
    with pytest.raises(ProjectError) as caught:
        resolve([PREFIX + "pay"], Catalog(Registry()))
    assert "task callables found: none; searched: nowhere: no tasks are configured" in str(caught.value)


ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:pay"
KUBERNETES = "arn:aws:states:::eks:runJob.sync"
TYPO = "arn:aws:states:::sqs:sendMesage"
REFUSED = {
    ACTIVITY: (
        f"the resource {ACTIVITY} is an activity, and `asl run` cannot give its workers their tasks: start "
        "`asl serve`, and create the activity and the state machine there (docs/activities.md)"
    ),
    KUBERNETES: f"The resource {KUBERNETES} is one that asl-engine does not support (docs/integrations.md)",
    TYPO: (
        f"The resource provided {TYPO} is not recognized. The value is not a valid resource ARN, or the resource "
        "is not available in this region."
    ),
}


@pytest.mark.parametrize("resource", REFUSED)
def test_a_resource_that_nothing_serves(registry: Registry, resource: str) -> None:
    with pytest.raises(ProjectError) as caught:
        resolve([resource, PREFIX + "ship", "arn:aws:states:::sqs:sendMessage"], Catalog(registry))
    assert str(caught.value) == REFUSED[resource]


def test_a_callable_that_takes_no_event_is_refused_when_it_is_needed(registry: Registry) -> None:
    no_event: Callable[[], None] = lambda: None  # noqa: E731  a definition of one line
    registry.add("main", no_event)
    assert list(resolve([PREFIX + "ship"], Catalog(registry))) == [PREFIX + "ship"]
    with pytest.raises(ProjectError, match="the task 'main' takes \\(\\)"):
        resolve([PREFIX + "main"], Catalog(registry))
