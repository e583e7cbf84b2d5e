"""Templates that somebody has mangled: whatever is in them, a reader reads on, and tells what it cannot use."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.templates.cloudformation import CloudFormation
from asl_engine.templates.declarations import Declarations, Surroundings
from asl_engine.templates.recognition import read_template, recognised_template
from asl_engine.templates.serverless import serverless_declarations
from asl_engine.templates.serverless_variables import Outside
from asl_engine.templates.terraform import terraform_declarations

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECTS = Path(__file__).parents[1] / "projects"
EVENTS = Path(__file__).parent / "events"
FILES = [
    "sam/template.yaml",
    "cloudformation/template.json",
    "cdk/cdk.out/OrdersStack.template.json",
    "serverless/serverless.yml",
    "terraform/plan.json",
]
# Templates with every kind of event.
FILES_OF_EVENTS = ["template.yaml", "serverless.yml"]
VALUES: list[Any] = [
    None,
    1,
    "x",
    [],
    {},
    True,
    "${self:custom.limits}",
    {"Ref": "Stage"},
    {"Fn::Sub": "${a.b}"},
    ["a", {"b": 1}],
    {"Fn::If": ["c", 1, 2]},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places(child, (*path, key))


def mangled(document: Any, random: Random) -> Any:
    document = deepcopy(document)
    for _ in range(random.randint(1, 3)):
        *outer, last = random.choice([path for path in places(document) if path])
        holder = document
        for step in outer:
            holder = holder[step]
        holder[last] = deepcopy(random.choice(VALUES))
    return document


def declared(file: str, document: Any) -> Declarations:
    around = Surroundings("us-east-1", "123456789012", "shop", {})
    if file.startswith("serverless"):
        outside = Outside("us-east-1", "123456789012", {}, {}, lambda _: None)
        return serverless_declarations(document, lambda _: (1, 1), around, outside)
    if file.startswith("terraform"):
        return terraform_declarations(document, lambda _: (1, 1), around)
    return CloudFormation(document, lambda _: (1, 1), around).declarations()


@pytest.mark.parametrize(
    ("folder", "file"), [*((PROJECTS, file) for file in FILES), *((EVENTS, file) for file in FILES_OF_EVENTS)]
)
def test_a_mangled_template_is_read_on(folder: Path, file: str) -> None:
    document, _ = read_template((folder / file).read_text(encoding="utf-8"), file)
    random = Random(file)
    for _ in range(300 if folder == PROJECTS else 100):
        broken = mangled(document, random)
        recognised_template(json.dumps(broken), file)
        assert isinstance(declared(file, broken), Declarations)
