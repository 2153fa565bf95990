"""Drills: an incident played against a line that is none, and a score of what was done about it.

The line (`drill_line`) is the product itself in this process: real flows, runner, ledger, kill switch and alerts, over a database
in a folder of its own that is removed afterwards, with a scripted bank and a clock that is moved. A scenario (`scenarios`) says
what happens in each minute. Whoever practises types the commands that they would type on the day; each takes a minute, and what
they did is read from the line, not from what they say (`playing`). `scoring` gives points for noticing, for stopping what must be
stopped and nothing else, and for what must follow.

    minute    the incident acts, callers pay, the alerts look; then one command, or some minutes of waiting
    over      after `done`, when the commands have ended, or after the scenario's last minute

Public are the names of `__all__`.
"""

from ivr.testing.drills.drill_line import DrillLine, drill_line
from ivr.testing.drills.playing import ALLOWED, BUILT_IN, Drill, Ran
from ivr.testing.drills.scenario import DrillRecord, DrillScenario
from ivr.testing.drills.scenarios import SCENARIOS
from ivr.testing.drills.scoring import Score, score_of

__all__ = [
    "ALLOWED",
    "BUILT_IN",
    "SCENARIOS",
    "Drill",
    "DrillLine",
    "DrillRecord",
    "DrillScenario",
    "Ran",
    "Score",
    "drill_line",
    "score_of",
]
