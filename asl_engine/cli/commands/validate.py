"""``asl validate``: everything that is wrong with a definition, or doubtful, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from asl_engine.arn import is_of_states
from asl_engine.cli import options
from asl_engine.cli.output import err, out, pretty_json
from asl_engine.cli.shapes import validation_result
from asl_engine.cli.wording import worded
from asl_engine.errors import AslError, DefinitionError, InvalidInput, ProjectError
from asl_engine.json_text import loads
from asl_engine.language.document import check_source, located
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER, placeholders, short_forms
from asl_engine.project.checking import (
    callables_of,
    calls_function,
    functions_are_remote,
    functions_called,
    missing_functions,
    unknown_integrations,
    unsupported_resources,
)
from asl_engine.project.configuration_checks import Used, doubts
from asl_engine.project.definitions import NOTHING, Substituting, described, read_machine
from asl_engine.project.inputs import STDIN, is_there, read_text, split_reference
from asl_engine.project.limits import limits_of
from asl_engine.project.lookup import project_of
from asl_engine.store.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from asl_engine.core.machine import StateMachine
    from asl_engine.findings import Finding
    from asl_engine.language.document import DefinitionSource
    from asl_engine.project.checking import Callables
    from asl_engine.project.configuration import Project
    from asl_engine.project.template_checks import CheckedTemplate
    from asl_engine.templates.recognition import DeploymentTemplate

__all__ = ["command", "validate"]


def command(
    *,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|FOLDER]...",
            help="Definitions, templates, or folders of them; - for stdin. Default: the whole project",
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="human|json|sarif", help="How to write the findings.")
    ] = "human",
    json: options.AsJson = False,
    no_lint: Annotated[bool, typer.Option("--no-lint", help="Report errors only, no likely mistakes.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 2 for warnings too.")] = False,
    use_lambda: Annotated[
        bool, typer.Option("--lambda", help="Functions may be on AWS Lambda: do not look for their callables.")
    ] = False,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
) -> int:
    """Report all errors in definitions, and likely mistakes. Exit code 2 if there is an error."""
    checks = Checks(
        lint=not no_lint,
        use_lambda=use_lambda,
        substituting=Substituting(tuple(substitute or ()), substitutions),
    )
    return validate(files or (), checks, form="json" if json else form, strict=strict)


class Checks(NamedTuple):
    """How to look at definitions: for doubts too, for callables of functions or not, with which values."""

    lint: bool = True
    use_lambda: bool = False
    substituting: Substituting = NOTHING


def validate(files: Sequence[str], checks: Checks, *, form: str = "human", strict: bool = False) -> int:
    """Write all findings of all files, or of all that the project has.

    2 where one is an error, or something cannot be read.
    """
    if form not in FORMS:
        raise InvalidInput(f"--format {form}: it is {', '.join(FORMS)}")
    if files.count(STDIN) > 1:
        raise InvalidInput("standard input can be read only once: give - once")
    refused = False
    if not files:
        refused = _check_project()
    results: list[tuple[str, list[Finding]]] = []
    looking = Looking(checks)
    for file, template in _expanded(files or [str(project_of(Path.cwd()).root)], looking).items():
        try:
            if template is None or isinstance(template, str):
                name, findings = looking.at(template or file)
            else:
                name, findings = file, looking.at_template(template)
        except AslError as error:
            err(f"asl: error: {worded(error)}")
            refused = True
            continue
        refused |= any(strict or finding.severity == "ERROR" for finding in findings)
        results.append((name, findings))
    if not files:
        refused |= looking.told_doubts() and strict
    FORMS[form](results)
    return 2 if refused else 0


def _expanded(files: Sequence[str], looking: Looking) -> dict[str, CheckedTemplate | str | None]:
    """The files, and in place of each folder what is below it; after a template the files that it names.

    With each file comes the template that it is, or FILE#MACHINE for one that a template names.  Raises
    ``AslError`` where there is nothing, or where a template cannot be read.
    """
    from asl_engine.project.discovery import find_definitions, template_in
    from asl_engine.project.template_checks import CheckedTemplate

    found: dict[str, CheckedTemplate | str | None] = {}
    for file in files:
        if file == STDIN or not _is_folder(file):
            template = None if file == STDIN else template_in(file)
            given = template if template and template.counts else None
            _add(found, file, given, looking)
            continue
        there = [*find_definitions(Path(file))]
        for path, template in there:
            _add(found, _shown(path), template, looking)
        templates = [one for one in found.values() if isinstance(one, CheckedTemplate)]
        for part in (part for one in templates for part in one.parts()):
            found.pop(_shown(Path(part)), None)
        if not there:
            raise InvalidInput(
                f"there is no definition below {_shown(Path(file).absolute())}: give a file, "
                "or put definitions into statemachines/, or call them NAME.asl.json"
            )
    return found


def _add(
    found: dict[str, CheckedTemplate | str | None],
    name: str,
    template: DeploymentTemplate | None,
    looking: Looking,
) -> None:
    if template is None:
        found.setdefault(name, None)
        return
    err(f"{name}: {template.kind}{''.join(described(name, template))}")
    checked = found[name] = looking.template(name, template)
    for file, machine in checked.definition_files().items():
        found[_shown(Path(file))] = machine


def _is_folder(file: str) -> bool:
    try:
        return Path(file).is_dir()
    except ValueError:  # a null character: whoever reads the file refuses it
        return False


def _shown(path: Path) -> str:
    """The path from the current directory on, if it is below it."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)


def _check_project() -> bool:
    """Whether the project's own configuration is wrong: what is, is written."""
    from asl_engine.cloud.deploy.settings import read_settings

    project = project_of(Path.cwd())
    refused = False
    checks: tuple[Callable[[Project], object], ...] = (limits_of, _services, read_settings, callables_of)
    for check in checks:
        try:
            check(project)
        except AslError as error:
            err(f"asl: error: {worded(error)}")
            refused = True
    return refused


def _services(project: Project) -> None:
    """Raises ``AslError`` for connections, functions, endpoints and folders of buckets that cannot be used."""
    from asl_engine.project.configuration_checks import broken_functions
    from asl_engine.project.setup import services_of

    broken = [*broken_functions(project)]
    if broken:
        raise ProjectError("\n".join(broken))
    for connection in services_of(RunOptions(Path()), project).connections.values():
        if connection.unset is not None:
            err(f"asl: warning: {connection.unset}")
    for bucket, folder in project.buckets.items():
        if not folder.is_dir():
            raise ProjectError(f"{project.source}: buckets: {bucket}: there is no folder {folder}")


class Looking:
    """What has been found out about the projects of definitions, so that tasks are imported once."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._callables: dict[Path, Callables | None] = {}
        self._used = Used(set(), set())

    def at(self, file: str) -> tuple[str, list[Finding]]:
        """What messages call the file, and its findings.  Doubts are worth a look only where nothing is wrong."""
        project = project_of(Path.cwd() if file == STDIN else Path(file).absolute())
        try:
            if project.substitutions and is_there(Path(file)):
                text = read_text(split_reference(file)[0], "the definition")
                self._used.placeholders.update(placeholders(text), short_forms(text))
            given = read_machine(file, self._checks.substituting, project, local=True, lenient=True)
        except DefinitionError as error:  # YAML that cannot be read
            return error.source, list(error.findings)
        return given.source.name, self._findings(given.source, given.name, given.project)

    def template(self, file: str, template: DeploymentTemplate) -> CheckedTemplate:
        """A template, with the values that are given for what it refers to."""
        from asl_engine.project.template_checks import CheckedTemplate

        return CheckedTemplate(file, template, self._checks.substituting, project_of(Path(file).absolute()))

    def at_template(self, template: CheckedTemplate) -> list[Finding]:
        """What is wrong with a template's machines, and the findings of the definitions that stand in it."""
        self._used.placeholders.update(template.names)
        findings = [*template.faults()]
        for one in template.inline():
            found = self._findings(one.source, one.name, template.project)
            if one.findings:  # what has no value has been told where it stands
                found = [finding for finding in found if finding.code != UNFILLED_PLACEHOLDER]
            findings += [_within(finding, one.location) for finding in found]
        return sorted(findings, key=lambda finding: (finding.line or 0, finding.column or 0))

    def _findings(self, source: DefinitionSource, name: str, project: Project) -> list[Finding]:
        machine, findings = check_source(source, unfilled="WARNING")
        if machine is None:
            return findings
        called = {*functions_called(loads(source.text))}
        self._used = self._used._replace(computed=self._used.computed or None in called)
        self._used.functions.update(function for function in called if function is not None)
        told = {one.location for one in findings}
        findings = [*findings, *self._of_tasks(source, machine, name, project, told)]
        if self._checks.lint:
            from asl_engine.language.lint.rules import lint

            known = {(one.code, one.location) for one in findings}
            findings += [one for one in lint(machine) if (one.code, one.location) not in known]
        return located(source, findings)

    def _of_tasks(
        self,
        source: DefinitionSource,
        machine: StateMachine,
        name: str,
        project: Project,
        told: Container[str | None],
    ) -> list[Finding]:
        """What is wrong with what tasks call; nothing at the places that something has been told of."""
        document = loads(source.text)
        found = [*unsupported_resources(document)]
        if any(map(is_of_states, machine.resources)):
            from asl_engine.resources.recognition import unlisted_services

            found += unknown_integrations(document)
            found += unlisted_services(document) if self._checks.lint else ()
        callables = self._of(project) if any(map(calls_function, machine.resources)) else None
        # A project without any callable has its functions elsewhere.
        if callables is not None and (len(callables.registry) or callables.functions or callables.refused):
            found += missing_functions(document, callables, name)
        return [one for one in found if one.location not in told]

    def told_doubts(self) -> bool:
        """Whether something in the project's configuration is doubtful, beside its definitions.  It is told."""
        told = [*doubts(project_of(Path.cwd()), self._used)]
        for doubt in told:
            err(f"asl: warning: {doubt}")
        return bool(told)

    def _of(self, project: Project) -> Callables | None:
        """What serves functions; None where that is AWS Lambda, or cannot be found out."""
        if functions_are_remote(project, asked=self._checks.use_lambda):
            return None
        if project.root not in self._callables:
            self._callables[project.root] = None
            try:
                self._callables[project.root] = callables_of(project)
            except ProjectError as error:
                err(f"asl: warning: functions are not looked for: {worded(error)}")
        found = self._callables[project.root]
        if found is None:
            return None
        return found._replace(functions={**project.declared, **project.functions}, refused=project.refused)


def _within(finding: Finding, location: str) -> Finding:
    """A finding about a definition, with its location in the template that it stands in."""
    return finding._replace(location=location + (finding.location or "").removesuffix("/"))


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
