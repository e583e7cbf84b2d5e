"""Tests one state by itself: its result for an input, and the data at each stage in between.

A ``Trial`` runs a single state on the interpreter that runs executions, from the moment it is entered until
it is left, fails or is to be retried.  It is not a second interpreter: it wraps the compiled
state and observes it.  AWS documentation, "Testing state machines with TestState API".
"""
