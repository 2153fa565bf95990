"""Modules loaded at a process's start, without the garbage collector: nothing that an import makes is garbage."""

import gc
import importlib
import sys
from types import ModuleType


def load(module: str) -> ModuleType:
    """Imported, where it is not yet. To look for garbage among what is imported, over and over, is a third of a start."""
    if module in sys.modules:
        return sys.modules[module]
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
