"""The order of all tests over the processes that share them: those that mostly wait begin first, in half of the processes, while
the others compute. At the end of the alphabet, where `tests/web` is, a test of half a minute would be waited for by all others."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TypeVar

TESTS = Path(__file__).resolve().parent
# Whose tests start processes, browsers and telephone systems, and wait for them.
WAITING = ("web", "channels/trunk", "outages", "cluster", "channels/browser", "packaging", "voice")
WAITING += ("test_kill.py", "forwarder/test_killed.py", "portal/test_in_a_browser.py")
Item = TypeVar("Item")


@cache
def waits(file: Path) -> bool:
    return any(file.is_relative_to(TESTS / one) for one in WAITING)


def in_shares(items: Sequence[Item], file_of: Callable[[Item], Path], processes: int) -> list[Item]:
    """xdist gives each process as many tests as any other, in order, and later on the last ones of whoever has most left to
    whoever is done (`--dist worksteal`). The tests of a file stay together: they share what they start."""
    if processes < 2:
        return list(items)
    half = processes // 2
    files = [list(tests) for file, tests in groupby(items, file_of) if waits(file)]
    others = [one for one in items if not waits(file_of(one))]
    ordered: list[Item] = []
    for number in range(half):
        begins = [one for file in files[number::half] for one in file]
        left = max(0, 2 * -(-len(items) // processes) - len(begins))  # until the second share after this one begins
        ordered += begins + others[:left]
        others = others[left:]
    return ordered + others
