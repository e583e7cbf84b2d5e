"""JSONata, as Step Functions speaks it: a compiler to Python, with a budget instead of a clock.

It is the language of jsonata.org, version 2.0.6, with the functions that Step Functions adds and without
$eval.  An expression is compiled once and evaluated without changing its input: results may share
parts with the input, which is immutable.  ``codegen`` says what is generated, and why no text of an
expression can get into it.
"""

from __future__ import annotations

from asl_engine.expressions.jsonata.expression import Bindings, Expression, UnsupportedResult, compile_jsonata
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.template import JsonataTemplate, compile_template_jsonata

__all__ = [
    "Bindings",
    "Expression",
    "JsonataError",
    "JsonataTemplate",
    "UnsupportedResult",
    "compile_jsonata",
    "compile_template_jsonata",
]
