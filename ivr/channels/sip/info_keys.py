"""A key press in a SIP INFO body: `application/dtmf-relay` and `application/dtmf`; what the key means is not known here.

The body may be a card digit: it is in no message, exception or repr.
"""

import re
from dataclasses import dataclass, field

KEY_TYPES = ("application/dtmf-relay", "application/dtmf")
DEFAULT_DURATION_MS = 160
MAX_DURATION_MS = 10_000
# Gateways write * and # as RFC 4733's event codes too.
CODES = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}
SIGNAL = re.compile(r"^\s*signal\s*=\s*(\S{1,2})\s*$", re.IGNORECASE | re.MULTILINE)
DURATION = re.compile(r"^\s*duration\s*=\s*(\d{1,6})\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class InfoKey:
    key: str = field(repr=False)
    duration_ms: int


def read_info_key(body: bytes) -> InfoKey | None:
    """None when it is no key: a hook flash (16), or a body that says nothing readable."""
    text = body[:256].decode("ascii", errors="replace")
    signal, duration = SIGNAL.search(text), DURATION.search(text)
    name = (signal[1] if signal else text.strip()).upper()
    key = CODES.get(name, name)
    if len(key) != 1 or key not in "0123456789*#ABCD":
        return None
    milliseconds = int(duration[1]) if duration else DEFAULT_DURATION_MS
    return InfoKey(key, min(milliseconds, MAX_DURATION_MS))
