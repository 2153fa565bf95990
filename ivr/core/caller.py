"""The caller's number, however a network writes it: one caller is one caller, and callers who withhold theirs are not one.

`+15550100`, `0015550100`, `tel:+1-555-0100` and `sip:+15550100@gateway` are the same caller (RFC 3966 3, RFC 3261 19.1.4).
"""

import re
import unicodedata
from urllib.parse import unquote

# What networks put where a number was withheld or is not known: SIP's anonymous URI (RFC 3323 4.1.1.3), names that
# exchanges and PBXs use, and Twilio's numbers, which spell such a word on a telephone's keys.
_WORDS = (
    *("anonymous", "restricted", "unavailable", "unknown", "blocked", "private", "withheld", "nocallerid", "callerid"),
    *("privatenumber", "privatecaller", "unknowncaller", "anonymouscaller", "hidden", "none", "null", "na", "asterisk"),
    *("outofarea", "notavailable", "unknownnumber", "suppressed", "nocallid", "noid", "invalid"),
)
_KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
# Twilio's documentation has RESTRICTED as +7378742883, its calls as +7378742833.
_SPELT = frozenset({*(word.translate(_KEYS) for word in _WORDS if len(word) >= 7), "7378742883", "464"})
_SCHEME = re.compile(r"(?:sips?|tels?|callto):", re.IGNORECASE)
_ADDRESS = re.compile(r"<([^<>]*)>")
_SEPARATORS = re.compile(r"[\s().\-/_]+")
SHOWN_DIGITS = 3
SHORTEST_TEXTED, LONGEST_NUMBER = 7, 15  # digits; E.164 has no number that is longer


def caller_key(written: str) -> str:
    """The same for one caller however it is written; empty for one whose number is withheld or not known."""
    user, host = _parts(written)
    plain = _SEPARATORS.sub("", user).lower()
    digits = plain.removeprefix("+")
    if host.endswith(".invalid") or plain in _WORDS or not digits.strip("0"):
        return ""
    if not _is_number(digits):
        return f"{plain}@{host}" if host else plain
    if digits in _SPELT:
        return ""
    return digits.removeprefix("00") if len(digits) > SHORTEST_TEXTED else digits


def takes_texts(written: str) -> bool:
    """Whether a text could be sent to such a number at all: a whole telephone number, and not withheld."""
    key = caller_key(written)
    return _is_number(key) and SHORTEST_TEXTED <= len(key) <= LONGEST_NUMBER


def mask_number(number: str) -> str:
    """The last three digits of a telephone number, enough to know one's own test call by; nothing of a shorter one."""
    digits = [character for character in number if character.isdecimal()]
    return f"...{''.join(digits[-SHOWN_DIGITS:])}" if len(digits) > 2 * SHOWN_DIGITS else "withheld"


def _parts(written: str) -> tuple[str, str]:
    """User and host, without scheme, display name, escapes and parameters."""
    text = unicodedata.normalize("NFKC", unquote(written)).strip()
    address = _ADDRESS.search(text)
    text = _SCHEME.sub("", address[1] if address else text, count=1).strip().strip('"')
    user, _, host = text.partition("@")
    return user.partition(";")[0], host.partition(";")[0].partition(":")[0].lower()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
