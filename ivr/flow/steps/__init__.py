"""The kinds of steps, one file each, with everything about a kind in its file. A file put here is one more kind.

What a kind says of itself is in `flow.step`; what the kinds share in a turn of a call is in `flow.talk`.
"""

from importlib import import_module
from pkgutil import iter_modules

from ivr.flow.registry import KINDS, kind_of, kinds, step_kind, words

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["KINDS", "kind_of", "kinds", "step_kind", "words"]
