"""`--jobs` of the commands that do many calls: on every core, and the answer is the same on any number of them."""

from collections.abc import Callable
from typing import Any

import click

from ivr.testing.processes import cores

MOST = 64


def jobs_option(words: str) -> Callable[[Any], Any]:
    """A click option; `words`: what it is for, in its help."""
    kind = click.IntRange(1, MOST)
    default = min(cores(), MOST)
    return click.option("--jobs", type=kind, default=default, show_default="one a core", help=words)
