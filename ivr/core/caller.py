"""The caller's number, however a network writes it: one caller is one caller, and callers who withhold theirs are not one.

`+15550100`, `0015550100`, `011 1 555 0100`, `tel:+1-555-0100` and `sip:+15550100:secret@gateway` are the same caller
(RFC 3966 3, RFC 3261 19.1.1 and 19.1.4).
"""

import re
import unicodedata
from functools import lru_cache
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
_CLIENT = "client:"  # Twilio's SDKs: a scheme of no address
_ADDRESS = re.compile(r"<([^<>]*)>")
# Hyphens and dashes of every width, and the marks that nobody sees in a number copied from a page.
_SEPARATORS = re.compile(r"[\s().\-/_\u00ad\u200b-\u2015\u202a-\u202e\u2060-\u2069\u2212\ufeff]+")
# In any order: "Number withheld", "Caller ID unavailable", "Número privado".
_HIDDEN = (
    *("anonym(?:ous|e|us)?", "anonim[ao]", "restricted", "restringid[ao]", "(?:un|not?)available", "nodisponible"),
    *("unknown", "desconocid[ao]", "inconnu", "unbekannt", "blocked", "bloquead[ao]", "private?", "privad[ao]"),
    *("withheld", "hidden", "ocult[ao]", "suppressed", "unterdrueckt", "outofarea", "masque"),
)
_BESIDE = "numbers?|numero|nummer|rufnummer|callers?|calling|call|cli|id|ident(?:ity|idad)|name|user|party|llamada|phone|de|el|the|is"
_WITHHELD = re.compile(rf"(?:{_BESIDE})*(?:{'|'.join(_HIDDEN)})(?:{_BESIDE}|{'|'.join(_HIDDEN)})*")
SHOWN_DIGITS = 3
BLOCK_DIGITS = 4  # of 10,000 numbers, which in North America begin with the same area code and exchange
SHORTEST_DIALLED = 3  # digits, of an extension
SHORTEST_TEXTED, LONGEST_NUMBER = 7, 15  # digits; E.164 has no number that is longer
# North America dials 011 where others dial 00; shorter ones may be national, such as 0113 496 0000 in Leeds.
SHORTEST_AFTER_011 = 12


@lru_cache(1024)
def caller_key(written: str) -> str:
    """The same for one caller however it is written; empty for one whose number is withheld or not known."""
    user, host = _parts(written)
    plain = _SEPARATORS.sub("", user).lower()
    digits = plain.removeprefix("+")
    if host.endswith(".invalid") or _is_withheld(plain) or not digits.strip("0"):
        return ""
    if not _is_number(digits):
        return f"{plain}@{host}" if host else plain
    if digits in _SPELT:
        return ""
    if len(digits) >= SHORTEST_AFTER_011:
        digits = digits.removeprefix("011")
    return digits.removeprefix("00") if len(digits) > SHORTEST_TEXTED else digits


def caller_block(written: str) -> str:
    """What the numbers of one block begin with; empty for a caller without a whole telephone number."""
    key = caller_key(written)
    is_whole = _is_number(key) and SHORTEST_TEXTED <= len(key) <= LONGEST_NUMBER
    return key[:-BLOCK_DIGITS] if is_whole else ""


def _is_withheld(plain: str) -> bool:
    bare = "".join(one for one in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(one))
    return plain in _WORDS or _WITHHELD.fullmatch(bare) is not None


def is_telephone_number(written: str) -> bool:
    """A whole one, or a short one of an exchange; no name, nothing withheld, and no more digits than a number has."""
    key = caller_key(written)
    return _is_number(key) and SHORTEST_DIALLED <= len(key) <= LONGEST_NUMBER


def takes_texts(written: str) -> bool:
    """Whether a text could be sent to such a number at all: a whole telephone number, and not withheld."""
    return bool(caller_block(written))


def may_lack_country_code(written: str) -> bool:
    """A whole telephone number without a plus, 00 or 011 before it: whoever wrote it may have meant one of their own country."""
    user = _SEPARATORS.sub("", _parts(written)[0])
    return bool(caller_block(written)) and not user.startswith("+") and caller_key(written) == user


def mask_number(number: str) -> str:
    """The last three digits of a telephone number, enough to know one's own test call by; nothing of a shorter one."""
    end = shown_end(number)
    return f"...{end}" if end else "withheld"


def shown_end(number: str) -> str:
    """Those digits by themselves; empty where none is shown."""
    digits = [character for character in number if character.isdecimal()]
    return "".join(digits[-SHOWN_DIGITS:]) if len(digits) > 2 * SHOWN_DIGITS else ""


def _parts(written: str) -> tuple[str, str]:
    """User and host, without scheme, display name, escapes, password and parameters."""
    text = unicodedata.normalize("NFKC", unquote(written)).strip()
    address = _ADDRESS.search(text)
    text = _SCHEME.sub("", address[1] if address else text, count=1).strip().strip('"')
    user, _, host = text.partition("@")
    if host and not user.lower().startswith(_CLIENT):
        user = user.partition(":")[0]
    return user.partition(";")[0], host.partition(";")[0].partition(":")[0].lower()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
