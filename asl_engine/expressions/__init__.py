"""The JSONPath expressions of the Amazon States Language, each compiled once, when a definition is loaded.

``compile_path``, ``compile_template`` and ``compile_rule`` turn texts and objects of a definition into
closures over a ``Scope``: the data, the variables and the context object.  Nothing is parsed at run time.
A faulty text raises ``ExpressionSyntaxError``, or is reported with its place; unsuitable data at run
time raise ``PathNotFound`` or ``EvaluationError``.

The package does not know which field of a state takes which expression, nor the order of evaluation.
"""

from asl_engine.expressions.choice_rule import compile_rule
from asl_engine.expressions.errors import ExpressionSyntaxError, PathNotFound, ResultPathError
from asl_engine.expressions.jsonpath.path import Path, ReferencePath, compile_path, compile_reference_path
from asl_engine.expressions.scope import Scope
from asl_engine.expressions.template import Template, compile_template
from asl_engine.expressions.timestamps import format_timestamp, parse_timestamp

__all__ = [
    "ExpressionSyntaxError",
    "Path",
    "PathNotFound",
    "ReferencePath",
    "ResultPathError",
    "Scope",
    "Template",
    "compile_path",
    "compile_reference_path",
    "compile_rule",
    "compile_template",
    "format_timestamp",
    "parse_timestamp",
]
