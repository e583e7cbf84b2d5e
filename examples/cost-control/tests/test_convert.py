"""The function with both kinds of batches, and the machine around it."""

import json
from pathlib import Path

import pytest

from tasks import images

MACHINE = Path(__file__).parents[1] / "statemachines" / "convert.json"


@pytest.fixture
def convert(asl):
    return asl(MACHINE, {"convert": images.convert})


def order(count, bad=()):
    return {"images": [{"name": f"{n}.{'txt' if n in bad else 'png'}"} for n in range(count)]}


def test_all_images_are_converted_in_three_calls(convert):
    run = convert.run(order(25))
    assert run.status == "SUCCEEDED"
    assert [len(batch["done"]) for batch in run.output] == [10, 10, 5]


def test_what_is_no_image_fails_alone(convert):
    run = convert.run(order(10, bad=[3]))
    assert run.output[0]["failed"] == [{"name": "3.txt"}]
    assert len(run.output[0]["done"]) == 9


def test_a_batch_that_fails_is_tolerated(convert):
    assert convert.run(order(40, bad=range(10))).status == "SUCCEEDED"


def test_too_many_are_not(convert):
    run = convert.run(order(40, bad=range(20)))
    assert (run.status, run.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")


def test_messages_that_fail_stay_on_the_queue():
    records = [{"messageId": name, "body": json.dumps({"name": name})} for name in ("a.png", "b.txt", "c.gif")]
    assert images.convert({"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "b.txt"}]}
