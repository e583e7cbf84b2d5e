"""What an API does with a request: its integrations, and what those call.

"API integrations" in the CloudFormation Template Reference, for REST APIs and for HTTP APIs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_name, parse_arn
from asl_engine.events.target_kinds import target_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.json_values import Json
    from asl_engine.templates.properties import TemplateResource

__all__ = ["Called", "called_by", "first_stages", "invoked_by", "target_of"]

STARTED: Final = re.compile(r""" "stateMachineArn" \s* : \s* "(?P<arn>[^"]+)" """, re.VERBOSE)
# arn:aws:apigateway:REGION:states:action/StartExecution
ACTIONS: Final = ("action/StartExecution", "action/StartSyncExecution")
SUBTYPES: Final = ("StepFunctions-StartExecution", "StepFunctions-StartSyncExecution")
NO_MACHINE: Final = "No stateMachineArn can be found in the request template"


class Called(NamedTuple):
    """The ARN that an integration calls, None where it answers by itself; or why there is none.

    ``not_run``: nothing is wrong with it, but nothing here runs it.
    """

    target: str | None = None
    reason: str = ""
    not_run: bool = False


def first_stages(stages: Iterable[TemplateResource], api: str) -> dict[str, str]:
    """The first stage of each API, by the property that names that; of the others is told."""
    found: dict[str, str] = {}
    for one in stages:
        name = one.text("StageName")
        first = found.setdefault(one.text(api), name) if name else name
        if first != name:
            one.tell_not_run(f"Of the stages of an API only the first is served here: {first}, and not {name}")
    return found


def target_of(resource: TemplateResource, integration: Mapping[str, Any], place: str) -> str | None:
    """What an integration of an API's resource calls; what is wrong with it is told at a place of that."""
    called = called_by(integration)
    if called.reason and called.not_run:
        resource.tell_not_run(called.reason, place)
    elif called.reason:
        resource.tell(called.reason, place)
    return called.target


def called_by(integration: Mapping[str, Any]) -> Called:
    """What an integration calls, with the members that CloudFormation gives it."""
    kind = str(integration.get("Type", integration.get("IntegrationType", ""))).upper()
    subtype = integration.get("IntegrationSubtype")
    uri = str(integration.get("Uri", integration.get("IntegrationUri", "")))
    if kind == "MOCK":
        return Called()
    if subtype is not None:
        return _subtype(str(subtype), integration)
    if kind == "AWS_PROXY" or (kind == "AWS" and invoked_by(uri) is not None):
        function = invoked_by(uri)
        if function is None:
            return Called(reason=f"The URI of the integration is not that of a function: {uri}")
        if kind == "AWS":
            return Called(reason="Nothing here runs integrations of functions without a proxy (AWS)", not_run=True)
        return Called(function)
    if kind == "AWS":
        return _service(uri, integration)
    what = f"integrations of the type {kind}" if kind else "routes without an integration"
    return Called(reason=f"Nothing here runs {what}", not_run=True)


def invoked_by(uri: str) -> str | None:
    """The ARN of the function that a URI invokes, which may be that ARN itself; None for another URI.

    ``arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations``
    """
    found = parse_arn(uri)
    if found is not None and (found.service, found.account) == ("apigateway", "lambda"):
        uri = found.resource.partition("/functions/")[2].removesuffix("/invocations")
    return uri if function_name(uri) is not None else None


def _subtype(subtype: str, integration: Mapping[str, Any]) -> Called:
    if subtype not in SUBTYPES:
        return Called(reason=f"Nothing here runs integrations of the subtype {subtype}", not_run=True)
    parameters = integration.get("RequestParameters")
    arn = parameters.get("StateMachineArn") if isinstance(parameters, dict) else None
    if not isinstance(arn, str) or target_kind(arn) != "machine":
        return Called(reason="RequestParameters has no StateMachineArn that is one")
    return Called(arn)


def _service(uri: str, integration: Mapping[str, Any]) -> Called:
    found = parse_arn(uri)
    if (
        found is None
        or (found.service, found.account) != ("apigateway", "states")
        or found.resource not in ACTIONS
    ):
        return Called(reason=f"Nothing here runs integrations with {uri}", not_run=True)
    templates: Json = integration.get("RequestTemplates")
    texts = [one for one in templates.values() if isinstance(one, str)] if isinstance(templates, dict) else []
    arns = [named["arn"] for one in texts for named in STARTED.finditer(one.replace('\\"', '"'))]
    machine = next((one for one in arns if target_kind(one) == "machine"), None)
    return Called(reason=NO_MACHINE) if machine is None else Called(machine)
