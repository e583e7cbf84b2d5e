"""Which callables a folder of tasks contributes, and how they are found by a function's name."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from asl_engine.arn import function_name, function_qualifier
from asl_engine.errors import ProjectError
from asl_engine.resources.catalog import Catalog, resolve
from asl_engine.resources.python.loading import load_tasks
from asl_engine.resources.python.registry import Registry, where

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test imports is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


def write(root: Path, **files: str) -> Path:
    """Files below ``root/jobs``; ``__`` in a name stands for a slash, and the folder is returned."""
    folder = root / "jobs"
    for name, text in files.items():
        file = folder.joinpath(*name.split("__")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


# -- what is contributed ---------------------------------------------------------------------------------

PUBLIC = """
from functools import lru_cache, partial
from os.path import join

class Order:
    def __call__(self, event): ...

class Service:
    def handle(self, event): ...

def pay(event): ...
def _helper(event): ...
async def ship(event): ...
@lru_cache
def cached(event): ...
handle = Service().handle
order = Order()
half = partial(pay)
LIMIT = 3
"""
MARKED = """
from functools import partial
from asl_engine import task

@task
def _pay(event): ...
@task("shipOrder")
async def ship(event): ...
def helper(one, two, three): ...
both = partial(ship)
"""
CONTRIBUTIONS = {
    "public functions": ({"a": PUBLIC}, ["cached", "handle", "pay", "ship"]),
    "marked functions only": ({"a": MARKED}, ["_pay", "shipOrder"]),
    "each module for itself": (
        {"a": MARKED, "b": "def c(event): ..."},
        ["_pay", "c", "shipOrder"],
    ),
    "what is defined elsewhere does not count": (
        {"a": "from .b import pay\ndef also(event): return pay(event)", "b": "def pay(event): ..."},
        ["also", "pay"],
    ),
    "files with an underscore are private": ({"_a": "def no(event): ...", "b": "X = 1"}, []),
    "relative imports": (
        {"_shop": "def price(): ...", "a": "from . import _shop\ndef pay(e): return _shop.price()"},
        ["pay"],
    ),
    "a folder with an __init__": (
        {"__init__": "", "a": "def pay(event): ..."},
        ["pay"],
    ),
    "sub-folders are left alone": ({"a": "def pay(e): ...", "b__c": "def no(e): ..."}, ["pay"]),
    "a file whose name is no identifier": ({"pay-now": "def pay(e): ..."}, ["pay"]),
    "a helper that takes no event is let be": ({"a": "def pay(e): ...\ndef main(): ..."}, ["main", "pay"]),
    "an alias is no second definition": ({"a": MARKED + "again = ship"}, ["_pay", "shipOrder"]),
}


@pytest.mark.parametrize(("files", "names"), CONTRIBUTIONS.values(), ids=CONTRIBUTIONS)
def test_contributions(tmp_path: Path, files: dict[str, str], names: list[str]) -> None:
    folder = write(tmp_path, **{name.replace("__init__", "dunder"): text for name, text in files.items()})
    if (folder / "dunder.py").exists():
        (folder / "dunder.py").rename(folder / "__init__.py")
    registry = load_tasks(folder)
    assert list(registry) == names
    assert len(registry) == len(names)
    assert registry.places == (folder,)


def test_a_missing_folder_contributes_nothing(tmp_path: Path) -> None:
    assert list(load_tasks(tmp_path / "tasks")) == []
    assert list(load_tasks()) == []


def test_an_empty_folder_contributes_nothing(tmp_path: Path) -> None:
    assert list(load_tasks(tmp_path)) == []


def test_a_single_file(tmp_path: Path) -> None:
    folder = write(tmp_path, orders="def pay(event): return 'paid'", other="def no(event): ...")
    registry = load_tasks(folder / "orders.py")
    assert list(registry) == ["pay"]
    assert load_tasks(folder / "orders.py").find("pay") is registry.find("pay")


def test_several_places(tmp_path: Path) -> None:
    one = write(tmp_path / "1", a="def pay(event): ...")
    two = write(tmp_path / "2", a="def ship(event): ...")
    assert list(load_tasks(one, two / "a.py")) == ["pay", "ship"]


def test_user_code_may_import_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "shop_of_this_test.py").write_text("PRICE = 3")
    (tmp_path / "src").mkdir()
    folder = write(tmp_path / "src", a="from shop_of_this_test import PRICE\ndef pay(e): return PRICE")
    pay = load_tasks(folder, root=tmp_path).find("pay")
    assert pay is not None
    assert pay(None) == 3
    assert sys.path.count(str(tmp_path)) == 1
    load_tasks(folder, root=tmp_path)
    assert sys.path.count(str(tmp_path)) == 1


def test_a_folder_is_a_package_under_its_own_name(tmp_path: Path) -> None:
    folder = write(tmp_path, _b="X = 5", a="from jobs._b import X\ndef pay(e): return X")
    pay = load_tasks(folder).find("pay")
    assert pay is not None
    assert (pay.__module__, pay(None)) == ("jobs.a", 5)
    assert load_tasks(folder).find("pay") is pay


def test_another_package_of_that_name_is_left_alone(tmp_path: Path) -> None:
    first = load_tasks(write(tmp_path / "1", a="def pay(event): return 1")).find("pay")
    folder = write(tmp_path / "2", _b="X = 2", a="from . import _b\ndef pay(event): return _b.X")
    second = load_tasks(folder).find("pay")
    assert first is not None
    assert second is not None
    assert (first(None), second(None)) == (1, 2)
    assert second.__module__.startswith("_asl_tasks_")
    assert load_tasks(folder).find("pay") is second


def test_a_namespace_that_two_folders_share_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without ``__init__.py`` that others have imported reaches every folder of its name on sys.path."""
    one, two = tmp_path / "one", tmp_path / "two"
    for root in (one, two):
        (root / "namesake").mkdir(parents=True)
        (root / "namesake" / "m.py").write_text(f"def whose(event): return {root.name!r}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(one))
    import_module("namesake.m")
    registry = load_tasks(two / "namesake", root=two)
    whose = registry.find("whose")
    assert whose is not None
    assert whose({}) == "two"


def test_a_name_of_the_standard_library_is_left_alone(tmp_path: Path) -> None:
    folder = write(tmp_path, a="def pay(event): ...").rename(tmp_path / "mailbox")
    pay = load_tasks(folder).find("pay")
    assert pay is not None
    assert pay.__module__.startswith("_asl_tasks_")


def test_loading_needs_no_slow_module() -> None:
    program = (
        "import sys, asl_engine.resources.python.loading, asl_engine.project.configuration;"
        "import asl_engine.resources.lambda_.service;"
        "print({'boto3', 'botocore', 'anyio', 'difflib', 'pydantic'} & {*sys.modules})"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert output.stdout == "set()\n"


# -- what is refused -------------------------------------------------------------------------------------

BROKEN = {
    "an error": ("import json\n\njson.loads('{')\n", "a.py:3", "JSONDecodeError: Expecting property name"),
    "a module that is missing": ("import no_such_module\n", "a.py:1", "ModuleNotFoundError: No module named"),
    "an error in a helper": ("X = 1\nfrom . import _b\n", "_b.py:2", "ZeroDivisionError: division by zero"),
    "syntax": ("def f(event):\n    return (\n", "a.py:2", "SyntaxError: '(' was never closed"),
    "an exit": ("import sys\nsys.exit(4)\n", "a.py:2", "SystemExit: 4"),
    "text that is no text": ("X = 'caf\xe9'", "a.py:", "SyntaxError"),
}


@pytest.mark.parametrize(("text", "place", "reason"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kind", ["folder", "file", "init"])
def test_an_import_that_fails(tmp_path: Path, text: str, place: str, reason: str, kind: str) -> None:
    folder = write(tmp_path, _b="\n1 / 0\n")
    if kind == "file" and "from ." in text:
        text = text.replace("from . import", "import")
        sys.path.insert(0, str(folder))
    if kind == "init":
        place = place.replace("a.py", "__init__.py")
        (folder / "a.py").write_text("")
    (folder / ("__init__.py" if kind == "init" else "a.py")).write_text(text, encoding="latin-1")
    with pytest.raises(ProjectError) as caught:
        load_tasks(folder / "a.py" if kind == "file" else folder)
    assert str(caught.value).startswith(f"{folder / place}")
    assert reason in str(caught.value)
    error = caught.value.__cause__
    assert error is not None
    assert error.__traceback__ is None or str(folder) in error.__traceback__.tb_frame.f_code.co_filename
    assert ("jobs" in sys.modules) == (kind == "folder")


def resolved(registry: Registry, *functions: str) -> None:
    resolve([f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in functions], Catalog(registry))


def test_of_several_callables_of_one_name_a_machine_that_needs_it_is_refused(tmp_path: Path) -> None:
    clashing = "\n\ndef pay(event): ..."
    folder = write(tmp_path, a="def pay(event): ...\ndef ship(event): ...", b=clashing, c="\n" + clashing)
    registry = load_tasks(folder)
    resolved(registry, "ship")
    places = f"{folder / 'a.py'}:1 and {folder / 'b.py'}:3 and {folder / 'c.py'}:4"
    with pytest.raises(ProjectError) as caught:
        resolved(registry, "pay", "ship")
    assert str(caught.value).startswith(f"3 task callables are called 'pay': {places}. Rename one, ")
    with pytest.raises(ProjectError, match="3 task callables are called 'pay'"):
        registry.find("pay")({})  # type: ignore[misc]  # it is there


@pytest.mark.parametrize("mark", ["", "@task"])
def test_of_a_callable_that_takes_no_event_a_machine_that_needs_it_is_refused(tmp_path: Path, mark: str) -> None:
    text = f"from asl_engine import task\n{mark}\ndef ship(event): ...\n{mark}\ndef weigh(a, b, c): ..."
    registry = load_tasks(write(tmp_path, a=text))
    resolved(registry, "ship")
    with pytest.raises(
        ProjectError, match=r"a\.py:\d: the task 'weigh' takes \(a, b, c\); a task takes \(event\)"
    ):
        resolved(registry, "ship", "weigh")


# -- how a name is found ---------------------------------------------------------------------------------


def registry_of(*names: str) -> Registry:
    registry = Registry()
    for name in names:
        registry.add(name, lambda event, name=name: [event, name])
    return registry


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        (["validate_order"], "validate_order", "validate_order"),
        (["validate_order"], "validateOrder", "validate_order"),
        (["validate_order"], "Validate-Order", "validate_order"),
        (["ValidateOrder"], "validate_order", "ValidateOrder"),
        (["validate_order", "validateOrder"], "validateOrder", "validateOrder"),
        (["validate_order"], "validate_orders", None),
        ([], "validate_order", None),
    ],
)
def test_a_name_is_found_exactly_or_by_its_form(names: list[str], wanted: str, found: str | None) -> None:
    function = registry_of(*names).find(wanted)
    assert (function and function(0)) == (found and [0, found])


def test_a_name_that_could_be_two() -> None:
    with pytest.raises(ProjectError) as caught:
        registry_of("validate_order", "validateOrder", "other").find("ValidateOrder")
    assert "'ValidateOrder' could be any of validateOrder (" in str(caught.value)
    assert "validate_order (" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


def test_where_says_what_it_can() -> None:
    assert where(dict) == "<class 'dict'>"


PREFIX = "arn:aws:lambda:us-east-1:123456789012:function:"
ARNS = [
    (PREFIX + "pay", "pay", None),
    (PREFIX + "pay:$LATEST", "pay", "$LATEST"),
    (PREFIX + "pay:live", "pay", "live"),
    ("arn:aws-cn:lambda:cn-north-1:1:function:pay", "pay", None),
    ("arn:aws:lambda:region:account:function:validateOrder", "validateOrder", None),
    ("arn:aws:lambda:::function:pay", "pay", None),
    (PREFIX, None, None),
    (PREFIX + "pay:live:more", None, None),
    ("arn:aws:states:us-east-1:123456789012:activity:pay", None, None),
    ("arn:aws:states:::lambda:invoke", None, None),
    ("arn:aws:lambda:us-east-1:123456789012:layer:pay", None, None),
    ("pay", None, None),
    ("", None, None),
    (PREFIX + "pay\n", "pay\n", None),
]


@pytest.mark.parametrize(("arn", "name", "version"), ARNS)
def test_the_parts_of_a_function_arn(arn: str, name: str | None, version: str | None) -> None:
    assert (function_name(arn), function_qualifier(arn)) == (name, version)
