"""The page at `/`: what runs, what to try next, the flows drawn, the latest calls masked. It changes nothing."""

from ivr.console.live import LivePages
from ivr.console.rows import CallRow, ConsoleData, Process, TextRow, Trial, mask_number
from ivr.console.trials import address, processes, trials
from ivr.console.views import console

__all__ = [
    "CallRow",
    "ConsoleData",
    "LivePages",
    "Process",
    "TextRow",
    "Trial",
    "address",
    "console",
    "mask_number",
    "processes",
    "trials",
]
