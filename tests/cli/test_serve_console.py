"""``asl serve`` and its console: the address that it prints leads there, and with the token one is let in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.project import finished
from tests.cli.test_serve import serving
from tests.console.harness import Page

if TYPE_CHECKING:
    from tests.cli.project import Project

OPEN = ("--host", "0.0.0.0")  # noqa: S104  the address is under test


def test_it_says_where_the_console_is(project: Project) -> None:
    with serving(project) as (server, process):
        told = Page(server).get("session")
        assert Page(server).ask("GET", "/console").status == 200
        assert (told["required"], told["authenticated"]) == (False, True)
        process.terminate()
        said = finished(process).err
    assert f"asl serve: console at http://127.0.0.1:{server.port}/console\n" in said


def test_it_can_be_left_away(project: Project) -> None:
    with serving(project, "--no-console") as (server, process):
        assert Page(server).ask("GET", "/console").status == 404
        assert Page(server).refused("session").status == 404
        process.terminate()
        assert "console" not in finished(process).err


def test_an_open_address_wants_the_token_that_was_printed(project: Project) -> None:
    with serving(project, *OPEN) as (server, process):
        assert process.stderr is not None
        said = ""
        while "console at" not in said:
            said = process.stderr.readline()
        token = re.fullmatch(r"asl serve: console at http://localhost:\d+/console#token=(\S{32,})\n", said)
        assert token
        page = Page(server)
        assert page.refused("runs").status == 401
        assert page.write("login", {"token": f"{token[1]}x"}).status == 401
        page.cookie = page.write("login", {"token": token[1]}).headers["set-cookie"].partition(";")[0]
        assert page.get("runs")["runs"] == []
        process.terminate()
        finished(process)


@pytest.mark.parametrize("name", ["inputs", "statemachines"])
def test_it_knows_the_project(project: Project, name: str) -> None:
    """Sample inputs are those of the project's folder."""
    (project.root / name).mkdir(exist_ok=True)
    (project.root / name / "sample.json").write_text('{"from": "the project"}', encoding="utf-8")
    with serving(project) as (server, process):
        page = Page(server)
        machine = page.operation(
            "CreateStateMachine",
            name="m",
            definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/r",
        )["stateMachineArn"]
        samples = [one["name"] for one in page.get("inputs", machine=machine)["samples"]]
        assert ("sample.json" in samples) is (name == "inputs")
        process.terminate()
        finished(process)
