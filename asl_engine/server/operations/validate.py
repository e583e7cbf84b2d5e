"""ValidateStateMachineDefinition: reports all findings of a definition and creates nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.json_text import loads
from asl_engine.language.lint.static_paths import static_paths
from asl_engine.projections.descriptions import present
from asl_engine.server.definitions import MAX_FINDINGS, findings_of, machine_type, place

if TYPE_CHECKING:
    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

__all__ = ["validate_state_machine_definition"]


async def validate_state_machine_definition(request: Request, service: Service) -> dict[str, Any]:
    """All errors, and with severity WARNING also the warnings."""
    limits = service.engine.limits
    text = request.text("definition")
    machine, findings = await findings_of(text, machine_type(request), limits)
    if request.optional_text("severity") != "WARNING":
        findings = [finding for finding in findings if finding.severity == "ERROR"]
    elif machine is not None:
        definition: Any = loads(text)
        findings = [*findings, *static_paths(definition)]
    most = request.optional_integer("maxResults") or MAX_FINDINGS
    diagnostics = [
        present(severity=one.severity, code=one.code, message=one.message, location=place(one))
        for one in findings[:most]
    ]
    result = "FAIL" if machine is None else "OK"
    return {"result": result, "diagnostics": diagnostics, "truncated": len(findings) > most}
