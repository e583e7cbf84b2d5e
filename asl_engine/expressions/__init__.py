"""The JSONPath expressions of the Amazon States Language, each compiled once, when a definition is loaded.

``compile_path``, ``compile_template`` and ``compile_rule`` turn texts and objects of a definition into
closures over a ``Scope``: the data, the variables and the context object.  Nothing is parsed at run time.
A faulty text raises ``ExpressionSyntaxError``, or is reported with its place; unsuitable data at run
time raise ``PathNotFound`` or ``EvaluationError``.

The package does not know which field of a state takes which expression, nor the order of evaluation.
"""
