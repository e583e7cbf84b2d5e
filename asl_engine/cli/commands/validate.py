"""``asl validate``: everything that is wrong with a definition, or doubtful, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from asl_engine.arn import is_of_states
from asl_engine.cli import options
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.cli.shapes import validation_result
from asl_engine.cli.wording import worded
from asl_engine.errors import AslError, DefinitionError, InvalidInput
from asl_engine.json_text import loads
from asl_engine.language.document import check_source, located
from asl_engine.project.definitions import NOTHING, Substituting, read_definition
from asl_engine.project.inputs import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.findings import Finding

__all__ = ["command", "validate"]


def command(
    *,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Definitions; - for stdin.")],
    form: Annotated[
        str, typer.Option("--format", metavar="human|json|sarif", help="How to write the findings.")
    ] = "human",
    json: options.AsJson = False,
    no_lint: Annotated[
        bool, typer.Option("--no-lint", help="Errors only: nothing that is valid but doubtful.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 2 for warnings too.")] = False,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
) -> int:
    """Report everything that is wrong with definitions, or doubtful. Exit code 2 if anything is wrong."""
    return validate(
        files,
        form="json" if json else form,
        lint=not no_lint,
        strict=strict,
        substituting=Substituting(tuple(substitute or ()), substitutions),
    )


def validate(
    files: Sequence[str],
    *,
    form: str = "human",
    lint: bool = True,
    strict: bool = False,
    substituting: Substituting = NOTHING,
) -> int:
    """Write all findings of all files.  2 where one is an error, or a file cannot be read."""
    if form not in FORMS:
        raise InvalidInput(f"--format {form}: it is {', '.join(FORMS)}")
    if files.count(STDIN) > 1:
        raise InvalidInput("the standard input can be read once: give - once")
    refused = False
    results: list[tuple[str, list[Finding]]] = []
    for file in files:
        try:
            name, findings = _look_at(file, substituting, lint=lint)
        except AslError as error:
            err(f"asl: error: {worded(error)}")
            refused = True
            continue
        refused |= any(strict or finding.severity == "ERROR" for finding in findings)
        results.append((name, findings))
    FORMS[form](results)
    return 2 if refused else 0


def _look_at(file: str, substituting: Substituting, *, lint: bool) -> tuple[str, list[Finding]]:
    """What messages call the file, and its findings.  Doubts are worth a look only where nothing is wrong."""
    try:
        source = read_definition(file, substituting)
    except DefinitionError as error:  # YAML that cannot be read
        return error.source, list(error.findings)
    machine, findings = check_source(source)
    if machine is not None and any(map(is_of_states, machine.resources)):
        from asl_engine.resources.recognition import unlisted_services, unrecognised

        definition = loads(source.text)
        findings = [*findings, *unrecognised(definition), *(unlisted_services(definition) if lint else ())]
    if machine is not None and lint:
        from asl_engine.language.lint.rules import lint as doubts

        findings = [*findings, *doubts(machine)]
    return source.name, located(source, findings)


def _as_text(results: Sequence[tuple[str, list[Finding]]]) -> None:
    for name, findings in results:
        for finding in findings:
            out(f"{name}{finding}" if finding.severity == "ERROR" else f"{name}{finding} (warning)")
        if not any(finding.severity == "ERROR" for finding in findings):
            out(f"{name}: OK")


def _as_json(results: Sequence[tuple[str, list[Finding]]]) -> None:
    out(pretty_json([validation_result(name, findings) for name, findings in results]))


def _as_sarif(results: Sequence[tuple[str, list[Finding]]]) -> None:
    from asl_engine.cli.sarif import sarif_log

    out(pretty_json(sarif_log(results)))


FORMS: Final[dict[str, Callable[[Sequence[tuple[str, list[Finding]]]], None]]] = {
    "human": _as_text,
    "json": _as_json,
    "sarif": _as_sarif,
}
