"""The command ``asl``: a face of the engine for people and for scripts.

``app`` holds the commands and their options, a module beside it the work of each.  What a command does
not need it does not import: a cold ``asl run`` has to be quick.
"""

from asl_engine.cli.main import main

__all__ = ["main"]
