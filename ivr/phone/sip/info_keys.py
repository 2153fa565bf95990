"""Key presses in a SIP INFO body, in the four forms that phones and gateways use; what a key means is not known here.

The body may be a card digit: it is in no message, exception or repr.
"""

import re
from dataclasses import dataclass, field

# The two of Cisco's, which most phones send; the RTP payload's own name (RFC 4733) with the key as text or as the
# payload's four bytes; Nortel's, which may hold more than one key.
RELAY, PLAIN, EVENT, NORTEL = (
    "application/dtmf-relay",
    "application/dtmf",
    "audio/telephone-event",
    "application/vnd.nortelnetworks.digits",
)
KEY_TYPES = (RELAY, PLAIN, EVENT, NORTEL)
DEFAULT_DURATION_MS = 160
MAX_DURATION_MS = 10_000
MAX_BODY_BYTES = 256
KEYS = "0123456789*#ABCD"
# Gateways write * and # as RFC 4733's event codes too.
CODES = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
PRINTABLE = (0x20, 0x7E)
HOOK_FLASH = ("16", "!", "HF", "FLASH")
# Some gateways quote the key.
SIGNAL = re.compile(r"^\s*signal\s*[=:]\s*\"?([^\s\"]{1,5})\"?\s*$", re.IGNORECASE | re.MULTILINE)
DURATION = re.compile(r"^\s*duration\s*[=:]\s*(\d{1,6})\s*$", re.IGNORECASE | re.MULTILINE)
DIGITS = re.compile(r"^\s*d\s*[=:]\s*([0-9*#A-D]{1,32})\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class InfoKey:
    key: str = field(repr=False)
    duration_ms: int


def read_info_keys(kind: str, body: bytes) -> tuple[InfoKey, ...] | None:
    """In order; empty where no key was pressed (a hook flash, an empty body). None cannot be read: refuse it, so that
    the phone knows that its key was not taken.
    """
    if not body.strip() and not is_payload(kind, body):
        return ()
    digits = DIGITS.findall(text_of(body))
    if kind == NORTEL and digits:
        return tuple(InfoKey(key, DEFAULT_DURATION_MS) for key in "".join(digits).upper())
    key = read_payload(body) if is_payload(kind, body) else read_info_key(body)
    if key is not None:
        return (key,)
    return () if signal_of(text_of(body)) in HOOK_FLASH else None


def read_info_key(body: bytes) -> InfoKey | None:
    """One key in text; None when it is no key: a hook flash (16), or a body that says nothing readable."""
    text = text_of(body)
    name = signal_of(text)
    key = CODES.get(name, name)
    if len(key) != 1 or key not in KEYS:
        return None
    duration = DURATION.search(text)
    milliseconds = int(duration[1]) if duration else DEFAULT_DURATION_MS
    return InfoKey(key, min(milliseconds, MAX_DURATION_MS))


def signal_of(text: str) -> str:
    signal = SIGNAL.search(text)
    return (signal[1] if signal else text.strip()).upper()


def text_of(body: bytes) -> str:
    return body[:MAX_BODY_BYTES].decode("ascii", errors="replace")


def is_payload(kind: str, body: bytes) -> bool:
    """RFC 4733 2.3: event code, end bit and volume, duration. The codes 9 to 13 are blanks in text: four bytes are text only
    where all of them can be printed, or are the end of its line.
    """
    is_text = all(PRINTABLE[0] <= byte <= PRINTABLE[1] for byte in body.rstrip(b"\r\n"))
    return kind == EVENT and len(body) == 4 and body[0] < len(KEYS) and not is_text


def read_payload(body: bytes) -> InfoKey:
    timestamp_units = int.from_bytes(body[2:4], "big")
    return InfoKey(KEYS[body[0]], min(timestamp_units // 8, MAX_DURATION_MS))
