"""Paths of an OpenAPI document with API Gateway's extensions, as routes with the names that CloudFormation gives.

"x-amazon-apigateway-integration object" in the Developer Guide of API Gateway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.json_values import Json
    from asl_engine.templates.declarations import Surroundings
    from asl_engine.templates.properties import TemplateResource

__all__ = ["PathOperation", "cors_of", "document_of", "operations"]

INTEGRATION: Final = "x-amazon-apigateway-integration"
CORS: Final = "x-amazon-apigateway-cors"
ANY: Final = "x-amazon-apigateway-any-method"
METHODS: Final = ("delete", "get", "head", "options", "patch", "post", "put")
# What is called otherwise than its name in camel case says.
NAMES: Final = {"httpMethod": "IntegrationHttpMethod"}


class PathOperation(NamedTuple):
    """A method of a path, at a location in the document; its ``integration`` is None where it has none."""

    path: str
    method: str
    location: str
    integration: Mapping[str, Any] | None


def document_of(api: TemplateResource, around: Surroundings) -> Json:
    """The document of an API, in the template or beside it; None for an API without one, or with one elsewhere."""
    body = api.get("Body")
    where = api.get("BodyS3Location")
    if body is not None or where is None:
        return body
    key = where.get("Key") if isinstance(where, dict) else where
    path = around.asset(str(key))
    found = None if path is None else around.read(path)
    if found is None:
        api.tell_not_run(f"The paths of the API are in S3 ({key}), and not here", "BodyS3Location")
    return found


def operations(body: Any) -> Iterator[PathOperation]:
    """The operations of a document, in its order."""
    paths = body.get("paths") if isinstance(body, dict) else None
    for path, item in paths.items() if isinstance(paths, dict) else ():
        for name, operation in item.items() if isinstance(item, dict) else ():
            method = name.lower()
            if method != ANY and method not in METHODS:
                continue
            given = operation.get(INTEGRATION) if isinstance(operation, dict) else None
            integration = _integration(given) if isinstance(given, dict) else None
            shown = "ANY" if method == ANY else method.upper()
            yield PathOperation(path, shown, f"/paths/{path}/{name}", integration)


def cors_of(body: Any) -> Mapping[str, Any]:
    """The settings of an HTTP API's CORS, as CorsConfiguration has them."""
    found = body.get(CORS) if isinstance(body, dict) else None
    return {_capital(name): one for name, one in found.items()} if isinstance(found, dict) else {}


def _integration(given: Mapping[str, Any]) -> Mapping[str, Any]:
    found = {NAMES.get(name, _capital(name)): value for name, value in given.items()}
    responses = found.pop("Responses", None)
    if isinstance(responses, dict):
        found["IntegrationResponses"] = [_response(key, one) for key, one in responses.items()]
    found["Type"] = str(found.get("Type", "")).upper()
    return found


def _response(key: str, given: Any) -> dict[str, Any]:
    """A response: its key is the pattern that selects it, which CloudFormation leaves away for the default."""
    own = {_capital(name): one for name, one in given.items()} if isinstance(given, dict) else {}
    if "StatusCode" in own:
        own["StatusCode"] = str(own["StatusCode"])
    return own if key == "default" else {"SelectionPattern": key, **own}


def _capital(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"
