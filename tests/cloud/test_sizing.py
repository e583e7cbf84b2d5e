"""Memory, architecture and reserved concurrency get to what is deployed and exported."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from asl_engine.cloud.deploy.bundle import build
from asl_engine.cloud.deploy.settings import Settings, function_settings, read_settings
from asl_engine.errors import ProjectError
from asl_engine.project.configuration import find_project
from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

TASKS = """
from asl_engine import task

@task(concurrency=7)
def first(event): ...

@task("secondOne", concurrency=7)
def second(event): ...

@task
def third(event): ...
"""
CONFIGURED = """
[functions.second-one]
concurrency = 0
memory = 1024
architecture = "x86_64"

[functions.third]
memory = 2048

[deploy]
memory = 512

[deploy.functions.third]
memory = 3008
"""


@pytest.fixture
def sized(project: Project) -> Project:
    (project.root / "tasks" / "callables.py").write_text(TASKS)
    (project.root / "asl.toml").write_text(CONFIGURED)
    states = {"A": task("first"), "B": task("secondOne"), "C": task("third")}
    project.define("m", machine(**states))
    return project


def properties(project: Project, form: str) -> dict[str, tuple[int, list[str], int | None]]:
    result = project.asl("export", "statemachines/m.json", "--with-functions", "--format", form, "--output", "out")
    assert result.code == 0, result.err
    resources = json.loads((project.root / "out" / "template.json").read_text())["Resources"]
    found = [one["Properties"] for one in resources.values() if one["Type"].endswith("::Function")]
    return {
        one["FunctionName"]: (one["MemorySize"], one["Architectures"], one.get("ReservedConcurrentExecutions"))
        for one in found
    }


@pytest.mark.parametrize("form", ["sam", "cloudformation"])
def test_a_template_has_what_the_project_says(sized: Project, form: str) -> None:
    assert properties(sized, form) == {
        "m-first": (512, ["arm64"], 7),
        "m-secondOne": (1024, ["x86_64"], 0),
        "m-third": (3008, ["arm64"], None),
    }


def test_terraform_has_what_the_project_says(sized: Project) -> None:
    result = sized.asl(
        "export", "statemachines/m.json", "--with-functions", "--format", "terraform", "--output", "out"
    )
    assert result.code == 0, result.err
    text = (sized.root / "out" / "main.tf").read_text()
    (second,) = re.findall(r'resource "aws_lambda_function" "second_one" \{.*?\n\}', text, re.DOTALL)
    flat = re.sub(r"\s+", " ", second)
    for line in ("memory_size = 1024", "reserved_concurrent_executions = 0"):
        assert line in flat
    assert re.search(r"architectures = \[ ?\"x86_64\",? ?\]", flat)


def test_what_deploys_a_function_comes_before_what_describes_it(sized: Project) -> None:
    settings = read_settings(find_project(sized.root, {}))
    assert function_settings(settings, "third").memory == 3008
    assert function_settings(settings, "secondOne").architecture == "x86_64"
    assert function_settings(settings, "first").architecture == "arm64"


def test_code_of_another_architecture_is_refused(sized: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = sized.root / "installed"
    (installed / "fast").mkdir(parents=True)
    (installed / "fast" / "core.so").write_bytes(b"x")
    monkeypatch.setattr("asl_engine.cloud.deploy.bundle._dependencies", lambda *_: iter([installed]))
    project = find_project(sized.root, {})
    build(project, Settings("p"))
    told = r"the function second-one is to run on x86_64, and fast/core\.so of the dependencies is for arm64"
    with pytest.raises(ProjectError, match=told):
        build(project, read_settings(project))
