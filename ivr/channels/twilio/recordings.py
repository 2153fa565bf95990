"""A merchant's recordings on Twilio: `<Play>` of an address on the public port, in place of `<Say>`."""

import re
from collections.abc import Callable

from flask import Blueprint, Response, abort, request

from ivr.channels.twilio.twiml import Address
from ivr.core.actions import Phrase
from ivr.voice import NAME_LENGTH, Playing

FOLDER = "/twilio/audio"
A_YEAR_S = 365 * 24 * 3600
_NAME = re.compile(f"[0-9a-f]{{{NAME_LENGTH}}}")


def parts_by_url(playing: Playing, root: str = "") -> Callable[[Phrase], list[str]]:
    """What `Writer` says or plays for a phrase, in order: words, or addresses below `root`."""
    return lambda phrase: [
        Address(f"{root}{FOLDER}/{part.file}.wav") if part.file else part.words for part in playing.parts(phrase)
    ]


def blueprint(playing: Playing) -> Blueprint:
    """GET and HEAD, without a signature: Twilio's media servers send none. The name is what opens the file, and no file
    holds anything of a caller. Parts of it are given where they are asked for (Range, RFC 9110 14)."""
    routes = Blueprint("recordings", __name__)

    @routes.get(f"{FOLDER}/<name>.wav")
    def recording(name: str) -> Response:
        audio = playing.wav(name) if _NAME.fullmatch(name) else None
        if audio is None:
            abort(404)
        answer = Response(audio, mimetype="audio/wav")
        answer.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
        answer.set_etag(name)
        return answer.make_conditional(request, accept_ranges=True, complete_length=len(audio))  # type: ignore[return-value]

    return routes
