"""Which lines are which state's, in JSON and in YAML."""

from __future__ import annotations

from asl_engine.debugging.source_lines import SourceLines
from asl_engine.language.document import read_source

JSON = """{
  "StartAt": "Each",
  "States": {
    "Each": {
      "Type": "Map",
      "ItemProcessor": {
        "StartAt": "One",
        "States": {
          "One": {"Type": "Pass", "Next": "Two"},
          "Two": {
            "Type": "Pass",
            "End": true
          }
        }
      },
      "End": true
    }
  }
}
"""
YAML = """\
StartAt: Each
States:
  Each:
    Type: Map
    ItemProcessor:
      StartAt: One
      States:
        One: {Type: Pass, Next: Two}
        Two:
          Type: Pass

          End: true
    End: true
"""


def states(text: str, name: str) -> list[str | None]:
    lines = SourceLines(read_source(text, name))
    return [lines.state_at(number) for number in range(1, text.count("\n") + 1)]


def test_lines_of_json() -> None:
    each, inner = "Each", ["One", "Two", "Two", "Two", "Two"]
    assert states(JSON, "a.json") == [None] * 3 + [each] * 5 + [inner[0], *inner[1:]] + [each] * 4 + [None] * 2
    assert SourceLines(read_source(JSON, "a.json")).line_of("Two") == 10


def test_lines_of_yaml() -> None:
    expected = [None, None, "Each", "Each", "Each", "Each", "Each", "One", "Two", "Two", "Two", "Two", "Each"]
    assert states(YAML, "a.yaml") == expected


def test_a_definition_in_one_line() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}\n'
    assert states(text, "a.json") == ["A"]
