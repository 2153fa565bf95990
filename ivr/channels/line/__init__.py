"""One call on a line whose audio we carry ourselves, whatever carries it: a trunk's RTP, AudioSocket, or a browser.

A `Conversation` stands between the call's session and an `AudioPort`. It turns what is heard (`KeyPressed`, `Silent`, `CallerGone`)
into the core's events, and the core's actions into clips to play, timers and a hang-up. It is in one of these states:

    collecting   keys are taken for one entry; a timer runs once the prompt is over
    on hold      the bank, or a billing system, is waited for; keys are dropped, or kept for the next question
    connecting   somebody else is rung for the caller; keys are dropped
    over         the last words are being said; then the port hangs up

Keys of every call lie in one `EntryBuffer`, wiped as they leave it. No channel's protocol is known here.
"""

from ivr.channels.line.audio_port import AudioPort, CallerGone, Heard, KeyPressed, PersonRang, Silent, TimerFired
from ivr.channels.line.conversation import LOOK_S, Conversation, EventClock, Services, Timer
from ivr.channels.line.entry_buffer import MOST_KEYS, EntryBuffer

__all__ = [
    "LOOK_S",
    "MOST_KEYS",
    "AudioPort",
    "CallerGone",
    "Conversation",
    "EntryBuffer",
    "EventClock",
    "Heard",
    "KeyPressed",
    "PersonRang",
    "Services",
    "Silent",
    "Timer",
    "TimerFired",
]
