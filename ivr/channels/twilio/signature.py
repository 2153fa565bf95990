"""X-Twilio-Signature: is this request Twilio's? A streamed HMAC over buffers; the SDK is the oracle in the tests.

Twilio's rule: base64 of HMAC-SHA1, keyed by the auth token, over the full URL followed by each form field's name and
value, in order of name. The SDK's validator costs 118 us here and copies every digit into strings.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

from ivr.channels.twilio.form import Form

DEFAULT_PORTS = {"https": 443, "http": 80}


class Signer:
    """Signs and checks with one auth token."""

    def __init__(self, auth_token: str) -> None:
        self._keyed = hmac.new(auth_token.encode(), digestmod=hashlib.sha1)
        self.naming_key = hmac.digest(auth_token.encode(), b"names of audio files", "sha256")
        self.keeping_key = hmac.digest(auth_token.encode(), b"keys kept from one Gather to the next", "sha256")

    def sign(self, url: str, form: Form) -> str:
        digest = self._keyed.copy()
        digest.update(url.encode())
        last: tuple[bytes, bytearray] | None = None
        for pair in sorted(form.pairs):
            if pair != last:  # the same name and value twice count once
                digest.update(pair[0])
                digest.update(pair[1])
            last = pair
        return base64.b64encode(digest.digest()).decode()

    def accepts(self, url: str, form: Form, signature: str) -> bool:
        """Twilio signs some URLs with the default port written out and some without, so both are right."""
        given = signature.encode("utf-8", "replace")
        if hmac.compare_digest(self.sign(url, form).encode(), given):
            return True
        other = _other_spelling(url)
        return other is not None and hmac.compare_digest(self.sign(other, form).encode(), given)


def _other_spelling(url: str) -> str | None:
    parts = urlsplit(url)
    default = DEFAULT_PORTS.get(parts.scheme)
    if parts.port is None and default:
        return parts._replace(netloc=f"{parts.netloc}:{default}").geturl()
    if parts.port is not None and parts.hostname:
        return parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()
    return None
