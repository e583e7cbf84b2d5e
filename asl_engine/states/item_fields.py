"""The fields ItemReader, ItemBatcher and ResultWriter of a distributed Map, and how they are compiled.

AWS documentation, "Map state input and output fields".

``compile_item_reader``, ``compile_item_batcher`` and ``compile_result_writer`` take the Map state that is
being compiled and return None if it has no such field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import s3_action
from asl_engine.errors import EvaluationError, QueryFailure
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.json_text import dumps
from asl_engine.states.fields import ANY, OBJECT, TEXT, Field, check_shape, each, integer, one_of, required
from asl_engine.states.item_flow import MAX_ITEMS, ItemBatcher, ItemReader, ResultWriter
from asl_engine.states.jsonpath_flow import evaluate_path, shown
from asl_engine.states.path_numbers import integer_of

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.fields import Shape
    from asl_engine.states.item_flow import Evaluate

__all__ = [
    "ITEM_FIELDS",
    "compile_item_batcher",
    "compile_item_reader",
    "compile_result_writer",
]

MAX_BATCH_BYTES: Final = 262_144
READERS: Final = frozenset({"getObject", "listObjectsV2"})
WRITER: Final = "putObject"

ITEM_FIELDS: dict[str, Field] = {"ItemReader": OBJECT, "ItemBatcher": OBJECT, "ResultWriter": OBJECT}
READER_FIELDS: Shape = {"Resource": required(TEXT), "Parameters": OBJECT, "ReaderConfig": OBJECT}
JSONATA_READER_FIELDS: Shape = {"Resource": required(TEXT), "Arguments": ANY, "ReaderConfig": OBJECT}
CONFIG_FIELDS: dict[str, Field] = {
    "InputType": one_of("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"),
    "ManifestType": one_of("ATHENA_DATA", "S3_INVENTORY"),
    "Transformation": one_of("NONE", "LOAD_AND_FLATTEN"),
    "CSVHeaderLocation": one_of("FIRST_ROW", "GIVEN"),
    "CSVHeaders": each(TEXT),
    "CSVDelimiter": one_of("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
    "ItemsPointer": TEXT,
}
READER_CONFIG_FIELDS: Shape = {**CONFIG_FIELDS, "MaxItems": integer(0, MAX_ITEMS), "MaxItemsPath": TEXT}
JSONATA_READER_CONFIG_FIELDS: Shape = {**CONFIG_FIELDS, "MaxItems": ANY}
BATCHER_FIELDS: Shape = {
    "MaxItemsPerBatch": integer(1, MAX_ITEMS),
    "MaxItemsPerBatchPath": TEXT,
    "MaxInputBytesPerBatch": integer(1, MAX_BATCH_BYTES),
    "MaxInputBytesPerBatchPath": TEXT,
    "BatchInput": ANY,
}
JSONATA_BATCHER_FIELDS: Shape = {"MaxItemsPerBatch": ANY, "MaxInputBytesPerBatch": ANY, "BatchInput": ANY}
WRITER_FIELDS: Shape = {"Resource": TEXT, "Parameters": OBJECT, "WriterConfig": OBJECT}
JSONATA_WRITER_FIELDS: Shape = {"Resource": TEXT, "Arguments": ANY, "WriterConfig": OBJECT}
WRITER_CONFIG_FIELDS: Shape = {
    "OutputType": required(one_of("JSON", "JSONL")),
    "Transformation": one_of("NONE", "COMPACT", "FLATTEN"),
}


def compile_item_reader(compiling: Compiling) -> ItemReader | None:
    jsonata = compiling.language == "JSONata"
    source = _checked(compiling, "ItemReader", JSONATA_READER_FIELDS if jsonata else READER_FIELDS)
    if source is None:
        return None
    if s3_action(source["Resource"]) not in READERS:
        message = "The resource has to be arn:aws:states:::s3:getObject or arn:aws:states:::s3:listObjectsV2"
        compiling.report("ItemReader/Resource", message)
    config = source.get("ReaderConfig", {})
    place = "ItemReader/ReaderConfig"
    _check(compiling, place, config, JSONATA_READER_CONFIG_FIELDS if jsonata else READER_CONFIG_FIELDS)
    _check_config(compiling, place, config, listing=source["Resource"].endswith(":listObjectsV2"))
    return ItemReader(
        resource=source["Resource"],
        config={name: value for name, value in config.items() if not name.startswith("MaxItems")},
        parameters=_template(compiling, "ItemReader", source, "Arguments" if jsonata else "Parameters"),
        max_items=_integer(compiling, place, config, "MaxItems", MAX_ITEMS, least=0),
    )


def _check_config(compiling: Compiling, place: str, config: dict[str, Any], *, listing: bool) -> None:
    """Check the dependencies between the fields of a ReaderConfig."""
    kind, manifest = config.get("InputType"), config.get("ManifestType")
    loads = config.get("Transformation") == "LOAD_AND_FLATTEN"
    if manifest == "S3_INVENTORY":
        if kind not in {None, "MANIFEST"}:
            compiling.report(f"{place}/InputType", "The files of an S3_INVENTORY are CSV: leave InputType out")
    elif kind is None and (not listing or loads):
        compiling.report(place, "The field 'InputType' is required but was missing")
    if kind == "CSV" and "CSVHeaderLocation" not in config:
        compiling.report(place, "The field 'CSVHeaderLocation' is required with the InputType CSV")
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        compiling.report(place, "The field 'CSVHeaders' is required with the CSVHeaderLocation GIVEN")
    if loads and not listing:
        compiling.report(f"{place}/Transformation", "LOAD_AND_FLATTEN needs the resource s3:listObjectsV2")


def compile_item_batcher(compiling: Compiling) -> ItemBatcher | None:
    jsonata = compiling.language == "JSONata"
    place = "ItemBatcher"
    source = _checked(compiling, place, JSONATA_BATCHER_FIELDS if jsonata else BATCHER_FIELDS)
    if source is None:
        return None
    if not source.keys() - {"BatchInput"}:
        compiling.report(place, "One of MaxItemsPerBatch and MaxInputBytesPerBatch, or their Path, is required")
    return ItemBatcher(
        max_items=_integer(compiling, place, source, "MaxItemsPerBatch", MAX_ITEMS),
        max_bytes=_integer(compiling, place, source, "MaxInputBytesPerBatch", MAX_BATCH_BYTES),
        batch_input=_template(compiling, place, source, "BatchInput") if "BatchInput" in source else None,
    )


def compile_result_writer(compiling: Compiling) -> ResultWriter | None:
    jsonata = compiling.language == "JSONata"
    place, arguments = "ResultWriter", "Arguments" if jsonata else "Parameters"
    source = _checked(compiling, place, JSONATA_WRITER_FIELDS if jsonata else WRITER_FIELDS)
    if source is None:
        return None
    config = source.get("WriterConfig", {})
    if "WriterConfig" in source:
        _check(compiling, f"{place}/WriterConfig", config, WRITER_CONFIG_FIELDS)
    writes = "Resource" in source
    if writes != (arguments in source):
        compiling.report(place, f"Resource and {arguments} can only be given together")
    if writes and s3_action(source["Resource"]) != WRITER:
        compiling.report(f"{place}/Resource", "The resource has to be arn:aws:states:::s3:putObject")
    return ResultWriter(
        empty=not source,
        parameters=_template(compiling, place, source, arguments) if writes else None,
        transformation=config.get("Transformation", "NONE" if writes else "COMPACT"),
        output_type=str(config.get("OutputType", "JSON")),
    )


def _checked(compiling: Compiling, field: str, shape: Shape) -> dict[str, Any] | None:
    """The field's value, None if it is absent or does not match the shape, which is reported."""
    source: Any = compiling.source.get(field)
    return source if isinstance(source, dict) and _check(compiling, field, source, shape) else None


def _check(compiling: Compiling, place: str, source: dict[str, Any], shape: Shape) -> bool:
    found = check_shape(shape, source, f"{compiling.location}/{place}")
    compiling.findings.extend(found)
    return not found


def _template(compiling: Compiling, place: str, source: dict[str, Any], field: str) -> Evaluate:
    """A template of the state's language; an absent one stands for an empty object."""
    where, template_source = f"{place}/{field}", source.get(field, {})
    if compiling.language == "JSONata":
        expression = compiling.expression(where, template_source)
        return lambda decision, _: expression.evaluate(decision.bindings())
    template = compiling.template_at(where, template_source)
    return lambda decision, given: template.evaluate(decision.scope(given.value))


def _integer(
    compiling: Compiling, place: str, source: dict[str, Any], field: str, most: int, *, least: int = 1
) -> Evaluate | None:
    """A whole number: a literal, or the result of a path or an expression.

    With a ``least`` of 0, there is no upper bound to what is computed: the reader has its own.
    """
    path_field = f"{field}Path"
    if field in source and path_field in source:
        compiling.report(place, f"Only one of {field} and {path_field} can be given")
    value = source.get(field)
    if compiling.language == "JSONata" and compiling.is_expression(value):
        expression = compiling.expression(f"{place}/{field}", value, "number")
        where = f"{place}/{field}"

        def evaluate_expression(decision: Decision, _: Payload) -> Json:
            number = expression.evaluate(decision.bindings())
            if not _fits(number, most, least):
                raise QueryFailure(
                    f"The {where} field must be an integer from {least} to {most}, but was {dumps(number)}", where
                )
            return number

        return evaluate_expression
    if value is not None:
        if compiling.language == "JSONata":  # no shape has checked it, since it could have been an expression
            compiling.check(f"{place}/{field}", value, integer(least, most))
        return lambda _decision, _given: value
    if path_field not in source:
        return None
    try:
        path = compile_path(source[path_field])
    except ExpressionSyntaxError as error:
        compiling.report(f"{place}/{path_field}", str(error))
        return None

    def evaluate(decision: Decision, given: Payload) -> Json:
        value = evaluate_path(decision, path, given.value)
        number = integer_of(value)
        if not _fits(number, most, least):
            raise EvaluationError(
                f'The {path_field} field refers to value "{shown(value)}" '
                f"which is not a valid integer: {path.text}"
            )
        return number

    return evaluate


def _fits(value: Json, most: int, least: int) -> bool:
    return (
        isinstance(value, int) and not isinstance(value, bool) and value >= least and (not least or value <= most)
    )
