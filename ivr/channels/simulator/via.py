"""The same call through the running product: signed webhooks over HTTP, TwiML read back; what Twilio would do."""

import secrets
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

import httpx

from ivr.channels.simulator.line import Heard, Reply
from ivr.errors import PeerError

ANI, DNIS = "+15550100", "+15550199"


class ViaLine:
    """`sign` gives X-Twilio-Signature of a path and a body."""

    def __init__(self, http: httpx.Client, flow: str, sign: "Signature", ani: str = ANI) -> None:
        self._http = http
        self._sign, self._ani = sign, ani
        self._url = f"/twilio/voice/{flow}"
        self._gather: ET.Element | None = None
        self.call_id = f"CA{secrets.token_hex(16)}"

    def begin(self) -> Reply:
        return self._post({"CallStatus": "ringing"})

    def press(self, keys: str) -> Reply:
        """As Twilio does: the finishing key ends a Gather and is not sent; what is left over goes to the next one."""
        if self._gather is None:
            return self.wait()
        heard: list[Heard] = []
        while True:
            entry, finished, keys = gathered(keys, self._gather)
            reply = self._post({"Digits": entry, "FinishedOnKey": finished})
            heard += reply.heard
            goes_on = not reply.heard and reply.state == "keys"
            if self._gather is None or not (keys or goes_on):
                return replace(reply, heard=heard)

    def stay_silent(self) -> Reply:
        reply = self._post({"Digits": ""})
        while not reply.heard and reply.state == "keys":
            # A timer is over and Twilio was told to go on listening: let that one run out too.
            reply = self._post({"Digits": ""})
        return reply

    def wait(self) -> Reply:
        return self._post({})

    def hang_up(self) -> None:
        self._send("/twilio/status", {"CallStatus": "completed"})

    def _post(self, fields: dict[str, str]) -> Reply:
        return self._read(self._send(self._url, {"CallStatus": "in-progress"} | fields))

    def _send(self, path: str, fields: dict[str, str]) -> str:
        fields = {"CallSid": self.call_id, "From": self._ani, "To": DNIS, "Direction": "inbound"} | fields
        body = urlencode(fields).encode()
        headers = {
            "X-Twilio-Signature": self._sign(path, body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            response = self._http.post(path, content=body, headers=headers)
        except httpx.TransportError as error:
            raise PeerError(
                f"nothing answers at {self._http.base_url}: start it with `make run` ({type(error).__name__})"
            ) from None
        if response.status_code >= 400:
            raise PeerError(f"{response.status_code} from {path}: {response.text[:300].strip()}")
        return response.text

    def _read(self, twiml: str) -> Reply:
        root = ET.fromstring(twiml)  # noqa: S314 - our own server's answer
        heard = [Heard("", text) for text in _said(root)]
        self._gather = root.find("Gather")
        if self._gather is not None:
            self._url = self._gather.get("action", self._url)
            # TwiML does not say whether it asks for a card: no key is shown.
            return Reply(heard, "keys", sensitive=True)
        redirect = root.find("Redirect")
        if redirect is None:
            return Reply(heard, "over")
        self._url = redirect.text or self._url
        pause = root.find("Pause")
        return Reply(heard, "waiting", wait_s=float(pause.get("length", "1")) if pause is not None else 0.0)


def gathered(keys: str, gather: ET.Element) -> tuple[str, str, str]:
    """What one Gather takes of the keys, the key that finished it, and what it leaves."""
    return gathered_by(keys, gather.get("finishOnKey", "#"), int(gather.get("numDigits", "0")))


def gathered_by(keys: str, done: str, limit: int) -> tuple[str, str, str]:
    for place, key in enumerate(keys):
        if key == done:
            return keys[:place], key, keys[place + 1 :]
        if place + 1 == limit:
            return keys[:limit], "", keys[limit:]
    return keys, "", ""


def twilio_client(base_url: str) -> httpx.Client:
    """Twilio's own patience: 15 s for an answer."""
    return httpx.Client(base_url=base_url, timeout=15, trust_env=False)


class Signature:
    """Signs as Twilio does, with the product's own auth token."""

    def __init__(self, auth_token: str, public_url: str) -> None:
        from twilio.request_validator import RequestValidator  # the SDK: 0.3 s to import, only wanted here

        self._validator = RequestValidator(auth_token)
        self._public_url = public_url

    def __call__(self, path: str, body: bytes) -> str:
        from urllib.parse import parse_qsl

        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        return str(self._validator.compute_signature(self._public_url + path, fields))


def _said(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        if element.tag == "Say":
            yield element.text or ""
        elif element.tag == "Play":
            yield f"[{element.text}]"
