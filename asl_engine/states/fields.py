"""The field types of definitions, and the faults of fields that do not match them.

A shape is a table of fields.  pydantic's engine checks it, strictly and all at once: ``pydantic_core``
is used directly, without the model classes of ``pydantic``, because importing those and building the
models costs more than the rest of a run (about 100 ms), and the code after validation uses
compiled states, never models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pydantic_core import PydanticCustomError, SchemaValidator, ValidationError
from pydantic_core import core_schema as cs

from asl_engine.findings import Finding, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.json_values import Json

__all__ = [
    "ANY",
    "ARRAY",
    "BOOLEAN",
    "COMPUTED",
    "FILLED_OBJECT",
    "MAX_SECONDS",
    "MISSING_END_STATE",
    "NULLABLE_PATH",
    "OBJECT",
    "SCHEMA_VALIDATION_FAILED",
    "STATE_NAME",
    "TEXT",
    "Field",
    "Shape",
    "check_shape",
    "each",
    "integer",
    "number",
    "one_of",
    "required",
]

SCHEMA_VALIDATION_FAILED: Final = "SCHEMA_VALIDATION_FAILED"
MISSING_END_STATE: Final = "MISSING_END_STATE"
MAX_SECONDS: Final = 99_999_999


class Field(NamedTuple):
    """The type of a field's value."""

    schema: cs.CoreSchema
    required: bool = False


Shape: TypeAlias = "Mapping[str, Field]"


def required(field: Field) -> Field:
    return Field(field.schema, required=True)


def integer(least: int, most: int = MAX_SECONDS) -> Field:
    return Field(cs.int_schema(strict=True, ge=least, le=most))


def number(least: float, most: float | None = None) -> Field:
    return Field(cs.float_schema(strict=True, ge=least, le=most, allow_inf_nan=False))


def one_of(*choices: str) -> Field:
    return Field(cs.literal_schema(list(choices)))


def each(field: Field, least: int = 1) -> Field:
    """A list of such values."""
    return Field(cs.list_schema(field.schema, strict=True, min_length=least))


TEXT: Final = Field(cs.str_schema(strict=True))
STATE_NAME: Final = Field(cs.str_schema(strict=True, min_length=1, max_length=80))
NULLABLE_PATH: Final = Field(cs.nullable_schema(cs.str_schema(strict=True)))
BOOLEAN: Final = Field(cs.bool_schema(strict=True))
OBJECT: Final = Field(cs.dict_schema(cs.str_schema(), cs.any_schema(), strict=True))
FILLED_OBJECT: Final = Field(cs.dict_schema(cs.str_schema(), cs.any_schema(), strict=True, min_length=1))
ARRAY: Final = Field(cs.list_schema(strict=True))
ANY: Final = Field(cs.any_schema())


def _not_null(value: Json) -> Json:
    if value is None:
        raise PydanticCustomError("null_given", "null")
    return value


# A value that an expression or a literal may give; null is not allowed.
COMPUTED: Final = Field(cs.no_info_plain_validator_function(_not_null))


# A validator is built when its shape is first used.  Shapes are module constants: their identity is the key,
# and the reference kept here prevents its reuse.
_validators: dict[int, tuple[Shape, SchemaValidator]] = {}


def _validator(shape: Shape) -> SchemaValidator:
    known = _validators.get(id(shape))
    if known is None:
        fields = {
            name: cs.typed_dict_field(field.schema, required=field.required) for name, field in shape.items()
        }
        known = shape, SchemaValidator(cs.typed_dict_schema(fields, extra_behavior="forbid"))
        _validators[id(shape)] = known
    return known[1]


def check_shape(shape: Shape, source: Json, location: str) -> list[Finding]:
    """Every mismatch between ``source`` and this shape, each with its location."""
    try:
        _validator(shape).validate_python(source)
    except ValidationError as error:
        return [_finding(detail, shape, location) for detail in error.errors(include_url=False)]
    return []


def _finding(detail: Any, shape: Shape, location: str) -> Finding:
    path = list(detail["loc"])
    kind: str = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    if kind == "missing":
        where = _extend(location, path[:-1])
        return Finding(SCHEMA_VALIDATION_FAILED, f"The field '{path[-1]}' is required but was missing", where)
    if kind == "extra_forbidden":
        known = ", ".join(sorted(shape))
        hint = did_you_mean(str(path[-1]), shape)
        message = f"The field '{path[-1]}' is not supported here; the supported fields are {known}{hint}"
        return Finding(SCHEMA_VALIDATION_FAILED, message, _extend(location, path))
    return Finding(SCHEMA_VALIDATION_FAILED, _expectation(kind, context, detail["input"]), _extend(location, path))


_EXPECTATIONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": lambda _: "Expected value of type String",
    "string_too_short": lambda _: "Value cannot be empty",
    "string_too_long": lambda c: f"Expected at most {c['max_length']} characters",
    "int_type": lambda _: "Expected value of type Integer",
    "int_from_float": lambda _: "Expected value of type Integer",
    "float_type": lambda _: "Expected value of type Number",
    "bool_type": lambda _: "Expected value of type Boolean",
    "dict_type": lambda _: "Expected value of type Object",
    "list_type": lambda _: "Expected value of type Array",
    "too_short": lambda _: "Value cannot be empty",
    "literal_error": lambda c: f"Expected one of {c['expected']}",
    "greater_than_equal": lambda c: f"Expected a value of at least {c['ge']:g}",
    "less_than_equal": lambda c: f"Expected a value of at most {c['le']}",
    "null_given": lambda _: "Expected a value or an expression",
    "finite_number": lambda _: "Expected a finite number",
}


# An empty value need not be shown.
_EMPTY: Final = frozenset({"too_short", "string_too_short"})


def _expectation(kind: str, context: Mapping[str, Any], given: Any) -> str:
    if kind in _EMPTY:
        return _EXPECTATIONS[kind](context)
    text = repr(given)
    shown = text if len(text) <= 80 else text[:77] + "..."
    return f"{_EXPECTATIONS[kind](context)}, but was {shown}"


def _extend(location: str, path: list[str | int]) -> str:
    return location + "".join(f"[{step}]" if isinstance(step, int) else f"/{step}" for step in path)
