"""What all tests have in common: the processes that they start."""

from __future__ import annotations

import os
import sys

# Hundreds of tests start a Python.  Each would compile the package again where nobody may keep what is compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
