"""A webhook's form, parsed once from bytes into buffers: digits never become a string here."""

from dataclasses import dataclass

from ivr.core.events import Digits
from ivr.errors import PeerError

MAX_BODY = 64 * 1024  # Twilio's own webhooks are a few hundred bytes
MAX_FIELDS = 200
# More is read only to check the signature. 64 KB hold no more fields with names of their own; the rest is separators.
MAX_FIELDS_READ = 10_000
DIGIT_KEYS = frozenset(b"0123456789*#ABCDw")
_HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")
_PLAIN = bytes.maketrans(b"+", b" ")


@dataclass(frozen=True, repr=False)
class Form:
    """Decoded (name, value) pairs in the order sent; values may hold keys a caller pressed, so there is no repr."""

    pairs: tuple[tuple[bytes, bytearray], ...]

    def text(self, name: bytes) -> str:
        """A field that is not keys: '' where it is absent."""
        value = self._find(name)
        return value.decode("utf-8", "replace")[:200] if value is not None else ""

    def digits(self) -> Digits | None:
        """`Digits` as keys; PeerError for what no keypad has, without saying what it was."""
        value = self._find(b"Digits")
        if value is None:
            return None
        if not DIGIT_KEYS.issuperset(value):
            raise PeerError("form field Digits: only the keys 0-9, *, #, A-D are digits")
        return Digits(value)

    def require_few_fields(self) -> None:
        if len(self.pairs) > MAX_FIELDS:
            raise PeerError(f"the form has more than {MAX_FIELDS} fields")

    def wipe(self) -> None:
        for _, value in self.pairs:
            value[:] = bytes(len(value))

    def _find(self, name: bytes) -> bytearray | None:
        return next((value for key, value in self.pairs if key == name), None)


def parse_form(body: bytes | bytearray) -> Form:
    """application/x-www-form-urlencoded; PeerError names what is wrong."""
    if len(body) > MAX_BODY:
        raise PeerError(f"the form is larger than {MAX_BODY} bytes")
    parts = body.split(b"&") if body else []
    if len(parts) > MAX_FIELDS_READ:
        raise PeerError(f"the form has more than {MAX_FIELDS_READ} fields")
    pairs = []
    for part in parts:
        name, _, value = part.partition(b"=")
        pairs.append((bytes(_unquote(name)), _unquote(value)))
    return Form(tuple(pairs))


def _unquote(quoted: bytes | bytearray) -> bytearray:
    plain = bytearray(quoted.translate(_PLAIN))
    at = plain.find(b"%")
    while at >= 0:
        code = plain[at + 1 : at + 3]
        if len(code) != 2 or not _HEXADECIMAL.issuperset(code):
            raise PeerError("the form has a % that is not followed by two hexadecimal digits")
        plain[at : at + 3] = (int(code, 16),)
        at = plain.find(b"%", at + 1)
    return plain
