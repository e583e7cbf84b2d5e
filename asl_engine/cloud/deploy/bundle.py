"""The code of the deployed functions: one zip, the same bytes for the same files.

In it are the project's tasks, the modules that ``include`` names, the pinned dependencies, the few modules of
this package that tasks import, and a module of handlers.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import shutil
import subprocess
import sys
import zipfile
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asl_engine
from asl_engine.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.cloud.deploy.settings import Settings
    from asl_engine.project.configuration import Project

__all__ = ["HANDLER_MODULE", "Bundle", "build", "handler_name"]

HANDLER_MODULE = "asl_handler"
_PACKAGE = Path(asl_engine.__file__).parent
# What a task may import from the package; what that imports comes along.
_ROOTS = (
    "__init__",
    "errors",
    "findings",
    "practice/idempotency",
    "resources/python/tasks",
    "cloud/deploy/handler",
)
_HANDLERS = '''"""The project's task callables as Lambda handlers; written by asl deploy."""

from pathlib import Path

from asl_engine.cloud.deploy.handler import Handlers

__getattr__ = Handlers(Path(__file__).parent, {places!r})
'''
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_MODE = 0o100644 << 16
_LEFT_OUT = {"__pycache__", ".git", ".venv", ".asl", "node_modules"}
_PIN = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,. -]+\])?\s*==\s*[^\s*;,]+\s*(;.*)?(--hash=.*)?")
# The wheels that Lambda's Amazon Linux 2023 can load, newest first (PEP 600).
_PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
_GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")


class Bundle(NamedTuple):
    """``content`` is the zip, ``sha256`` its digest as Lambda's CodeSha256 has it."""

    content: bytes
    sha256: str


def handler_name(task: str) -> str:
    """The Handler of a task's function, which tells Lambda what to call."""
    return f"{HANDLER_MODULE}.{task}"


def build(project: Project, settings: Settings) -> Bundle:
    """The zip with everything that the project's tasks need.

    Raises ``ProjectError`` for dependencies that are not pinned or cannot be installed, and for files that
    cannot be read.
    """
    files: dict[str, bytes] = {}
    try:
        for place in _dependencies(project, settings):
            files |= dict(_tree(place, place))
        _check_architectures(files, settings)
        files |= dict(_runtime())
        places = []
        for place in project.tasks:
            inside = place.is_relative_to(project.root)
            base = project.root if inside else place.parent
            places.append(place.relative_to(base).as_posix())
            files |= dict(_tree(place, base) if place.is_dir() else _single(place, base))
        for pattern in settings.include:
            for file in sorted(project.root.glob(pattern)):
                if file.is_file():
                    files |= dict(_single(file, project.root))
    except OSError as error:
        raise ProjectError(f"cannot read {error.filename} for the functions' code: {error.strerror}") from None
    files[f"{HANDLER_MODULE}.py"] = _HANDLERS.format(places=tuple(places)).encode()
    content = zipped(files)
    return Bundle(content, b64encode(hashlib.sha256(content).digest()).decode())


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files: sorted, with the same time and mode for all."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr, info.create_system, info.compress_type = _MODE, 3, zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name], compresslevel=9)
    return buffer.getvalue()


def _tree(folder: Path, base: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        hidden = any(part in _LEFT_OUT or part.startswith(".") for part in parts)
        if file.is_file() and not hidden and file.suffix != ".pyc":
            yield from _single(file, base)


def _single(file: Path, base: Path) -> Iterator[tuple[str, bytes]]:
    yield file.relative_to(base).as_posix(), file.read_bytes()


# -- this package -------------------------------------------------------------------------------------


def _runtime() -> Iterator[tuple[str, bytes]]:
    """The modules of this package that tasks and handlers import, found by their imports."""
    ahead = [f"{root}.py" for root in _ROOTS]
    seen: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        content = (_PACKAGE / name).read_bytes()
        yield f"asl_engine/{name}", content
        ahead += _packages_of(name)
        ahead += _imports(content)


def _packages_of(name: str) -> Iterator[str]:
    for parent in Path(name).parents:
        yield (parent / "__init__.py").as_posix()


def _imports(content: bytes) -> Iterator[str]:
    """The files of this package that a module imports when it is imported."""
    for node in ast.parse(content).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("asl_engine"):
            inner = (node.module or "").split(".")[1:]
            for parts in (inner, *([*inner, alias.name] for alias in node.names)):
                for file in ("/".join(parts) + ".py", "/".join([*parts, "__init__.py"])):
                    if parts and (_PACKAGE / file).is_file():
                        yield file


# -- dependencies -------------------------------------------------------------------------------------


def _dependencies(project: Project, settings: Settings) -> Iterator[Path]:
    """The folder with the installed requirements, which is kept for the next deployment."""
    named = settings.requirements
    file = project.root / (named or "requirements.txt")
    if not file.is_file():
        if named:
            raise ProjectError(f"{project.source}: deploy.requirements: there is no {file}")
        return
    content = file.read_bytes()
    _check_pins(file, content.decode("utf-8", "replace"))
    key = hashlib.sha256(content + f"{settings.architecture} {settings.runtime}".encode()).hexdigest()[:16]
    target = project.root / ".asl" / "deploy" / key
    if not target.is_dir():
        _install(file, target, settings)
    yield target


def _check_architectures(files: Iterable[str], settings: Settings) -> None:
    """Refuse a function of another architecture than the code that it would get."""
    native = next((name for name in sorted(files) if name.endswith(".so")), None)
    for name, own in settings.functions.items():
        wanted = own.get("architecture", settings.architecture)
        if native is not None and wanted != settings.architecture:
            raise ProjectError(
                f"the function {name} is to run on {wanted}, and {native} of the dependencies is for "
                f"{settings.architecture}: all functions have one zip, so give them one architecture"
            )


def _check_pins(file: Path, text: str) -> None:
    """Refuse what is not pinned: tomorrow it might be another version than today."""
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        wanted = line.partition(" #")[0].strip()
        if wanted and not wanted.startswith(("#", "-")) and not _PIN.fullmatch(wanted):
            raise ProjectError(
                f"{file}: {wanted!r} is not pinned: write NAME==VERSION, as `pip freeze` or "
                "`uv export --no-emit-project` do"
            )


def _install(file: Path, target: Path, settings: Settings) -> None:
    """Install for Lambda's platform, first into another folder: a part must never pass for the whole."""
    aside = target.with_suffix(".partial")
    shutil.rmtree(aside, ignore_errors=True)
    machine = _PLATFORMS[settings.architecture]
    platforms = [part for glibc in _GLIBC for part in ("--platform", f"{glibc}_{machine}")]
    version = settings.runtime.removeprefix("python")
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", version, *platforms),
        *("--target", str(aside), "--requirement", str(file)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  pip, with our arguments
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise ProjectError(
            f"cannot install {file.name} for {settings.runtime} on {settings.architecture}: "
            f"{said[-1] if said else f'pip ended with exit code {done.returncode}'}"
        )
    aside.mkdir(parents=True, exist_ok=True)  # pip makes none for nothing
    shutil.rmtree(aside / "bin", ignore_errors=True)  # scripts have this machine's paths in them
    for record in aside.glob("*.dist-info/RECORD"):  # lists them, and the order of pip's work
        record.unlink()
    aside.rename(target)
