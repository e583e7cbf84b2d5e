"""The workflow lab: state machines under test, with mocks for what they call and time that the test moves.

What it is: a pytest plugin with the fixture ``asl``, and the same from any other test as ``Workflow``.  It runs
the engine itself, in memory, and calls nothing outside.

What it is not: another interpreter, or a way to test against real AWS.
"""

from __future__ import annotations
