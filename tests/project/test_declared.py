"""What a project has of a template besides functions: with the file and the line of each."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from asl_engine.project.configuration import find_project
from asl_engine.project.declared import with_declared
from asl_engine.project.definitions import NOTHING, template_files

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEMPLATE = """
    Transform: AWS::Serverless-2016-10-31
    Resources:
      Take:
        Type: AWS::Serverless::Function
        Properties:
          Runtime: python3.12
          Handler: app.take
          Events:
            Get: {Type: HttpApi, Properties: {Path: /orders, Method: get}}
            Placed: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}
            Queue: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
            Voice: {Type: AlexaSkill}
      Orders: {Type: AWS::SQS::Queue}
"""
NOT_RUN = "Nothing here runs events of the type AlexaSkill: Take is not called by Voice"


def test_each_has_its_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "template.yaml").write_text(dedent(TEMPLATE).lstrip(), encoding="utf-8")
    project = find_project(tmp_path, {})
    found = with_declared(project, template_files("template.yaml", NOTHING, project)[1])
    assert [one.location for one in found.routes] == ["template.yaml:9"]
    assert [one.location for one in found.rules] == ["template.yaml:10"]
    assert [one.location for one in found.mappings] == ["template.yaml:11"]
    assert [one.location for one in found.resources] == ["template.yaml:13"]
    assert found.undeclared == [
        f"template.yaml:12:17: /Resources/Take/Properties/Events/Voice/Type: {NOT_RUN} [NOT_RUN_HERE]",
    ]
