"""Calls as people look at them: rows of calls, one call's trace on its flow's diagram, where callers stop, how long they take.

What is here decides nothing and changes nothing; the console shows it to whoever is at the machine, the portal to people who sign in.
"""

from ivr.traces.drop_off import SPANS, STOP_WORDS, USUAL_SPAN, DropOff, begin_of
from ivr.traces.prompt_times import PromptRow, prompt_rows
from ivr.traces.reading import call_row, drop_off_of, text_row, trace_of
from ivr.traces.rows import ENDING_WORDS, CallRow, TextRow, Trace

__all__ = [
    "ENDING_WORDS",
    "SPANS",
    "STOP_WORDS",
    "USUAL_SPAN",
    "CallRow",
    "DropOff",
    "PromptRow",
    "TextRow",
    "Trace",
    "begin_of",
    "call_row",
    "drop_off_of",
    "prompt_rows",
    "text_row",
    "trace_of",
]
