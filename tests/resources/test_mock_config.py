"""MockConfigFile.json: what is read, and what is refused, with its place."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import ProjectError
from asl_engine.resources.mocks.configuration import MockConfig, MockFile, parse_mocks

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: Any = {
    "StateMachines": {"shop": {"TestCases": {"Happy": {"Pay": "Paid"}, "Nothing": {}}}},
    "MockedResponses": {
        "Paid": {
            "0": {"Return": {"ok": True}},
            "1-2": {"Throw": {"Error": "Busy", "Cause": "try again"}},
            "3": {"Return": None},
        }
    },
}


def parsed(value: Any) -> MockConfig:
    return parse_mocks(json.dumps(value), "mocks.json")


def test_the_nth_invocation() -> None:
    config = parsed(CONFIG)
    answers = [config.mock("shop", "Happy", "Pay", n) for n in range(4)]
    assert [mock and mock.error for mock in answers] == [None, "Busy", "Busy", None]
    assert answers[0] is not None
    assert answers[0].result is not None
    assert answers[0].result.value == {"ok": True}
    assert answers[3] is not None
    assert answers[3].result is not None
    assert answers[3].result.text == "null"
    assert config.mock("shop", "Happy", "Ship", 0) is None
    with pytest.raises(ProjectError, match=r"MockedResponses\.Paid says nothing of invocation 4 of 'Pay'"):
        config.mock("shop", "Happy", "Pay", 4)


def test_names_that_there_are_not() -> None:
    config = parsed(CONFIG)
    with pytest.raises(ProjectError) as refused:
        config.states("shops", "Happy")
    assert str(refused.value) == (
        "mocks.json: there is no state machine 'shops' under StateMachines; "
        "did you mean 'shop'? (there are 'shop')"
    )
    with pytest.raises(ProjectError) as refused:
        config.states("shop", "Sad")
    assert str(refused.value) == (
        "mocks.json: the state machine 'shop' has no test case 'Sad' (there are 'Happy', 'Nothing')"
    )


def test_a_test_case_mocks_the_tasks_of_its_machine_only() -> None:
    config = parsed(CONFIG)
    config.check("shop", "Happy", {"Pay": "Task", "Ship": "Task"})
    mocked = {"Pay": "Paid", "Pya": "Paid", "Each": "Paid"}
    config = parsed({**CONFIG, "StateMachines": {"shop": {"TestCases": {"Happy": mocked}}}})
    with pytest.raises(ProjectError) as refused:
        config.check("shop", "Happy", {"Pay": "Task", "Each": "Map", "Ship": "Task"})
    assert str(refused.value).splitlines() == [
        (
            "mocks.json: StateMachines.shop.TestCases.Happy.Pya: there is no state 'Pya' in the state machine; "
            "did you mean 'Pay'? (there are 'Pay', 'Ship')"
        ),
        "mocks.json: StateMachines.shop.TestCases.Happy.Each: this is a Map state; only Task states can be mocked",
    ]


ANSWER = "it has to have exactly one of Return and Throw"
THROW = "it has to be an object with the texts Error and Cause"
INVOCATION = 'an invocation is a number from 0, "2", or a range of them, "0-3"'
TEST_CASES = "it has to be an object with the one field TestCases, an object of test cases by name"
REFUSED: list[tuple[Any, list[str]]] = [
    ([], ["it has to be an object with StateMachines and MockedResponses"]),
    ({"Mocks": {}}, ["Mocks: there is no such field"]),
    ({"StateMachines": []}, ["StateMachines: it has to be an object of state machines by name"]),
    (
        {"StateMachines": {"m": {"Cases": {}}}},
        ["StateMachines.m: it has to be an object with the one field TestCases, an object of test cases by name"],
    ),
    (
        {"StateMachines": {"m": {"TestCases": {"c": [], "d": {"S": "gone", "T": 1}}}}},
        [
            "StateMachines.m.TestCases.c: it has to be an object of responses by state",
            "StateMachines.m.TestCases.d.S: there is no 'gone' under MockedResponses",
            "StateMachines.m.TestCases.d.T: it has to be the name of a response, not 1",
        ],
    ),
    (
        {
            "StateMachines": {"m": {"TestCases": {"c": {"S": "Payed"}}}},
            "MockedResponses": {"Paid": {"0": {"Return": 1}}},
        },
        [
            (
                "StateMachines.m.TestCases.c.S: there is no 'Payed' under MockedResponses; did you mean 'Paid'? "
                "(there are 'Paid')"
            )
        ],
    ),
    ({"MockedResponses": []}, ["MockedResponses: it has to be an object of responses by name"]),
    (
        {"MockedResponses": {"r": {}}},
        ['MockedResponses.r: it has to be an object of answers by invocation, such as {"0": {"Return": 1}}'],
    ),
    (
        {"MockedResponses": {"r": {"0": {}, "1": {"Return": 1, "Throw": {}}, "2": 1}}},
        [f"MockedResponses.r.{n}: {ANSWER}" for n in range(3)],
    ),
    (
        {"MockedResponses": {"r": {"0": {"Throw": {"Error": "E"}}, "1": {"Throw": {"Error": 1, "Cause": ""}}}}},
        [f"MockedResponses.r.{n}.Throw: {THROW}" for n in range(2)],
    ),
    (
        {"MockedResponses": {"r": {key: {"Return": 1} for key in ("-1", "a", "3-2", "1-")}}},
        [f"MockedResponses.r.{key}: {INVOCATION}" for key in ("-1", "a", "3-2", "1-")],
    ),
    (
        {"MockedResponses": {"r": {key: {"Return": 1} for key in ("0-2", "2")}}},
        ["MockedResponses.r.2: invocation 2 is in '0-2' too"],
    ),
]


@pytest.mark.parametrize(("config", "problems"), REFUSED)
def test_everything_that_is_wrong_is_told(config: Any, problems: list[str]) -> None:
    with pytest.raises(ProjectError) as caught:
        parsed(config)
    assert str(caught.value).splitlines() == [f"mocks.json: {problem}" for problem in problems]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", ":1:2: this is not JSON: "),
        (b'{"StateMachines": {},\n "StateMachines": {}}', 'the key "StateMachines" is given twice'),
        (b"\xff", ": this is not UTF-8"),
    ],
)
def test_a_file_that_is_no_json(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "mocks.json"
    file.write_bytes(content)
    with pytest.raises(ProjectError) as caught:
        MockFile(file).read()
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


def test_a_file_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"cannot read the mock configuration .*: No such file or directory"):
        MockFile(tmp_path / "gone.json").read()


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "mocks.json"
    path.write_text(json.dumps(CONFIG))
    file = MockFile(path)
    first = file.read()
    assert file.read() is first
    path.write_text(json.dumps({}))
    os.utime(path, ns=(1, 1))
    assert file.read().cases == {}
