"""Reads task callables from the files of a project.

A folder of tasks is loaded as a package under its own name, so that its files may import one another;
the project's root is put on ``sys.path``, so that they may import the project's own modules.
"""

from __future__ import annotations

import inspect
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.errors import ProjectError
from asl_engine.resources.python.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType, TracebackType

    from asl_engine.resources.python.registry import TaskFunction

__all__ = ["load_tasks"]

# The frames above the user's own during an import: the engine's and Python's.
_MACHINERY = (
    f"{Path(__file__).parents[2]}{os.sep}",
    f"{Path(inspect.__file__).parent / 'importlib'}{os.sep}",
    "<frozen importlib",
)


def load_tasks(*places: Path, root: Path | None = None) -> Registry:
    """Import every task callable in ``places``: folders (their ``*.py`` not starting with "_") or files.

    User code may import from ``root``; by default that is each place's parent folder.  A place that does
    not exist contributes nothing.  Raises ``ProjectError`` for code that cannot be imported.  Whether a callable
    takes an event, and whether it is the only one of its name, matters when a machine needs it.
    """
    from importlib import invalidate_caches

    invalidate_caches()  # a file may be younger than what Python remembers of its folder
    registry = Registry(tuple(places))
    for place in (place.absolute() for place in places):
        if place.exists():
            _make_importable(root.absolute() if root else place.parent)
            for module in _modules(place):
                _register(registry, module)
    return registry


def _make_importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _modules(place: Path) -> Iterator[ModuleType]:
    if place.is_file():
        yield _imported(place, _own_name(place.stem, place), place)
        return
    package = _own_name(place.name, place)
    files = sorted(file for file in place.glob("*.py") if not file.name.startswith("_"))
    if files and package not in sys.modules:
        _imported(place, package, place)
    for file in files:
        yield _imported(file, f"{package}.{file.stem}", place)


def _own_name(name: str, place: Path) -> str:
    """The module name for ``place``: its own name unless another module has it."""
    known = sys.modules.get(name)
    if name in sys.stdlib_module_names or (known is not None and not _comes_from(known, place)):
        from hashlib import sha1

        return f"_asl_tasks_{sha1(str(place).encode(), usedforsecurity=False).hexdigest()[:12]}"
    return name


def _comes_from(module: ModuleType, place: Path) -> bool:
    """Whether all of the module is ``place``: a namespace package may have another folder of that name in it."""
    origins = [*getattr(module, "__path__", ())] or [getattr(module, "__file__", None)]
    return all(origin is not None and Path(origin).resolve() == place.resolve() for origin in origins)


def _imported(file: Path, name: str, place: Path) -> ModuleType:
    """The module ``name``, executed from ``file`` unless it has been before."""
    from importlib import import_module

    try:
        if name in sys.modules or "." in name:
            return import_module(name)
        return _execute(file, name)
    except (Exception, SystemExit) as error:  # importing runs the user's code
        raise _located(error, file, place) from error


def _execute(file: Path, name: str) -> ModuleType:
    from importlib.machinery import ModuleSpec
    from importlib.util import module_from_spec, spec_from_file_location

    start = file / "__init__.py" if file.is_dir() else file
    spec = spec_from_file_location(name, start) if start.exists() else ModuleSpec(name, None, is_package=True)
    assert spec is not None, f"{start} ends in .py"  # noqa: S101  the only reason for None
    if file.is_dir():
        spec.submodule_search_locations = [str(file)]
    module = sys.modules[name] = module_from_spec(spec)  # gives a package without __init__ its loader
    assert spec.loader is not None  # noqa: S101  for the type checker
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _located(error: BaseException, file: Path, place: Path) -> ProjectError:
    """The error of an import, at the last line of the user's own code in the traceback."""
    error.__traceback__ = _without_machinery(error.__traceback__)
    spot = f"{file}:1"
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        spot = f"{error.filename}:{error.lineno}"
    else:
        home = f"{place if place.is_dir() else place.parent}{os.sep}"
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename.startswith(home):
                spot = f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}"
            step = step.tb_next
    detail = error.msg if isinstance(error, SyntaxError) else str(error)
    return ProjectError(f"{spot}: cannot import the tasks: {type(error).__name__}: {detail}")


def _without_machinery(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_MACHINERY):
        trace = trace.tb_next
    return trace


def _register(registry: Registry, module: ModuleType) -> None:
    """Add the functions that ``module`` defines: the marked ones, or all public ones if none is marked."""
    own = [
        (name, value)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__
    ]
    marked = [(mark, value) for _, value in own if isinstance(mark := _mark(value), str)]
    for name, function in marked or [(n, f) for n, f in own if not n.startswith("_") and _is_function(f)]:
        registry.add(name, function)


def _mark(value: TaskFunction) -> object:
    return None if inspect.isclass(value) else getattr(value, "__asl_task__", None)


def _is_function(value: TaskFunction) -> bool:
    return inspect.isroutine(value) or (hasattr(value, "__wrapped__") and not inspect.isclass(value))
