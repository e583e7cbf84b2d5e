"""The command ``asl``: a face of the engine for people and for scripts.

``app`` names the commands; each is a module of ``commands``, with its options and its work.  A command imports
only what it needs: a cold ``asl run`` has to be quick.
"""

from asl_engine.cli.main import main

__all__ = ["main"]
