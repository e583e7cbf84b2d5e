"""``asl explore``: every error given once, every rule sought, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asl_engine.cli import options
from asl_engine.cli.output import STDOUT, clean, compact_json, counted, err, out, pretty_json, write_file
from asl_engine.errors import InvalidInput
from asl_engine.exploring.discoveries import reproduction
from asl_engine.exploring.exploration import Exploration, explore
from asl_engine.exploring.walking import Budget
from asl_engine.json_text import loads
from asl_engine.limits import AWS_LIMITS
from asl_engine.project.checking import load_definition
from asl_engine.project.definitions import Substituting, read_definition
from asl_engine.project.inputs import STDIN, read_input
from asl_engine.project.limits import limits_of
from asl_engine.project.lookup import project_of

if TYPE_CHECKING:
    from asl_engine.exploring.discoveries import Discovery
    from asl_engine.language.document import DefinitionSource

__all__ = ["command"]

FOUND = 1  # the exit code
LONGEST = 300  # characters of what a run was given


def command(
    *,
    definition: options.Definition,
    given: options.Input = None,
    write: Annotated[
        str | None,
        typer.Option("--write", metavar="FILE|-", help="Write the inputs and mocks that were found as pytest."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    error: Annotated[
        list[str] | None,
        typer.Option("--error", metavar="[STATE:]NAME", help="An error to try beside the known ones. Repeatable."),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", metavar="N", help="Stop after so many seconds.")] = 10.0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="Stop after so many runs.")] = 1000,
    json: options.AsJson = False,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
) -> int:
    """Try every error and every rule of a state machine, all tasks mocked. Exit code 1 if something is wrong."""
    if not seconds > 0 or limit < 1:
        raise InvalidInput(f"--seconds {seconds:g} --limit {limit}: both have to be more than nothing")
    if definition == STDIN and given == STDIN:
        raise InvalidInput("standard input can be read only once: give - for the definition or for --input")
    if write not in {None, STDOUT} and Path(str(write)).exists() and not force:
        raise InvalidInput(f"{write} is there already: name another with --write FILE, or give --force")
    project = project_of(Path(definition).absolute())
    substituting = Substituting(tuple(substitute or ()), substitutions)
    source = read_definition(definition, substituting, project, local=True)
    limits = limits_of(project)
    load_definition(source, limits)
    payload: Any = read_input(given, AWS_LIMITS).value
    found = explore(source, payload, budget=Budget(seconds, limit), errors=error or (), project=project.root)
    _tell(found, as_json=json, to_stderr=write == STDOUT)
    if write is not None:
        write_file(write, found.tests(_definition(definition, source, substituting), {}))
        if write != STDOUT:
            err(f"{counted(len(found.runs()), 'test')} in {write}; run them with: pytest {write}")
    return FOUND if found.has_errors else 0


def _definition(given: str, source: DefinitionSource, substituting: Substituting) -> str | dict[str, Any]:
    """The file, as a path from here; the definition itself where its file alone does not say what it is."""
    file = Path(given).absolute()
    if given == STDIN or substituting.given or substituting.file is not None or source.text != _text(file):
        document: Any = loads(source.text)
        return document if isinstance(document, dict) else source.text
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else str(file)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _tell(found: Exploration, *, as_json: bool, to_stderr: bool) -> None:
    say = err if to_stderr else out
    if as_json:
        say(pretty_json(found.to_json()))
        return
    for one in found.discoveries:
        for line in _lines(found.source.name, one):
            say(clean(line))
    cut = "; stopped there: --seconds and --limit let it go on" if found.found.cut else ""
    errors = sum(one.finding.severity == "ERROR" for one in found.discoveries)
    warnings = len(found.discoveries) - errors
    told = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}" if found.discoveries else "nothing found"
    walked = f"{counted(found.found.total, 'run')} took {found.taken} of {found.points} places"
    err(f"{found.source.name}: {told}; {walked}{cut}")


def _lines(name: str, one: Discovery) -> list[str]:
    finding = one.finding
    lines = [f"{finding.severity:<7} {one.place} ({name}:{finding.line}) [{finding.code}, {one.certainty}]"]
    lines.append(f"        {finding.message}")
    if one.ran is not None:
        shown = reproduction(one.ran)
        parts = [f"input {compact_json(shown['input'])}"]
        parts += [f"{state} gives {compact_json(values[0])}" for state, values in shown["results"].items()]
        told = ", ".join(parts)
        lines.append(f"        with {told if len(told) <= LONGEST else told[:LONGEST] + '...'}")
        lines += [f"        and --fault {compact_json(fault)}" for fault in shown["faults"]]
    return lines
