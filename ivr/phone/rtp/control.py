"""The messages between a media worker and its client: one JSON object a line, over a socket pair that has no name.

Version 1. A command is {"do": NAME, "re": NUMBER, ...}; each is answered by {"re": NUMBER, ...} or, where it could not
be carried out, by {"re": NUMBER, "error": KIND, "why": TEXT}. An event is {"event": NAME, ...}. docs/trunk-media.md lists them.
Nothing here is written anywhere else: keys travel in it.
"""

import base64
import json
from dataclasses import asdict
from typing import Any, Final

from ivr.phone.rtp import contract
from ivr.phone.rtp.contract import CallMedia, MediaEvent, SrtpKeys
from ivr.phone.rtp.settings import MediaSettings

VERSION: Final = 1
Message = dict[str, Any]
ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)
EVENTS: Final = {
    kind.__name__: kind
    for kind in (
        contract.KeyHeard,
        contract.KeyReleased,
        contract.Played,
        contract.Latched,
        contract.TimedOut,
        contract.LineLoss,
        contract.MediaStats,
    )
}


class Lines:
    """Cuts a stream of bytes into messages; what is read is overwritten."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[Message]:
        self._rest += piece
        *lines, rest = self._rest.split(b"\n")
        self._rest[:] = bytes(len(self._rest))
        self._rest = bytearray(rest)
        return [json.loads(line) for line in lines if line]


def line(message: Message) -> bytes:
    return ENCODER.encode(message).encode() + b"\n"


def event_message(event: MediaEvent) -> Message:
    # Not asdict, which copies all the way down: it takes as long as the rest of the message.
    return {"event": type(event).__name__, **vars(event)}


def event_of(message: Message) -> MediaEvent:
    values = {name: value for name, value in message.items() if name != "event"}
    if "source" in values:
        values["source"] = tuple(values["source"])
    event: MediaEvent = EVENTS[message["event"]](**values)
    return event


def media_message(media: CallMedia) -> Message:
    fields = asdict(media)
    if media.srtp is not None:
        keys = (media.srtp.sending, media.srtp.receiving)
        fields["srtp"] = [base64.b64encode(key).decode() for key in keys]
    return fields


def media_of(fields: Message) -> CallMedia:
    values = dict(fields)
    if values.get("srtp"):
        values["srtp"] = SrtpKeys(*(base64.b64decode(key) for key in values["srtp"]))
    if values.get("remote"):
        values["remote"] = tuple(values["remote"])
    values["telephone_events"] = tuple(tuple(pair) for pair in values["telephone_events"])
    values["allowed_hosts"] = tuple(values["allowed_hosts"])
    return CallMedia(**values)


def settings_message(settings: MediaSettings) -> Message:
    return {"do": "begin", "re": 0, "version": VERSION, "settings": asdict(settings)}


def settings_of(message: Message) -> MediaSettings:
    if message.get("do") != "begin" or message.get("version") != VERSION:
        raise contract.MediaError(f"control: version {message.get('version')} is not {VERSION}")
    return MediaSettings(**message["settings"])
