"""What the terminal shows: each file of transcripts/ is a session, repeated line by line.

``python -m tests.debugging.test_transcripts`` writes them anew; read what has become different.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.debugging.machines import MACHINES
from tests.debugging.sessions import transcript

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
PROMPT = "(asl) "


def played(text: str) -> str:
    """The transcript as it comes out now."""
    machine, data, *rest = text.splitlines()
    lines = [line.removeprefix(PROMPT) for line in rest if line.startswith(PROMPT)]
    given: Any = json.loads(data.removeprefix("input: "))
    return f"{machine}\n{data}\n{transcript(MACHINES[machine.removeprefix('machine: ')], given, lines)}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_session_is_as_it_was(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert played(text) == text


if __name__ == "__main__":
    for one in FILES:
        one.write_text(played(one.read_text(encoding="utf-8")), encoding="utf-8")
