"""The floor plan of docs/architecture.md, held against the imports as they are."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.floor_plan import LAST_PURE, ORDER, PAGE, page

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1] / "asl_engine"

PURE = set(ORDER[: ORDER.index(LAST_PURE) + 1])
IMPURE = {"anyio", "asyncio", "aiosqlite", "sqlite3", "os", "time", "uuid", "secrets", "socket", "threading"}


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "write it anew: python -m tests.floor_plan"


@cache
def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def place(module: str) -> int:
    """Where a module stands in ``ORDER``."""
    parts = module.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(ORDER.index(prefix) for prefix in prefixes if prefix in ORDER)


@cache
def imports(path: Path) -> set[str]:
    """The dotted names that a module imports, for the type checker alone too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def own_module(name: str) -> str | None:
    """The module of this package that holds a dotted name, None where another package does."""
    if not name.startswith("asl_engine."):
        return None
    inner = name.removeprefix("asl_engine.")
    return inner if inner in modules() else inner.rpartition(".")[0] or "__init__"


@cache
def own_imports(module: str) -> frozenset[str]:
    """The modules of this package that a module imports, for the type checker alone too."""
    found = {own_module(name) for name in imports(modules()[module])}
    return frozenset(name for name in found if name is not None and name != module)


# A rule is one test, which names all modules that break it: one a module and a rule would be thousands.


def test_a_module_imports_only_from_its_place_and_before() -> None:
    above = {
        f"{module} ({ORDER[place(module)]})": sorted(n for n in own_imports(module) if place(n) > place(module))
        for module in modules()
    }
    assert not {module: found for module, found in above.items() if found}, "it imports from above"


def test_the_core_is_pure() -> None:
    pure = [module for module in modules() if ORDER[place(module)] in PURE]
    assert len(pure) > 100
    used = {module: {name.split(".")[0] for name in imports(modules()[module])} & IMPURE for module in pure}
    assert not {module: found for module, found in used.items() if found}
    sources = {module: modules()[module].read_text(encoding="utf-8") for module in pure}
    assert not [module for module, source in sources.items() if "datetime.now" in source or "utcnow" in source]


def test_there_are_no_import_cycles() -> None:
    """Types count: what two modules know of each other they cannot be understood without."""
    try:
        TopologicalSorter({module: own_imports(module) for module in modules()}).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


MAX_DEPTH = 14


def at_import(tree: ast.Module) -> Iterator[ast.ImportFrom]:
    """The imports that run when a module is loaded: not those of functions, nor the type checker's."""
    bodies = [tree.body]
    while bodies:
        for node in bodies.pop():
            if isinstance(node, ast.ImportFrom):
                yield node
            elif isinstance(node, ast.If):
                bodies += [node.orelse] if "TYPE_CHECKING" in ast.unparse(node.test) else [node.body, node.orelse]
            elif isinstance(node, ast.Try | ast.ClassDef):
                bodies.append(node.body)


def test_the_import_depth_is_bounded() -> None:
    """The longest way from a module to one that imports none of ours: so many files must be known to read it."""
    loads = {
        module: {
            inner
            for node in at_import(ast.parse(path.read_text(encoding="utf-8")))
            for alias in node.names
            if (inner := own_module(f"{node.module}.{alias.name}")) is not None
        }
        - {module}
        for module, path in modules().items()
    }
    depths: dict[str, int] = {}
    for module in TopologicalSorter(loads).static_order():
        depths[module] = 1 + max((depths[one] for one in loads[module]), default=0)
    assert max(depths.values()) <= MAX_DEPTH, [module for module, depth in depths.items() if depth > MAX_DEPTH]


def test_no_two_classes_have_one_name() -> None:
    """A name is one idea.  Classes of the tests, and private ones, are nobody else's affair."""
    places: dict[str, list[str]] = {}
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    assert not {name: found for name, found in places.items() if len(found) > 1}


SPLITTING = {"split", "rsplit", "partition", "rpartition", "count"}
SEARCHING = {"startswith", "removeprefix", "replace", "index", "find"}
ARN_LIKE = re.compile(r"arn|machine|execution|resource|activity|role", re.IGNORECASE)
# Texts with a colon in them that are no ARNs.
NOT_ARNS = {
    "cli.commands.remote.executions": "text.partition(':')",  # NAME:ALIAS, as it is typed
    "exploring.exploration": "text.rpartition(':')",  # STATE:NAME
    "exploring.given_errors": "action.removeprefix(SDK).partition(':')",  # SERVICE:ACTION
    "engine.faulting": "call.key.rpartition(':')",  # the key of a task
    "gateway.routes": "declared.location.rpartition(':')",  # FILE:LINE
    "engine.mocking": "call.key.rpartition(':')",  # the key of a task
    "practice.traces": "key.rpartition(':')",  # the key of a task
    "resources.lambda_.local": "handler.partition(':')",  # MODULE:FUNCTION
    "resources.http.requests": "self.url.partition(':')",
    "resources.lambda_.worker": "path.partition(':')",  # MODULE:CALLABLE
    "resources.mocks.results": "name.partition(':')",  # SERVICE:ACTION
    "testing.local_run": "key.rpartition(':')",  # the key of a task
}


def arn_surgery(tree: ast.AST) -> set[str]:
    """The expressions that take a text apart as only ``arn`` may, or look for a part of an ARN in one."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(value, method), [ast.Constant(str(text)), *_]):
                separator = text == ":" or (text == "/" and ARN_LIKE.search(ast.unparse(value)))
                pattern = ast.unparse(value) == "re" and "arn:" in text
                if pattern or (method in SPLITTING and separator) or (method in SEARCHING and is_piece(text)):
                    found.add(ast.unparse(node))
            case ast.Compare(ast.Constant(str(text)), [ast.In() | ast.NotIn()], [value]):
                if is_piece(text) or (text in {":", "/"} and ARN_LIKE.search(ast.unparse(value))):
                    found.add(ast.unparse(node))
    return found


def is_piece(text: str) -> bool:
    """``arn:aws``, ``:express:``"""
    return text.startswith("arn:") or re.fullmatch(r":[a-zA-Z-]+:", text) is not None


def test_arns_are_taken_apart_in_one_place() -> None:
    # cloud.deploy.wiring searches the text of a whole definition for ARNs: there is none yet to ask about.
    asked = {module: path for module, path in modules().items() if module not in {"arn", "cloud.deploy.wiring"}}
    found = {module: arn_surgery(ast.parse(path.read_text(encoding="utf-8"))) for module, path in asked.items()}
    surgery = {module: expressions for module, expressions in found.items() if expressions}
    assert surgery == {module: {text} for module, text in NOT_ARNS.items()}, "ask asl_engine.arn instead"


@pytest.mark.parametrize(
    "source",
    [
        "region = who.arn.split(':')[3]",
        "number = int(one.rpartition(':')[2])",
        "label = machine_name.partition('/')[2]",
        "whole = text.count(':') == 6",
        "named = name.startswith('arn:')",
        "kind = ':express:' in run.arn",
        "child = '/' not in record.identity.machine_name",
        "ROLE = re.compile('arn:[^:]+:iam::.+')",
        "map_run = machine_arn.replace(':stateMachine:', ':mapRun:', 1)",
    ],
)
def test_arn_surgery_is_seen(source: str) -> None:
    assert arn_surgery(ast.parse(source))


@pytest.mark.parametrize("source", ["key.split('/')", "'/' in path", "a = ': ' in text", "b = text.split(',')"])
def test_what_is_no_arn_surgery(source: str) -> None:
    assert not arn_surgery(ast.parse(source))


def lines(module: str) -> list[str]:
    return modules()[module].read_text(encoding="utf-8").splitlines()


def test_no_file_eats_the_project() -> None:
    lengths = {module: len(lines(module)) for module in modules()}
    limits = {module: 250 if module.startswith("states.") else 500 for module in modules()}
    assert not {module: length for module, length in lengths.items() if length > limits[module]}


def test_whatever_is_ignored_has_its_reason() -> None:
    bare = [
        (module, line.strip())
        for module in modules()
        for line in lines(module)
        if re.search(r"# (noqa: [A-Z0-9, ]+|type: ignore\[[-a-z, ]+\])$", line)
    ]
    assert not bare


# Options of other programs, which a module starts or is a plugin of.
OF_OTHERS = {"cloud.deploy.bundle", "testing.coverage_plugin", "testing.plugin"}


def test_no_option_is_named_below_the_command_line() -> None:
    """Who calls from Python, or over HTTP, has no options: a message names a ``Parameter``."""
    below = [module for module in modules() if ORDER[place(module)] not in {"cli", "__main__"}]
    named = [
        (module, node.value)
        for module in below
        if module not in OF_OTHERS
        for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(r"(?<!-)--[a-z]", node.value)
    ]
    assert not named
