"""The page: a phone to try the flows with (in development), what runs, what to try next, the flows drawn, the latest calls masked. It changes nothing.

It has a listener of its own (CONSOLE_PORT), because a proxy makes whatever it stands before public.
"""

from ivr.console.live import LivePages
from ivr.console.phone import PhonePage, TestAccount, cards_to_try
from ivr.console.rows import ConsoleData, Process, Trial
from ivr.console.trials import address, console_address, processes, trials
from ivr.console.views import console
from ivr.console.visitors import is_from_here, is_local, is_loopback, refuse

__all__ = [
    "ConsoleData",
    "LivePages",
    "PhonePage",
    "Process",
    "TestAccount",
    "Trial",
    "address",
    "cards_to_try",
    "console",
    "console_address",
    "is_from_here",
    "is_local",
    "is_loopback",
    "processes",
    "refuse",
    "trials",
]
