"""Calls without a telephone: in this process, in the terminal or from a text file.

Public are the names of `__all__`, and the modules `line`, `script`.
"""

from ivr.channels.simulator.line import CallerLine, HeardPrompt, LineReply, connected_to, mask
from ivr.channels.simulator.local import START, Clock, LocalLine
from ivr.channels.simulator.player import Caller, Paid, Player, Texted, World, play
from ivr.channels.simulator.script import BANK_BEHAVIOURS, Instruction, Owed, ScriptError, read_script
from ivr.channels.simulator.terminal import Ask, converse

__all__ = [
    "BANK_BEHAVIOURS",
    "START",
    "Ask",
    "Caller",
    "CallerLine",
    "Clock",
    "HeardPrompt",
    "Instruction",
    "LineReply",
    "LocalLine",
    "Owed",
    "Paid",
    "Player",
    "ScriptError",
    "Texted",
    "World",
    "connected_to",
    "converse",
    "mask",
    "play",
    "read_script",
]
