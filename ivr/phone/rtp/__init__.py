"""The media of calls we answer ourselves: RTP in one worker process for many calls, keys heard, prompts played; no SIP.

`MediaClient` runs a worker and speaks with it; `KeyMerger` makes one key of what several methods report; `Phone` is the
caller's side of one call, for trying things out. docs/trunk-media.md tells how it works and what its messages are.
"""

from ivr.phone.rtp.client import Clip, MediaClient
from ivr.phone.rtp.contract import (
    CallMedia,
    KeyHeard,
    KeyReleased,
    Latched,
    LineLoss,
    MediaError,
    MediaEvent,
    MediaStats,
    MediaUnavailable,
    Played,
    SrtpKeys,
    TimedOut,
    WorkerLost,
)
from ivr.phone.rtp.keys import KeyMerger, Method
from ivr.phone.rtp.settings import MediaSettings
from ivr.phone.rtp.softphone.caller import CallerStream
from ivr.phone.rtp.softphone.phone import HeardPacket, Phone

__all__ = [
    "CallMedia",
    "CallerStream",
    "Clip",
    "HeardPacket",
    "KeyHeard",
    "KeyMerger",
    "KeyReleased",
    "Latched",
    "LineLoss",
    "MediaClient",
    "MediaError",
    "MediaEvent",
    "MediaSettings",
    "MediaStats",
    "MediaUnavailable",
    "Method",
    "Phone",
    "Played",
    "SrtpKeys",
    "TimedOut",
    "WorkerLost",
]
