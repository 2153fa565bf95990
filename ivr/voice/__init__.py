"""Prompts to audio for the lines we answer ourselves: recordings, a synthesizer, prompt tones. No calls, no sockets, no cards.

A `Renderer` gives the clips of a phrase, a `Playing` what somebody else's line is to say and play of it; `read_clip` gives a clip's mu-law or A-law codes. Rendering takes milliseconds
and files: call it from a thread or before the call, never in the media tick.
"""

from ivr.voice.clips import read_clip
from ivr.voice.earcons import earcon_for
from ivr.voice.playing import NAME_LENGTH, Playing
from ivr.voice.renderer import VOICE_NAMES, Rendered, Renderer, VoiceName
from ivr.voice.synthesizer import is_installed

__all__ = [
    "NAME_LENGTH",
    "VOICE_NAMES",
    "Playing",
    "Rendered",
    "Renderer",
    "VoiceName",
    "earcon_for",
    "is_installed",
    "read_clip",
]
