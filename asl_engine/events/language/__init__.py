"""What the rules of a bus are written in: event patterns, input transformers and schedule expressions.

Each is compiled once, when a rule or a target is put, and refused then with the place of its mistake.
"""
