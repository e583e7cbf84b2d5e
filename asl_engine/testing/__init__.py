"""The workflow lab: state machines under test, and what the tests cover of them.

What it is not: another interpreter, or a way to test against real AWS.
"""
