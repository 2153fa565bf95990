"""Codec attributes of SDP as peers write them, put into the form RFC 8866 gives them; which codec is chosen is sdp.py's.

A peer that misplaces a blank still means what it says, and one attribute that nobody can read is no reason to refuse a
call: static payload types need none (RFC 3551 6). So such a line is left out, and the rest of the session holds.
Two forms are wrong rather than unreadable, and the message is refused for them (400): a wildcard where RFC 8866 6.15
wants a payload type, and a channel count that is announced and not given.
"""

import re

RTPMAP = re.compile(
    r"(?P<type>\d{1,3})(?:\s+|(?=[A-Za-z]))(?P<name>[^\s/]+)"
    r"(?:\s*/\s*(?P<clock>\d{1,6})(?:\s*/\s*(?P<channels>\d{1,3}))?)?\s*(?:\s[^/]*)?",
    re.ASCII,
)
FMTP = re.compile(r"(?P<type>\d{1,3})\s+(?P<text>\S.*)", re.ASCII)
EVENTS = re.compile(r"\d{1,3}(\s*-\s*\d{1,3})?(\s*,\s*\d{1,3}(\s*-\s*\d{1,3})?)*", re.ASCII)
WRONG = re.compile(r"\*(\s.*)?|.*/", re.ASCII)
# Everything we take has this clock; a peer that leaves it out (`telephone-event`) can mean no other.
CLOCK_HZ = "8000"


def readable(sdp: str) -> str:
    """The text with each `a=rtpmap` and `a=fmtp` as the parser wants it, or without it."""
    lines = [readable_line(line) for line in sdp.splitlines()]
    return "\r\n".join(line for line in lines if line is not None)


def readable_line(line: str) -> str | None:
    kind, _, rest = line.partition("=")
    name, colon, value = rest.partition(":")
    name = name.strip().lower()
    if kind.strip() != "a" or not colon or name not in ("rtpmap", "fmtp"):
        return line
    value = value.strip()
    return (read_rtpmap(value) if name == "rtpmap" else read_fmtp(value)) or kept_if_wrong(name, value)


def kept_if_wrong(name: str, value: str) -> str | None:
    """As it came, so that the parser refuses it; None leaves the line out."""
    return f"a={name}:{value}" if WRONG.fullmatch(value) else None


def read_rtpmap(value: str) -> str | None:
    found = RTPMAP.fullmatch(value)
    if found is None:
        return None
    channels = f"/{found['channels']}" if found["channels"] else ""
    return f"a=rtpmap:{found['type']} {found['name']}/{found['clock'] or CLOCK_HZ}{channels}"


def read_fmtp(value: str) -> str | None:
    found = FMTP.fullmatch(value)
    return f"a=fmtp:{found['type']} {found['text']}" if found else None


def lists_events(fmtp: str) -> bool:
    """`0-15`, `0-11,16`: only telephone-event has its parameters in this form (RFC 4733 2.4.1)."""
    return EVENTS.fullmatch(fmtp.strip()) is not None
