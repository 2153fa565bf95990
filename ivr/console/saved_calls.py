"""A call on record as a call file, for the page to offer; how it is made is `ivr.testing.saved_call`'s."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

LONGEST_S = 60.0
_one_at_a_time = Lock()


@dataclass(frozen=True)
class SavedCall:
    """The file's text, or why there is none."""

    text: str = ""
    problem: str = ""


SaveCall = Callable[[str], SavedCall]  # by the call's id


def save_by_command(call_id: str) -> SavedCall:
    """In a process of its own: a rehearsal counts calls and charges, which must not be among the line's numbers."""
    variables = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    command = [sys.executable, "-m", "ivr", "save", "--", call_id]
    with _one_at_a_time:
        try:
            done = subprocess.run(
                command, env=variables, capture_output=True, text=True, check=False, timeout=LONGEST_S
            )
        except subprocess.TimeoutExpired:
            return SavedCall(problem="it takes too long on this machine: try `save` in a terminal")
    if done.returncode == 0:
        return SavedCall(done.stdout)
    told = done.stderr.strip().splitlines()
    reason = told[-1] if done.returncode == 2 and told else "something of ours broke: try `save` in a terminal"
    return SavedCall(problem=reason.removeprefix("error: "))
