"""The properties of a template's resources: what they have of their own and of SAM's Globals, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.json_values import MISSING
from asl_engine.templates.expansion import NOT_RUN_HERE
from asl_engine.templates.recognition import BROKEN_TEMPLATE
from asl_engine.templates.sam import section_of, shared, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.findings import Finding
    from asl_engine.json_values import Json, Missing
    from asl_engine.templates.evaluation import TemplateEvaluation

__all__ = ["ResourceProperties", "TemplateResource"]


WITH_ROLES: Final = ("AWS::ApiGateway", "AWS::Events::", "AWS::Scheduler::")
ROLES: Final = frozenset({"Credentials", "CredentialsArn", "RoleArn", "credentials"})


class ResourceProperties:
    """The properties of a resource, with those that SAM's Globals give it, and where each is written."""

    def __init__(self, document: dict[str, Any], logical: str, resource: dict[str, Any]) -> None:
        own = resource.get("Properties")
        self._own: dict[str, Any] = own if isinstance(own, dict) else {}
        self._kind = str(resource.get("Type"))
        self._shared = shared(document, self._kind)
        self._logical = logical

    def __contains__(self, field: str) -> bool:
        return field in self._own or field in self._shared

    def get(self, field: str) -> Any:
        """Objects are merged, and lists put together, the shared ones first."""
        if field not in self._shared:
            return self._own.get(field)
        return _merged(self._shared[field], self._own[field]) if field in self._own else self._shared[field]

    def place(self, field: str) -> str:
        if field in self._own or field not in self._shared:
            return f"/Resources/{self._logical}/Properties/{field}"
        return f"/Globals/{section_of(self._kind)}/{field}"


class TemplateResource:
    """A resource of a template.  ``findings`` are what could not be found out about what was asked for."""

    def __init__(
        self, logical: str, resource: dict[str, Any], document: dict[str, Any], evaluation: TemplateEvaluation
    ) -> None:
        self.logical = logical
        self.kind = str(resource.get("Type"))
        self.location = evaluation.written(f"/Resources/{logical}")
        self._resource = resource
        self._properties = ResourceProperties(document, logical, resource)
        self._evaluation = evaluation
        self._findings: dict[Finding, None] = {}
        self._values: dict[str, Json | Missing] = {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings)

    def __contains__(self, field: str) -> bool:
        return field in self._properties

    def get(self, field: str, default: Json = None) -> Json:
        """The value of a property; the default where there is none."""
        if field not in self._properties:
            return default
        if field not in self._values:
            place = self._properties.place(field)
            given = self._properties.get(field)
            if self.kind.startswith(WITH_ROLES):
                given = _without_roles(given)
            self._values[field], found = self._evaluation.evaluate(given, place)
            self._findings.update(dict.fromkeys(found))
        value = self._values[field]
        return default if value is MISSING else value

    def written_value(self, field: str) -> Any:
        """A property as it is written: a reference in it says what it refers to."""
        return self._properties.get(field)

    def metadata(self, name: str) -> str | None:
        """A text in the metadata of the resource; None where it has none."""
        found = table_of(self._resource, "Metadata").get(name)
        return found if isinstance(found, str) else None

    def text(self, field: str, default: str = "") -> str:
        """The value of a property that is a text; another is told."""
        value = self.get(field)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self.tell(f"{field} has to be a text", field)
        return default

    def table(self, field: str) -> dict[str, Json]:
        """The value of a property that is an object; another is told."""
        value = self.get(field)
        if isinstance(value, dict) or value is None:
            return value or {}
        self.tell(f"{field} has to be an object", field)
        return {}

    def rows(self, field: str) -> list[Json]:
        """The value of a property that is a list; another is told."""
        value = self.get(field)
        if isinstance(value, list) or value is None:
            return value or []
        self.tell(f"{field} has to be a list", field)
        return []

    def all(self, fields: Iterable[str]) -> dict[str, Json]:
        """The values of those of the properties that it has."""
        values = {field: self.get(field) for field in fields if field in self}
        return {field: value for field, value in values.items() if value is not None}

    def name(self) -> str:
        """What it is called: its logical id where that cannot be found out."""
        if (field := self._evaluation.named_by(self._resource)) in self:
            self.get(field)
            if self.findings_below(field):
                return self.logical
        return self._evaluation.name_of(self.logical, self._resource, f"/Resources/{self.logical}")

    def tell(self, message: str, field: str = "", *, code: str = BROKEN_TEMPLATE) -> None:
        """Add a finding about a property, or about the whole."""
        made = self._properties.place(field) if field else f"/Resources/{self.logical}"
        self._findings[self._evaluation.finding(code, message, made)] = None

    def tell_not_run(self, message: str, field: str = "") -> None:
        """That something has no effect here, or is not run: a warning."""
        self.tell(message, field, code=NOT_RUN_HERE)

    def findings_below(self, field: str) -> tuple[Finding, ...]:
        """The findings about a part of a property."""
        place = self.written(field)
        return tuple(one for one in self._findings if f"{one.location}/".startswith(f"{place}/"))

    def written(self, field: str) -> str:
        """Where a property is written."""
        return self._evaluation.written(self._properties.place(field))


def _without_roles(value: Any) -> Any:
    """A value without the roles in it: nobody asks for one here, so it may be unknown."""
    if isinstance(value, list):
        return [_without_roles(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_roles(one) for name, one in value.items() if name not in ROLES}
    return value


def _merged(shared: Any, own: Any) -> Any:
    if isinstance(shared, list) and isinstance(own, list):
        return [*shared, *own]
    if isinstance(shared, dict) and isinstance(own, dict) and not _is_function(own):
        return shared | {name: _merged(shared[name], own[name]) if name in shared else own[name] for name in own}
    return own


def _is_function(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))
