"""A project under development: its machines are made, and follow their files, as its tasks do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from asl_engine.dev.telling import shown_seconds
from tests.cli.project import PASS, machine, task, wait_for
from tests.dev.developing import developing
from tests.server.harness import ended

if TYPE_CHECKING:
    from tests.dev.developing import Dev

PAUSE = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Seconds": 3600, "Next": "T"}, "T": task("hello", End=True)},
}


def test_machines_are_made_and_follow_their_files(dev: Dev) -> None:
    dev.define("one", PASS)
    with developing(dev) as server:
        assert dev.told == ["the state machine one of statemachines/one.json is made"]
        dev.define("two", machine(P={"Type": "Pass", "Result": 2}))
        dev.hears("the state machine two of statemachines/two.json is made")
        assert dev.output("two") == 2
        dev.define("two", machine(P={"Type": "Pass", "Result": 3}))
        dev.hears("the state machine two of statemachines/two.json is changed; what runs goes on as it began")
        assert dev.output("two") == 3
        (dev.root / "statemachines" / "two.json").unlink()
        dev.changed("statemachines/two.json")
        dev.hears("statemachines/two.json is gone: the state machine two stays as it was")
        assert dev.output("two") == 3
        assert len(server.client().list_state_machines()["stateMachines"]) == 2
    dev.said.clear()
    with developing(dev):
        assert dev.told == ["the state machine one of statemachines/one.json is there"]


def test_what_runs_goes_on_with_its_definition(dev: Dev) -> None:
    dev.code("def hello(event):\n    return 'old'\n")
    dev.define("slow", PAUSE)
    with developing(dev, skip_time=False) as server:
        client = server.client()
        arn = "arn:aws:states:us-east-1:123456789012:stateMachine:slow"
        before = client.start_execution(stateMachineArn=arn)["executionArn"]
        dev.define("slow", machine(P={"Type": "Pass", "Result": "new"}))
        dev.hears("the state machine slow of statemachines/slow.json is changed; what runs goes on as it began")
        assert dev.output("slow") == "new"
        assert client.describe_execution(executionArn=before)["status"] == "RUNNING"
        shown = client.describe_state_machine_for_execution(executionArn=before)
        assert json.loads(shown["definition"]) == PAUSE


def test_a_broken_definition_is_told_with_its_place(dev: Dev) -> None:
    dev.define("one", PASS)
    with developing(dev):
        dev.define("one", {"StartAt": "X", "States": {"P": {"Type": "Pass", "End": True}}})
        wait_for(lambda: any("Missing 'StartAt' target: X" in line for line in dev.told))
        assert any("one.json:1:" in line for line in dev.told)
        assert dev.output("one") == {}
        dev.define("one", "{")
        wait_for(lambda: any("one.json:1:2" in line for line in dev.told))
        assert dev.output("one") == {}
        dev.define("one", machine(P={"Type": "Pass", "Result": 1}))
        dev.hears("the state machine one of statemachines/one.json is changed; what runs goes on as it began")
        assert dev.output("one") == 1


def test_of_two_files_for_one_name_the_second_is_none(dev: Dev) -> None:
    dev.define("one", PASS)
    (dev.root / "more").mkdir()
    dev.write("more/one.asl.json", json.dumps(machine(P={"Type": "Pass", "Result": 2})))
    with developing(dev):
        made, refused = sorted(dev.told, key=lambda line: "too" in line)
        assert made == "the state machine one of more/one.asl.json is made"
        assert refused == "statemachines/one.json: more/one.asl.json defines a state machine one too"


def test_tasks_are_loaded_anew(dev: Dev) -> None:
    dev.code("from . import _words\n\n\ndef hello(event):\n    return _words.WORD\n")
    dev.code("WORD = 'hi'\n", "_words.py")
    dev.define("greet", machine(Hello=task("hello")))
    with developing(dev):
        assert dev.output("greet") == "hi"
        dev.code("WORD = 'ho'\nMORE = 1\n", "_words.py")
        wait_for(lambda: dev.output("greet") == "ho")
        dev.code("from . import _words\n\n\ndef hello(event):\n    return _words.MORE\n\n\ndef bye(event): ...\n")
        dev.hears("task callables that are new: bye")
        assert dev.output("greet") == 1
        dev.code("def hello(event:\n")
        wait_for(lambda: any(line.startswith("the tasks stay as they were: ") for line in dev.told))
        (told,) = [line for line in dev.told if "stay as they were" in line]
        assert "callables.py:1: cannot import the tasks: SyntaxError" in told
        assert dev.output("greet") == 1
        dev.code("def bye(event):\n    return 0\n")
        dev.hears("task callables that are gone: hello")
        assert dev.output("greet") == "Lambda.ResourceNotFoundException"


def test_the_configuration_counts_from_the_next_start_on(dev: Dev) -> None:
    with developing(dev):
        dev.changed("asl.toml")
        dev.hears("the configuration has changed: it counts from the next start on")


def test_it_tells_what_happens(dev: Dev) -> None:
    dev.code(
        "def flaky(event, context):\n    if context.attempt < 1:\n        raise ValueError('no ' * 99 + chr(10))\n"
    )
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 90}]
    dev.define(
        "one", machine(T=task("flaky", Retry=retry), F={"Type": "Fail", "Error": "Enough", "Cause": "of\nall"})
    )
    with developing(dev) as server:
        client = server.client()
        arn = "arn:aws:states:us-east-1:123456789012:stateMachine:one"
        ended(client, client.start_execution(stateMachineArn=arn, name="e")["executionArn"])
        wait_for(lambda: any("failed (Enough: of all)" in line for line in dev.told))
    heard = [line for line in dev.told if line.startswith("one/e ")]
    assert heard[0] == "one/e started"
    assert heard[1].startswith("one/e T failed (ValueError: no no no ")
    assert " no ...) after 0." in heard[1]
    assert heard[2] == "one/e T is tried again in 90 s"
    assert heard[3].startswith("one/e failed (Enough: of all) after 90")
    assert heard[3].endswith(" s (asl history one/e)")
    assert len(heard) == 4


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0123, "0.012 s"), (1, "1.0 s"), (59.94, "59.9 s"), (75.4, "75 s")]
)
def test_seconds_are_shown_as_exactly_as_they_matter(seconds: float, shown: str) -> None:
    assert shown_seconds(seconds) == shown
