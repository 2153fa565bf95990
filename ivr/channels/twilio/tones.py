"""Tone prompts for flows with `voice: tones`: Twilio plays these short sounds in place of saying words."""

import io
import wave
from collections.abc import Callable
from functools import lru_cache

from flask import Blueprint, Response, abort

from dsp import tones
from ivr.channels.twilio.twiml import Address
from ivr.core.actions import Phrase
from ivr.voice import earcon_for

FOLDER = "/twilio/tones"
RATE = 8000


def tone_urls(root: str) -> Callable[[Phrase], str]:
    """What `Writer` plays for a phrase; `root` stands before our paths."""
    return lambda phrase: Address(f"{root}{FOLDER}/{earcon_for(phrase.name)}.wav")


def blueprint() -> Blueprint:
    """GET, without a signature: the same few sounds for everybody, and nothing of a call in their names."""
    routes = Blueprint("tones", __name__)

    @routes.get(f"{FOLDER}/<name>.wav")
    def tone(name: str) -> Response:
        if name not in tones.EARCONS:
            abort(404)
        return Response(wav_of(name), mimetype="audio/wav", headers={"Cache-Control": "public, max-age=86400"})

    return routes


@lru_cache
def wav_of(name: str) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(tones.earcon(name).astype("<i2").tobytes())
    return file.getvalue()
