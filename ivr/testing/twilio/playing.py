"""What a `<Say>` or `<Play>` lets the caller hear; a file of the application's own is fetched first, as Twilio does."""

from urllib.parse import urljoin, urlsplit

import httpx

from ivr.channels.simulator import HeardPrompt
from ivr.errors import PeerError
from ivr.testing.twilio.twiml import Element

MOST_AUDIO_BYTES = 40 * 1024 * 1024  # Twilio's limit for a file
AUDIO = frozenset({"mpeg", "wav", "wave", "x-wav", "aiff", "x-aifc", "x-aiff", "x-gsm", "gsm", "ulaw"})


def heard(verb: Element, http: httpx.Client, document_url: str) -> list[HeardPrompt]:
    """PeerError where a file cannot be had, or is no audio that Twilio plays."""
    if verb.name == "Say":
        return [HeardPrompt("", " ".join(_all_text(verb).split()))]
    if verb.name != "Play":
        return []
    file = verb.text.strip()
    if file:
        _require_audio(urljoin(document_url, file), http, document_url)
    return [HeardPrompt("", f"[{file or verb.get('digits')}]")]


def _require_audio(url: str, http: httpx.Client, document_url: str) -> None:
    """Not from elsewhere: this Twilio calls nobody but the application."""
    if urlsplit(url).netloc != urlsplit(document_url).netloc:
        return
    answer = http.get(url)
    if answer.status_code != 200:
        raise PeerError(f"{answer.status_code} from {url}, which is to be played (Twilio's error 11200)")
    kind, _, form = answer.headers.get("content-type", "").partition(";")[0].strip().partition("/")
    if kind != "audio" or form not in AUDIO:
        raise PeerError(f"{url} is {kind or 'nothing'}/{form}, expected audio (Twilio's error 12300)")
    if len(answer.content) > MOST_AUDIO_BYTES:
        raise PeerError(f"{url} has more than {MOST_AUDIO_BYTES} bytes")


def _all_text(element: Element) -> str:
    return " ".join([element.text, *(_all_text(child) for child in element.inside)])
