"""From the resolved tree to Python: an expression becomes a function of its own when it is first evaluated.

A closure for each construct would be called once for each of them, and again for each item of a loop, and
those calls are where an interpreter's time goes.  Here a construct becomes a few lines of the function
around it: values lie in local variables, and the lambda of ``$map`` is the body of a loop.  To see the code,
print ``compile_jsonata(text).source``.

- An *emitter* writes the lines that evaluate a node.  It returns the ``Value``: the name that the value has in
  the code, and what is known of it beforehand.  ``compiler`` has the table of emitters.  A name is assigned
  once on each way through its lines, so a value can be used by name anywhere below them.
- The types that are common have their code written out, behind a test.  For everything else the code calls
  the function that has the whole meaning (in ``navigation``, ``operators``, ``callables``).
- The names of a scope are local variables as long as nobody else has to see them.  A scope gets an
  ``Environment`` only where a function is made, or where other code evaluates a part
  (``FunctionWriter.frame_for``).
- Sorting, grouping and paths that bind names are closures over functions that are generated for their parts.

The text consists of what is written here, of names that are made here, and of literals as ``repr`` writes
them.  No other text of an expression gets into it, and it runs without Python's builtins.
"""
