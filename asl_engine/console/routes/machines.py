"""State machines: what each is, what is wrong with a text, what tests have covered, what to start it with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from asl_engine.console.pictures import states_of
from asl_engine.console.refusals import ConsoleError
from asl_engine.console.routes.runs import counts_of
from asl_engine.console.routes.unregistered import known, machines_of_runs
from asl_engine.errors import AslError
from asl_engine.graph.model import graph_of
from asl_engine.graph.svg import svg
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.language.lint.static_paths import static_paths
from asl_engine.language.positions import locate
from asl_engine.resources.python.threads import run_in_thread
from asl_engine.server.definitions import MAX_FINDINGS, findings_of, place
from asl_engine.testing.coverage_data import DATA_FILE, CoverageData
from asl_engine.testing.coverage_html import coverage_svg
from asl_engine.testing.coverage_report import share_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from asl_engine.console.asked import Asked
    from asl_engine.findings import Finding
    from asl_engine.store.records import MachineRecord

__all__ = ["coverage", "inputs", "machine", "machines", "validate"]

SAMPLES: Final = "inputs"
MAX_SAMPLES: Final = 50
MAX_SAMPLE_BYTES: Final = 262_144
LAST_RUNS: Final = 20
MAX_LAST: Final = 5


async def machines(asked: Asked) -> dict[str, Any]:
    """A page of those that are registered; behind the last are those that only runs know."""
    limit = asked.number("limit", 100, 1, 500)
    after = asked.position("console machines") or ""
    found = await asked.service.store.machines.page(asked.desk.caller.prefix, str(after), limit + 1)
    shown = [_summary(record) | {"counts": await counts_of(asked, record.arn)} for record in found[:limit]]
    position = found[limit - 1].arn if len(found) > limit else None
    if position is None:
        shown += [
            _summary(record, is_registered=False) | {"counts": await counts_of(asked, record.arn)}
            for record in await machines_of_runs(asked)
        ]
    return {"machines": shown, "next": asked.token(position, "console machines")}


def _summary(record: MachineRecord, *, is_registered: bool = True) -> dict[str, Any]:
    return {
        "arn": record.arn,
        "name": record.name,
        "type": record.type,
        "status": record.status,
        "registered": is_registered,
        "createdAt": record.created_at if is_registered else None,
        "updatedAt": record.updated_at if is_registered else None,
    }


async def machine(asked: Asked) -> dict[str, Any]:
    """A machine as it stands, or one of its versions, what an alias leads to, or the definition of a run."""
    arn, record, version, run = await known(asked, asked.text("arn"))
    store = asked.service.store
    is_registered = run is None or await asked.service.find_machine(record.arn) is not None
    text = await store.definition(record.definition)
    return {
        "machine": _summary(record, is_registered=is_registered) | {"counts": await counts_of(asked, record.arn)},
        "arn": arn,
        "run": None if run is None else run.identity.arn,
        "roleArn": record.role_arn,
        "revisionId": record.revision_id,
        "description": None if version is None else version.description,
        "definition": text,
        **await _examined(asked, text, record.type == "EXPRESS"),
        "versions": [
            {"arn": one.arn, "number": one.number, "createdAt": one.created_at, "description": one.description}
            for one in await store.versions.page(record.arn, None, 100)
        ],
        "aliases": [
            {
                "arn": one.arn,
                "name": one.name,
                "description": one.description,
                "routing": [
                    {"arn": route["stateMachineVersionArn"], "weight": route["weight"]} for route in one.routing
                ],
            }
            for one in await store.aliases.of_machine(record.arn)
        ],
    }


async def validate(asked: Asked) -> dict[str, Any]:
    """What is wrong with a text, at which lines, and the picture of one that is sound."""
    return await _examined(asked, asked.given("definition"), asked.optional_given("type") == "EXPRESS")


async def _examined(asked: Asked, text: str, is_express: bool) -> dict[str, Any]:
    kind: Any = "EXPRESS" if is_express else "STANDARD"
    compiled, findings = await findings_of(text, kind, asked.service.engine.limits)
    drawn = await run_in_thread(partial(_drawn, text, findings, is_valid=compiled is not None))
    return {"valid": compiled is not None, **drawn}


def _drawn(text: str, findings: list[Finding], *, is_valid: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"svg": None, "states": []}
    if is_valid:
        document: Any = loads(text)
        graph = graph_of(document)
        findings = [*findings, *static_paths(document)]
        states = [_placed(text, one) for one in states_of(graph)]
        shown = {"svg": svg(graph, "the definition", styled=False), "states": states}
    return {"diagnostics": _diagnostics(text, findings), **shown}


def _placed(text: str, state: dict[str, str]) -> dict[str, Any]:
    line, column = locate(text, state["place"]) or (None, None)
    return {**state, "line": line, "column": column}


def _diagnostics(text: str, findings: Iterable[Finding]) -> list[dict[str, Any]]:
    try:
        loads(text)
    except JsonSyntaxError as error:
        wrong = {"severity": "ERROR", "code": "INVALID_JSON_DESCRIPTION", "message": str(error), "location": None}
        return [{**wrong, "line": error.line, "column": error.column}]
    return [_diagnostic(text, one) for one in [*findings][:MAX_FINDINGS]]


def _diagnostic(text: str, finding: Finding) -> dict[str, Any]:
    line, column = (None, None) if finding.location is None else locate(text, finding.location) or (None, None)
    return {
        "severity": finding.severity,
        "code": finding.code,
        "message": finding.message,
        "location": place(finding),
        "line": line,
        "column": column,
    }


# -- what to start it with ----------------------------------------------------------------------------


async def inputs(asked: Asked) -> dict[str, Any]:
    """The project's sample inputs, those named after the machine first, and the inputs of its last executions.

    ``made`` is the name of the run whose definition a start would register first, None where none has to be.
    """
    _, record, _, run = await known(asked, asked.text("machine"))
    samples = await run_in_thread(partial(_samples, asked.desk.settings.folder / SAMPLES, record.name))
    made = None
    is_child = run is not None and run.identity.map_run is not None  # nobody can start one of those
    if run is not None and not is_child and await asked.service.find_machine(record.arn) is None:
        made = run.identity.name
    return {"samples": samples, "last": await _last(asked, record), "made": made, "machine": record.name}


def _samples(folder: Path, machine_name: str) -> list[dict[str, str]]:
    if not folder.is_dir():
        return []
    files = [file for file in folder.iterdir() if file.suffix == ".json" and file.is_file()]
    files.sort(key=lambda file: (not file.stem.startswith(machine_name), file.name))
    found = []
    for file in files[:MAX_SAMPLES]:
        try:
            text = file.read_text(encoding="utf-8-sig") if file.stat().st_size <= MAX_SAMPLE_BYTES else None
            if text is not None:
                loads(text)
                found.append({"name": file.name, "text": text})
        except (OSError, UnicodeDecodeError, JsonSyntaxError):  # it is no input
            continue
    return found


async def _last(asked: Asked, record: MachineRecord) -> list[dict[str, str]]:
    """Of those that had the same input the newest."""
    found: dict[str, dict[str, str]] = {}
    for one in await asked.service.store.page(record.arn, limit=LAST_RUNS):
        given = (await asked.service.outlined(one)).input
        if given is not None and len(given.text) <= MAX_SAMPLE_BYTES:
            found.setdefault(given.text, {"name": one.identity.name, "arn": one.identity.arn, "text": given.text})
    return [*found.values()][:MAX_LAST]


# -- what its tests have covered ----------------------------------------------------------------------


async def coverage(asked: Asked) -> dict[str, Any]:
    """The report that the tests have left in the project's folder, of this very definition."""
    _, record, _, _ = await known(asked, asked.text("machine"))
    covered = await run_in_thread(partial(_covered, asked.desk.settings.folder / DATA_FILE, record.definition))
    if covered is None:
        raise ConsoleError(
            404,
            "NoCoverage",
            f"No report of coverage fits the definition of {record.name}",
            "Run its tests with the coverage of state machines measured.",
        )
    return covered


def _covered(file: Path, digest: str) -> dict[str, Any] | None:
    try:
        found = CoverageData.read(file).definitions.get(digest) if file.is_file() else None
    except AslError:  # it is no report, or one of another version
        return None
    drawn = None if found is None else coverage_svg(found)
    if found is None or drawn is None:
        return None
    share, taken = share_of(found), found.counts()
    return {
        "name": found.name,
        "svg": drawn,
        "covered": share.covered,
        "total": share.points,
        "missing": [point.location for point in found.points if not taken[point.key]],
    }
