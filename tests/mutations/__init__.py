"""What a promise rests on, taken away: the test that shows the promise has to fail then.

``python -m tests.mutations`` does it for each mechanism, in a copy of the project.
"""
