"""Imports what lives need, so that each of them has it when it is born."""

from __future__ import annotations

import gc
import importlib
import pkgutil

import asl_engine
from asl_engine.server.protocol.service_model import input_shapes

__all__ = ["preload"]

# Rooms that no life here goes to.
ELSEWHERE = ("asl_engine.__main__", "asl_engine.cloud", "asl_engine.testing", "asl_engine.cli.commands.deploy")
OTHERS = ("encodings.idna", "importlib.metadata", "tomllib", "uvicorn.lifespan.off", "xml.etree.ElementTree")


def preload() -> None:
    """Import it.  No thread is started, and nothing is looked through for garbage later."""
    for module in pkgutil.walk_packages(asl_engine.__path__, "asl_engine."):
        if not module.name.startswith(ELSEWHERE):
            importlib.import_module(module.name)
    for name in OTHERS:
        importlib.import_module(name)
    input_shapes()
    gc.collect()
    gc.freeze()
