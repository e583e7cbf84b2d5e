"""A definition as a picture: its states as nodes, its transitions as edges, laid out without any other program.

The way from a definition to a picture:

- ``model``: what there is to draw, scope by scope; ``conditions`` has the short texts of Choice rules;
- ``layers``, ``ordering``, ``placing`` and ``routing``: rank, order, place, and the lines between, for one scope;
- ``layout``: all scopes of a definition, the inner ones as boxes in the outer ones;
- ``svg`` and ``terminal`` draw a layout; ``mermaid``, ``dot`` and ``outline`` write the model itself;
- ``overlay``: what an execution, or a test run, made of the states and edges.

It reads nothing but its style sheet, and the same definition has the same picture everywhere.
"""
