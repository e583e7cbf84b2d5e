"""The floors of docs/architecture.md, held against the imports as they are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "asl_engine"

# The first prefix that fits decides; a folder's name stands for all that is in it.
FLOORS = [
    ({"errors", "findings", "jsontypes", "limits", "arn", "names", "task_tokens"}, 0),
    ({"expressions", "fields", "scopes", "source", "static_paths", "substitution", "yaml_source"}, 1),
    ({"events", "map_events", "map_run_state", "execution", "frames"}, 2),
    (
        {
            "states",
            "machine",
            "definition",
            "definition_source",
            "lint",
            "stimuli",
            "interpreter",
            "history",
            "replay",
            "redrive",
            "answers",
            "variable_references",
            "inspection",
            "log_records",
            "status_events",
        },
        3,
    ),
    ({"clock", "timing", "project", "store", "resources", "items"}, 4),
    ({"engine", "alarms", "runs", "workers", "deploy", "trials"}, 5),
    ({"clock", "project", "store", "resources", "items"}, 4),
    ({"engine", "mocking", "alarms", "runs", "workers", "deploy"}, 5),
    ({"engine", "trials"}, 5),
    ({"engine", "alarms", "calls", "map_runs", "map_run_counts", "runs", "trials", "workers", "deploy"}, 5),
    (
        {
            "engine",
            "alarms",
            "calls",
            "heartbeats",
            "map_runs",
            "map_run_counts",
            "map_run_redrives",
            "map_run_results",
            "runs",
            "trials",
            "workers",
            "deploy",
        },
        5,
    ),
    ({"api", "cli", "server", "__main__", "__init__"}, 6),
]
PURE_FLOORS = 3
IMPURE = {"anyio", "asyncio", "aiosqlite", "sqlite3", "os", "time", "uuid", "secrets", "socket", "threading"}


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def floor(module: str) -> int:
    top = module.split(".", maxsplit=1)[0]
    return next(number for names, number in FLOORS if top in names)


def runtime_imports(path: Path) -> set[str]:
    """What a module imports when it is used; imports for the type checker alone do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from package import module` asks for the module; that the package is run for it is Python's affair.
            module = node.module or ""
            names = {f"{module}.{alias.name}" for alias in node.names}
            inner = {name for name in names if name.removeprefix("asl_engine.") in modules()}
            found |= inner if inner == names else {module, *names}
    return found


def own_imports(path: Path) -> set[str]:
    known = modules()
    inner = {name.removeprefix("asl_engine.") for name in runtime_imports(path) if name.startswith("asl_engine.")}
    return {name for name in inner if name in known}


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_from_its_floor_and_below(module: str) -> None:
    above = {name for name in own_imports(modules()[module]) if floor(name) > floor(module)}
    assert not above, f"{module} (floor {floor(module)}) imports from above: {sorted(above)}"


@pytest.mark.parametrize("module", [name for name in modules() if floor(name) <= PURE_FLOORS])
def test_the_core_is_pure(module: str) -> None:
    impure = {name.split(".")[0] for name in runtime_imports(modules()[module])} & IMPURE
    assert not impure
    source = modules()[module].read_text(encoding="utf-8")
    assert "datetime.now" not in source
    assert "utcnow" not in source


def test_there_are_no_import_cycles() -> None:
    graph = {module: own_imports(path) - {module} for module, path in modules().items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"import cycle: {' -> '.join([*trail, module])}"
        if module not in done:
            for imported in graph[module]:
                visit(imported, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("module", modules())
def test_no_file_eats_the_project(module: str) -> None:
    limit = 250 if module.startswith("states.") else 500
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) <= limit
